"""Tell every publisher what happened, log by log, each from where it stands."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.application.ports.publishing import (
    DomainEventLog,
    DomainEventPublisher,
    LoggedFact,
    PublisherUnavailableError,
    PublishingPositions,
)
from app.application.ports.system import LiveStateUnavailableError

BATCH = 200
BATCHES = 25
"""That one round tells one publisher of one log; what is left is for the next round."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round got with one publisher."""

    published: int = 0
    trouble: Exception | None = None
    """Why it did not get to the end, when it did not."""


@dataclass(frozen=True, slots=True)
class PublishDomainEvents:
    """Bring publishers up to the ends of the logs.

    The position moves after a publisher has taken a batch, so each hears of everything at least once, in the order of
    each log. A publisher that was never told anything begins at the beginning.
    """

    logs: Sequence[DomainEventLog]
    publishers: Sequence[DomainEventPublisher]
    positions: PublishingPositions
    on_bug: Callable[[str, Exception], None] = lambda _name, _error: None
    """Told the publisher's name and what it raised that its port does not know."""
    timeout: float = 60.0
    """Seconds that a publisher may take for a batch."""

    async def __call__(self) -> Sequence[Progress]:
        """Do one round with every publisher, side by side: none holds up another.

        Raises:
            HistoryUnavailableError: the same again later goes on from here.
        """
        return await asyncio.gather(*(self.to(publisher) for publisher in self.publishers))

    async def to(self, publisher: DomainEventPublisher) -> Progress:
        """Do one round with one publisher; a log that it does not take does not keep the others from it.

        Raises:
            HistoryUnavailableError: as above.
        """
        positions = await self.positions.of(publisher.name)
        rounds = [await self._catch_up(publisher, log, positions.get(log.name, 0)) for log in self.logs]
        troubles = [done.trouble for done in rounds if done.trouble]
        return Progress(sum(done.published for done in rounds), troubles[0] if troubles else None)

    async def _catch_up(self, publisher: DomainEventPublisher, log: DomainEventLog, position: int) -> Progress:
        published = 0
        for _ in range(BATCHES):
            try:
                batch = await log.read(position, BATCH)
            except LiveStateUnavailableError as error:
                return Progress(published, error)
            if not batch:
                break
            trouble = await self._publish(publisher, batch)
            if trouble:
                await self.positions.note_failure(publisher.name, log.name, len(batch))
                return Progress(published, trouble)
            position = batch[-1].position
            await self.positions.move(publisher.name, log.name, position, len(batch))
            published += len(batch)
        return Progress(published)

    async def _publish(self, publisher: DomainEventPublisher, batch: Sequence[LoggedFact]) -> Exception | None:
        try:
            async with asyncio.timeout(self.timeout):
                await publisher.publish([logged.fact for logged in batch])
        except TimeoutError:
            return PublisherUnavailableError(f"it did not take {len(batch)} within {self.timeout:g} s")
        except PublisherUnavailableError as error:
            return error
        except Exception as error:  # noqa: BLE001 - whatever breaks one publisher must not break the others
            self.on_bug(publisher.name, error)
            return error
        return None
