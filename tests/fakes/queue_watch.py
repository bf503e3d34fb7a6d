"""QueueWatch in memory."""

from time import monotonic

from app.application.ports.activities import QueueFigures, QueueWatch
from tests.fakes.activity_stream import MemoryActivityStream


class MemoryQueueWatch(QueueWatch):
    """Reads the counters of the stream."""

    def __init__(self, stream: MemoryActivityStream) -> None:
        self._stream = stream

    async def figures(self) -> QueueFigures:
        """Read all of them."""
        self._stream.store.check()
        counts = self._stream.counts
        return QueueFigures(
            accepted=counts.accepted,
            duplicates=counts.duplicates,
            settled=counts.settled,
            dead_letters=len(self._stream.letters),
            backlog=counts.accepted - counts.settled,
            backlog_bytes=counts.accepted_bytes - counts.settled_bytes,
            buried=counts.buried,
            retried=counts.retried,
            waited=counts.waited,
            timed=counts.settled,
            oldest_age=max((monotonic() - entry.appended_at for entry in self._stream.entries.values()), default=0.0),
            refusal=self._stream.store.refusal,
        )
