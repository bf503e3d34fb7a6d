"""Publishing: every second what happened, to every publisher in its own rhythm, beside a worker's other work."""

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar

import structlog

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.adapters.machine.logged_trouble import logged_trouble
from app.application.ports.publishing import DomainEventPublisher
from app.application.ports.system import HistoryUnavailableError
from app.application.publish_domain_events import Progress, PublishDomainEvents
from app.application.trouble import Trouble
from app.domain.backoff import Backoff

log = structlog.get_logger()

LONGEST_REST = 60.0
"""Seconds between two attempts with a publisher that fails."""


@dataclass(slots=True)
class _Rest:
    """How a publisher fares, and until when one that fails is left alone."""

    trouble: Trouble
    failures: int = 0
    until: float = 0.0


def _rest(publisher: str) -> _Rest:
    begins, ends = "a publisher of domain events fails; it is told later", "a publisher of domain events is told again"
    return _Rest(logged_trouble(begins, ends, publisher=publisher))


@dataclass(slots=True, kw_only=True)
class PublishLoop(LeasedLoop):
    """Publish for ever. Two at a time would tell some domain events twice, with the same ids."""

    lease: ClassVar[str] = ":publish"
    waits: ClassVar[str] = "domain events wait; nothing is lost, the history keeps them"
    goes_on: ClassVar[str] = "domain events are told again"

    publish: PublishDomainEvents
    _rests: dict[str, _Rest] = field(default_factory=dict)
    """By publisher, also from one term to the next."""

    async def work(self, until: float) -> None:
        """Serve every publisher."""
        self.tell(None)
        async with asyncio.TaskGroup() as group:
            for publisher in self.publish.publishers:
                group.create_task(self._serve(publisher, until))

    async def _serve(self, publisher: DomainEventPublisher, until: float) -> None:
        rest = self._rests.setdefault(publisher.name, _rest(publisher.name))
        while self.now() < until:
            if self.now() < rest.until:
                await asyncio.sleep(min(rest.until, until) - self.now())
                continue
            try:
                done = await self.publish.to(publisher)
            except HistoryUnavailableError as error:
                done = Progress(trouble=error)
            except Exception as error:
                log.exception("telling a publisher of domain events met an error of ours", publisher=publisher.name)
                done = Progress(trouble=error)
            self._note(rest, done.trouble)
            if not done.published:
                await asyncio.sleep(self.interval)

    def _note(self, rest: _Rest, trouble: Exception | None) -> None:
        """Say once that a publisher fails, and once that it is well again; leave it alone meanwhile."""
        rest.trouble.note(None if trouble is None else str(trouble))
        rest.failures = 0 if trouble is None else rest.failures + 1
        rest.until = self.now() + Backoff(self.retry.first, LONGEST_REST).delay(rest.failures) if trouble else 0.0
