"""PublishingPositions in memory: the reference."""

from collections import Counter
from collections.abc import Mapping

from app.application.ports.publishing import PublishingPositions, ToldCounts
from app.application.ports.system import HistoryUnavailableError


class MemoryPublishingPositions(PublishingPositions):
    """One process's stand-in for a table."""

    def __init__(self) -> None:
        self.unavailable: str | None = None
        """Set it to a reason, and every method raises HistoryUnavailableError with it."""
        self._positions: dict[str, dict[str, int]] = {}
        self._published: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    async def of(self, publisher: str) -> Mapping[str, int]:
        """Copy them."""
        self._check()
        return dict(self._positions.get(publisher, {}))

    async def move(self, publisher: str, log: str, position: int, published: int) -> None:
        """Keep the later one."""
        self._check()
        mine = self._positions.setdefault(publisher, {})
        mine[log] = max(position, mine.get(log, 0))
        self._published[publisher] += published

    async def note_failure(self, publisher: str, log: str, failed: int) -> None:  # noqa: ARG002 - counted over all logs
        """Count."""
        self._check()
        self._failed[publisher] += failed

    async def counts(self) -> Mapping[str, ToldCounts]:
        """Put both together."""
        self._check()
        names = self._published.keys() | self._failed.keys()
        return {name: ToldCounts(self._published[name], self._failed[name]) for name in names}

    def _check(self) -> None:
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)
