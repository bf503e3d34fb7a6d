"""Work off the queue: what the door took in becomes history, exactly once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from app.application.ports.activities import ActivityInbox, ActivityStore, NotStorableError, QueuedBatch
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.application.trouble import Tell, Trouble
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.backoff import Backoff

T = TypeVar("T")

RETRY = Backoff(first=0.1, longest=5.0)
"""Between two attempts while the queue or the store is away."""


def _tell_nobody(_new: int, _seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class StoreActivities:
    """Take batches, store them in one transaction, and only then settle them.

    A crash at any point loses nothing, because what is not settled comes again, and counts nothing twice, because the
    store knows the ids. Trouble with the queue or the store is waited out with what is in hand; `on_trouble` hears of
    it once, and once (None) when it is over. `on_buried` hears the reason of each dead letter, `on_stored` how many
    activities a transaction found to be new, and the seconds that it took.
    """

    inbox: ActivityInbox
    store: ActivityStore
    on_trouble: Tell
    on_buried: Callable[[str], None]
    on_stored: Callable[[int, float], None] = _tell_nobody

    async def __call__(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, and then finish what is in hand, unless the store is away."""
        while not stopping.is_set():
            await self._work_off(await self._retried(self.inbox.take, stopping) or (), stopping)

    async def _work_off(self, batches: Sequence[QueuedBatch], stopping: asyncio.Event) -> None:
        if not batches:
            return
        everything = ActivityColumns.joined([ActivityColumns.of(batch.activities) for batch in batches])
        try:
            stored = await self._retried(lambda: self._store(everything), stopping)
        except NotStorableError:
            for batch in batches:
                await self._work_off_alone(batch, stopping)
            return
        if stored is not None:
            await self._retried(lambda: self.inbox.settle(batches), stopping)

    async def _store(self, activities: Sequence[Activity]) -> int:
        began = perf_counter()
        new = await self.store.store(activities)
        self.on_stored(new, perf_counter() - began)
        return new

    async def _work_off_alone(self, batch: QueuedBatch, stopping: asyncio.Event) -> None:
        """Store what can be stored of one batch, and bury the rest: it must not stop what stands behind it."""
        dead: list[Activity] = []
        reasons: list[str] = []

        async def store(activities: Sequence[Activity]) -> bool:
            try:
                return await self._retried(lambda: self._store(activities), stopping) is not None
            except NotStorableError as error:
                if len(activities) == 1:
                    dead.extend(activities)
                    reasons.append(str(error))
                    return True
            half = len(activities) // 2
            return await store(activities[:half]) and await store(activities[half:])

        if not await store(batch.activities):
            return
        if dead:
            await self._retried(lambda: self.inbox.bury(batch, dead, reasons[0]), stopping)
            self.on_buried(reasons[0])
        else:
            await self._retried(lambda: self.inbox.settle([batch]), stopping)

    async def _retried(self, attempt: Callable[[], Awaitable[T]], stopping: asyncio.Event) -> T | None:
        """Try until it works; None when told to stop before it did: what is in hand comes again."""
        trouble, failures = Trouble(self.on_trouble), 0
        while True:
            try:
                result = await attempt()
            except (LiveStateUnavailableError, HistoryUnavailableError) as error:
                trouble.note(str(error))
                failures += 1
            else:
                trouble.note(None)
                return result
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY.delay(failures)):
                    await stopping.wait()
            if stopping.is_set():
                return None
