"""PlanJournal and PlanHistory in memory: the reference, every entry in a list."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.application.ports.catalog import CatalogPlan, LogPosition, with_offsets
from app.application.ports.history import (
    JournalEntry,
    JournalMovedError,
    JournalStep,
    PastState,
    PlanHistory,
    PlanJournal,
)
from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.system import HistoryUnavailableError
from app.domain.domain_events import PlanFact, plan_event_id, plan_fact_of
from app.domain.plans import PlanId, PlanSummary, searchable
from app.domain.reconciliation import KnownPlan
from app.domain.time_window import TimeWindow


@dataclass(frozen=True, slots=True)
class Row:
    """A state of a plan; its place in the list is its number."""

    provider: str
    plan_id: PlanId
    state: PastState


class MemoryPlanJournal(PlanJournal, PlanHistory):
    """One process's stand-in for a database."""

    def __init__(self) -> None:
        self.unavailable: str | None = None
        """Set it to a reason, and every method raises HistoryUnavailableError with it."""
        self._rows: list[Row] = []
        self._positions: dict[str, LogPosition] = {}

    async def positions(self) -> Mapping[str, LogPosition]:
        """Copy them."""
        self._check()
        return dict(self._positions)

    async def append(self, steps: Sequence[JournalStep]) -> None:
        """Compare, add, move; nobody runs between."""
        self._check()
        if any(self._positions.get(step.provider) != step.before for step in steps):
            raise JournalMovedError
        for step in steps:
            for entry in step.entries:
                self._add(entry)
            if step.after is not None:
                self._positions[step.provider] = step.after

    def _add(self, entry: JournalEntry) -> None:
        before = self._newest().get(entry.plan_id)
        plan = entry.plan or (before.state.found.plan if before else None)
        if plan is None:
            return
        found = CatalogPlan(plan, entry.known)
        told = found if entry.plan or not before else before.state.found
        found = with_offsets(found, *told.instants)
        if before and _is_the_same(before.state.found, found):
            return
        at = max(entry.at, before.state.at) if before else entry.at
        state = PastState(at, entry.kinds, entry.run_id, found)
        self._rows.append(Row(entry.provider, entry.plan_id, state))

    async def lacking(self, entries: Sequence[JournalEntry]) -> Sequence[JournalEntry]:
        """Compare with all entries."""
        self._check()
        states: defaultdict[PlanId, list[tuple[str, KnownPlan]]] = defaultdict(list)
        for row in self._rows:
            states[row.plan_id].append((row.state.run_id, row.state.found.known))
        return [entry for entry in entries if not entry.is_in(states[entry.plan_id])]

    async def sizes(self) -> Mapping[str, int]:
        """Count."""
        self._check()
        return dict(Counter(row.provider for row in self._newest().values()))

    async def latest(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Hand them out in one batch."""
        self._check()
        plans = [row.state.found for row in self._newest().values() if row.provider == provider]
        if plans:
            yield plans

    async def states(self, plan_id: PlanId, limit: int) -> Sequence[PastState]:
        """Look through all entries, from the end."""
        self._check()
        return [row.state for row in reversed(self._rows) if row.plan_id == plan_id][: max(limit, 0)]

    async def search(self, window: TimeWindow, as_of: datetime, limit: int) -> Sequence[PlanSummary]:
        """Look at what was the newest then."""
        self._check()
        found = sorted(
            (plan.starts_at, str(plan.summary.plan_id), plan.summary)
            for plan in (searchable(state.found.plan, state.found.known.offsets) for state in self._found(as_of))
            if window.holds(plan.starts_at, plan.ends_at)
        )
        return [summary for _, _, summary in found[: max(limit, 0)]]

    @property
    def rows(self) -> Sequence[Row]:
        """Every entry, in order."""
        self._check()
        return self._rows

    def _found(self, as_of: datetime) -> Iterator[PastState]:
        return (row.state for row in self._newest(as_of).values() if row.state.found.known.seen_online)

    def _newest(self, as_of: datetime | None = None) -> dict[PlanId, Row]:
        return {row.plan_id: row for row in self._rows if as_of is None or row.state.at <= as_of}

    def _check(self) -> None:
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)


class MemoryPlanLog(DomainEventLog):
    """The journal as a log of domain events; a position is an entry's number, from 1 on."""

    name = "plans"

    def __init__(self, journal: MemoryPlanJournal) -> None:
        self._journal = journal

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Cut it out."""
        rows = self._journal.rows[after : after + max(limit, 0)]
        return [LoggedFact(number, _told(number, row)) for number, row in enumerate(rows, after + 1)]

    async def head(self) -> int:
        """Count them."""
        return len(self._journal.rows)


def _is_the_same(before: CatalogPlan, after: CatalogPlan) -> bool:
    """Compare what is known, and the instants; by which rules these were reckoned does not matter."""
    return before.known.is_like(after.known) and before.instants == after.instants


def _told(number: int, row: Row) -> PlanFact:
    state = row.state
    return plan_fact_of(state.kinds)(
        event_id=plan_event_id(number, row.plan_id, state.at, state.run_id),
        occurred_at=state.at,
        provider=row.provider,
        plan_id=row.plan_id,
        kinds=state.kinds,
        run_id=state.run_id,
        in_feed=state.found.known.in_feed,
        is_searchable=state.found.known.seen_online,
        state=searchable(state.found.plan, state.found.known.offsets),
    )
