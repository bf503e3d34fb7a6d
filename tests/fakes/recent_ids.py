"""RecentIds in memory."""

from collections.abc import Sequence

from app.application.ports.removal import RecentIds
from app.domain.activities import ActivityId
from tests.fakes.activity_stream import MemoryActivityStream


class MemoryRecentIds(RecentIds):
    """Those of MemoryActivityQueue."""

    def __init__(self, stream: MemoryActivityStream) -> None:
        self._stream = stream

    async def free(self, ids: Sequence[ActivityId]) -> None:
        """Forget when they came."""
        self._stream.store.check()
        for one in ids:
            self._stream.seen.pop(one, None)
