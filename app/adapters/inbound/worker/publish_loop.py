"""Publishing: every second what happened, to every publisher in its own rhythm, beside a worker's other work."""

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar

import structlog

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.ports.publishing import DomainEventPublisher
from app.application.ports.system import HistoryUnavailableError
from app.application.publish_domain_events import Progress, PublishDomainEvents

log = structlog.get_logger()

LONGEST_REST = 60.0
"""Seconds between two attempts with a publisher that fails."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """How long a publisher that fails is left alone."""

    seconds: float
    until: float


@dataclass(slots=True, kw_only=True)
class PublishLoop(LeasedLoop):
    """Publish for ever. Two at a time would tell some domain events twice, with the same ids."""

    lease: ClassVar[str] = ":publish"
    waits: ClassVar[str] = "domain events wait; nothing is lost, the history keeps them"
    goes_on: ClassVar[str] = "domain events are told again"

    publish: PublishDomainEvents
    _rests: dict[str, _Rest] = field(default_factory=dict)
    """Of the publishers that fail, also from one term to the next."""

    async def work(self, until: float) -> None:
        """Serve every publisher."""
        self.tell(None)
        async with asyncio.TaskGroup() as group:
            for publisher in self.publish.publishers:
                group.create_task(self._serve(publisher, until))

    async def _serve(self, publisher: DomainEventPublisher, until: float) -> None:
        while self.now() < until:
            rest = self._rests.get(publisher.name)
            if rest and self.now() < rest.until:
                await asyncio.sleep(min(rest.until, until) - self.now())
                continue
            try:
                done = await self.publish.to(publisher)
            except HistoryUnavailableError as error:
                done = Progress(trouble=error)
            except Exception as error:
                log.exception("telling a publisher of domain events met an error of ours", publisher=publisher.name)
                done = Progress(trouble=error)
            self._tell_of(publisher.name, done.trouble)
            if not done.published:
                await asyncio.sleep(self.interval)

    def _tell_of(self, name: str, trouble: Exception | None) -> None:
        """Say once that a publisher fails, and once that it is well again."""
        rest = self._rests.pop(name, None)
        if trouble and not rest:
            log.warning("a publisher of domain events fails; it is told later", publisher=name, reason=str(trouble))
        elif rest and not trouble:
            log.info("a publisher of domain events is told again", publisher=name)
        if trouble:
            seconds = min(rest.seconds * 2, LONGEST_REST) if rest else self.first_retry
            self._rests[name] = _Rest(seconds, self.now() + seconds)
