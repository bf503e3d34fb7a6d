"""SyncJournal in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from app.application.ports.catalog import SyncJournal
from app.domain.sync_runs import SyncReport
from tests.fakes.store import MemoryStore


class MemorySyncJournal(SyncJournal):
    """Keeps the newest `runs_kept` reports of each provider."""

    def __init__(self, store: MemoryStore, *, runs_kept: int = 200) -> None:
        self._store = store
        self._runs_kept = runs_kept

    async def record(self, report: SyncReport) -> None:
        """Put the report in front, drop the oldest, count."""
        shelf = self._store.shelf(report.provider)
        shelf.reports.appendleft(report)
        while len(shelf.reports) > self._runs_kept:
            shelf.reports.pop()
        totals = Counter(shelf.totals)
        totals[f"runs.{report.outcome}"] += 1
        totals.update({f"rejections.{reason}": count for reason, count in report.rejected_for.items()})
        shelf.totals = dict(totals)

    async def runs(self, provider: str, limit: int) -> Sequence[SyncReport]:
        """Read the newest reports."""
        return list(islice(self._store.shelf(provider).reports, max(limit, 0)))

    async def last_runs(self, providers: Sequence[str]) -> Sequence[SyncReport | None]:
        """Read the newest report of each."""
        return [next(iter(self._store.shelf(name).reports), None) for name in providers]

    async def totals(self, providers: Sequence[str]) -> Sequence[Mapping[str, int]]:
        """Read the counters of each."""
        return [dict(self._store.shelf(name).totals) for name in providers]
