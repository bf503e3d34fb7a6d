"""A queue that remembers everything, for tests of the door."""

from collections.abc import Collection, Sequence

from app.application.ports.activities import ActivityQueue
from app.domain.activities import Activity
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_stream import MemoryActivityStream


class RememberingQueue(ActivityQueue):
    """The queue in memory; what it took is in `appended`, and what `trouble` holds is raised instead."""

    def __init__(self) -> None:
        self.appended: list[Activity] = []
        self.appends = 0
        self.trouble: Exception | None = None
        self._queue = MemoryActivityQueue(MemoryActivityStream())

    async def append(self, activities: Sequence[Activity]) -> Collection[int]:
        if self.trouble:
            raise self.trouble
        self.appends += 1
        duplicates = set(await self._queue.append(activities))
        self.appended += [activity for position, activity in enumerate(activities) if position not in duplicates]
        return duplicates
