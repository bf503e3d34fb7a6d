"""ActivityQueue in memory."""

from collections.abc import Callable, Collection, Sequence
from time import monotonic

from app.application.ports.activities import ActivityQueue, QueueFullError
from app.domain.activities import Activity
from tests.fakes.activity_stream import MemoryActivityStream


class MemoryActivityQueue(ActivityQueue):
    """Appends to the stream; without anything to wait for, each append is atomic by itself."""

    def __init__(
        self,
        stream: MemoryActivityStream,
        *,
        window: float = 600.0,
        max_backlog: int = 5_000_000,
        max_backlog_bytes: int = 1024**3,
        trace: Callable[[], str | None] | None = None,
    ) -> None:
        self._stream = stream
        self._trace = trace
        self._window = window
        self._max_backlog = max_backlog
        self._max_backlog_bytes = max_backlog_bytes

    async def append(self, activities: Sequence[Activity]) -> Collection[int]:
        """Append what is new."""
        self._check()
        self._stream.forget_ids(self._window)
        duplicates = [position for position, activity in enumerate(activities) if not self._is_new(activity)]
        new = [activity for position, activity in enumerate(activities) if position not in set(duplicates)]
        self._stream.counts.duplicates += len(duplicates)
        if new:
            self._stream.add(new, self._trace() if self._trace else None)
        return duplicates

    def _check(self) -> None:
        self._stream.store.check()
        counts = self._stream.counts
        backlog, size = counts.accepted - counts.settled, counts.accepted_bytes - counts.settled_bytes
        if backlog >= self._max_backlog or size >= self._max_backlog_bytes:
            raise QueueFullError("the backlog of activities has reached its limit: workers have to drain some of it")

    def _is_new(self, activity: Activity) -> bool:
        """Tell, and remember."""
        if activity.activity_id in self._stream.seen:
            return False
        self._stream.seen[activity.activity_id] = monotonic()
        return True
