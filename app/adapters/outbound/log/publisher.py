"""The log as a publisher: a line for each domain event, with ids and no personal data."""

from collections.abc import Sequence
from typing import Any

import structlog

from app.adapters.formats.cloud_events import type_of
from app.application.ports.publishing import DomainEventPublisher
from app.domain.domain_events import DomainEvent, PlanFact, SyncFact, UserUpdated

log = structlog.get_logger()


class LogPublisher(DomainEventPublisher):
    """Writes to the process's log."""

    name = "log"

    async def publish(self, facts: Sequence[DomainEvent]) -> None:
        """Write them one by one."""
        for fact in facts:
            said = {"id": fact.event_id, "type": type_of(fact.name), "subject": fact.subject}
            log.info("domain event", **said, at=fact.occurred_at.isoformat(), **_details(fact))


def _details(event: DomainEvent) -> dict[str, Any]:
    match event:
        case PlanFact():
            return {"provider": event.provider, "changes": [str(kind) for kind in event.kinds], "run": event.run_id}
        case SyncFact():
            return {"provider": event.provider, "run": event.run_id, "outcome": event.outcome, "reason": event.reason}
        case UserUpdated():
            return {"fields": list(event.fields)}
        case _:
            return {}
