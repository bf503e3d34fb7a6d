"""PlanJournal and PlanHistory in SQL: a row per state of a plan, with the span in which it was known."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.formats.stored_plan import StoredPlan, pack_plan, unpack_plan
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.journal_bulk import JournalBulk, Newest, PlanOf, StateRow, journal_bulk
from app.adapters.outbound.sql.plan_codec import (
    pack_known,
    pack_told,
    unpack_known,
    unpack_summary,
)
from app.adapters.outbound.sql.rows import columns_of, instant_of, microseconds, read_as
from app.adapters.outbound.sql.schema import journal_positions as positions
from app.adapters.outbound.sql.schema import plan_journal as journal
from app.application.ports.catalog import CatalogPlan, LogPosition, with_offsets
from app.application.ports.history import (
    JournalEntry,
    JournalMovedError,
    JournalStep,
    PastState,
    PlanHistory,
    PlanJournal,
)
from app.domain.plans import Plan, PlanId, PlanSummary, SearchablePlan, UtcOffsets, searchable
from app.domain.reconciliation import ChangeKind, KnownPlan
from app.domain.time_window import TimeWindow

_PLANS_PER_BATCH = 500

_FOUND = (journal.c.known, journal.c.plan, journal.c.starts_at, journal.c.ends_at)
"""What makes a CatalogPlan."""

_newest = journal.c.known_until.is_(None)


class _Packed(NamedTuple):
    """An entry, ready to be written."""

    of: PlanOf
    row: StateRow
    known: KnownPlan
    brings_plan: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """What steps do to the table: rows to add, in order, and older ones that are not the newest any more."""

    before: Mapping[PlanOf, Newest]
    """The newest states before."""
    added: list[StateRow] = field(default_factory=list)
    newest: dict[PlanOf, _Packed] = field(default_factory=dict)
    """Of what is added."""
    closed: list[tuple[int, int]] = field(default_factory=list)

    def add(self, entry: _Packed) -> None:
        """Take an entry, unless it says what the plan's newest state does; a withdrawal carries what that says."""
        of, row, known, brings_plan = entry
        mine, older = self.newest.get(of), self.before.get(of)
        before = mine.row if mine else older
        if before is not None:
            if _has_instants_of(before, entry) and (mine.known if mine else unpack_known(before.known)).is_like(known):
                return
            row.known_from = max(row.known_from, before.known_from)
            if not brings_plan:
                row.starts_at, row.ends_at, row.summary, row.plan = _carried(before)
        elif not brings_plan:
            return
        if mine is not None:
            mine.row.known_until = row.known_from
        elif older is not None:
            self.closed.append((older.entry_id, row.known_from))
        self.newest[of] = entry
        self.added.append(row)

    def write(self, connection: Connection, bulk: JournalBulk) -> None:
        """Close first: of each plan one row at a time may be the newest, says an index."""
        if self.closed:
            bulk.close(connection, self.closed)
        if self.added:
            bulk.add(connection, self.added)


class SqlPlanJournal(SqlStore, PlanJournal, PlanHistory):
    """The journal of one database."""

    async def positions(self) -> Mapping[str, LogPosition]:
        """Read them all."""
        return {row.provider: read_as(LogPosition, row) for row in await self._rows(select(positions))}

    async def append(self, steps: Sequence[JournalStep]) -> None:
        """Pack outside of the transaction, so that others wait for the database only."""
        if any(step.entries for step in steps):
            packed = await asyncio.to_thread(lambda: [_packed(entry) for step in steps for entry in step.entries])
        else:
            packed = []
        bulk = journal_bulk(is_sqlite=self._database.is_sqlite)
        plans = dict.fromkeys((entry.of for entry in packed), True)
        plans |= dict.fromkeys((entry.of for entry in packed if not entry.brings_plan), False)

        def work(connection: Connection) -> None:
            _move(connection, steps)
            batch = _Batch(_newest_of(connection, bulk, plans))
            for entry in packed:
                batch.add(entry)
            batch.write(connection, bulk)

        try:
            await self._database.write(work)
        except IntegrityError as error:  # somebody began the same journal in the same moment
            raise JournalMovedError from error

    async def lacking(self, entries: Sequence[JournalEntry]) -> Sequence[JournalEntry]:
        """Read what there is of these plans, some plans at a time."""
        lacking: list[JournalEntry] = []
        for begin in range(0, len(entries), _PLANS_PER_BATCH):
            some = entries[begin : begin + _PLANS_PER_BATCH]
            lacking += await self._database.read(partial(self._lacking, some))
        return lacking

    def _lacking(self, entries: Sequence[JournalEntry], connection: Connection) -> list[JournalEntry]:
        keys = {entry.plan_id for entry in entries}
        wanted = select(journal.c.plan_id, journal.c.run_id, journal.c.known).where(journal.c.plan_id.in_(keys))
        if not any(entry.repeats for entry in entries):
            wanted = wanted.where(journal.c.run_id.in_({entry.run_id for entry in entries}))
        states: defaultdict[PlanId, list[tuple[str, KnownPlan]]] = defaultdict(list)
        for row in connection.execute(wanted.order_by(journal.c.entry_id)):
            states[row.plan_id].append((row.run_id, unpack_known(row.known)))
        return [entry for entry in entries if not entry.is_in(states[entry.plan_id])]

    async def sizes(self) -> Mapping[str, int]:
        """Count the newest rows."""
        counts = select(journal.c.provider, func.count().label("plans")).where(_newest).group_by(journal.c.provider)
        return {row.provider: row.plans for row in await self._rows(counts)}

    async def latest(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Read the newest rows in the order of their ids, some at a time."""
        after: PlanId | None = None
        while True:
            batch = await self._database.read(partial(self._some, provider, after))
            if not batch:
                return
            yield batch
            after = batch[-1].plan.plan_id

    def _some(self, provider: str, after: PlanId | None, connection: Connection) -> list[CatalogPlan]:
        wanted = select(*_FOUND).where(journal.c.provider == provider, _newest)
        if after is not None:
            wanted = wanted.where(journal.c.plan_id > after)
        rows = connection.execute(wanted.order_by(journal.c.plan_id).limit(_PLANS_PER_BATCH))
        return [_catalog_plan(row) for row in rows]

    async def states(self, plan_id: PlanId, limit: int) -> Sequence[PastState]:
        """Read the plan's newest rows."""
        wanted = select(journal.c.known_from, journal.c.kinds, journal.c.run_id, *_FOUND)
        wanted = wanted.where(journal.c.plan_id == plan_id).order_by(journal.c.entry_id.desc()).limit(max(limit, 0))
        return await self._database.read(lambda connection: [*map(_past_state, connection.execute(wanted))])

    async def search(self, window: TimeWindow, as_of: datetime, limit: int) -> Sequence[PlanSummary]:
        """Read the rows that were the newest then; of each plan that is one."""
        then = microseconds(as_of)
        until = journal.c.known_until
        wanted = select(journal.c.summary).where(
            journal.c.searchable, journal.c.known_from <= then, or_(until.is_(None), until > then)
        )
        if window.starts_at is not None:
            wanted = wanted.where(journal.c.starts_at >= microseconds(window.starts_at))
        if window.ends_at is not None:
            wanted = wanted.where(journal.c.ends_at <= microseconds(window.ends_at))
        wanted = wanted.order_by(journal.c.starts_at, journal.c.plan_id).limit(max(limit, 0))
        return await self._database.read(
            lambda connection: [unpack_summary(row.summary) for row in connection.execute(wanted)]
        )


def _move(connection: Connection, steps: Sequence[JournalStep]) -> None:
    """Compare and set; whoever else wants to move one of them waits for the end of this transaction."""
    mine = positions.c.provider
    locked = select(positions).where(mine.in_([step.provider for step in steps])).order_by(mine).with_for_update()
    found = {row.provider: read_as(LogPosition, row) for row in connection.execute(locked)}
    if any(found.get(step.provider) != step.before for step in steps):
        raise JournalMovedError
    moved = [(step, step.after) for step in steps if step.after is not None and step.after != step.before]
    begun = [{"provider": step.provider, **columns_of(after)} for step, after in moved if step.before is None]
    if begun:
        connection.execute(insert(positions), begun)
    others = [{"mine": step.provider, **columns_of(after)} for step, after in moved if step.before is not None]
    if others:
        connection.execute(update(positions).where(mine == bindparam("mine")), others)


def _newest_of(connection: Connection, bulk: JournalBulk, plans: Mapping[PlanOf, bool]) -> dict[PlanOf, Newest]:
    """Read the newest states of plans; whole ones of those that are not sure to be brought anew."""
    found: dict[PlanOf, Newest] = {}
    for whole in (False, True):
        some = [plan for plan, brought in plans.items() if brought is not whole]
        if some:
            found |= {one.of: one for one in bulk.newest(connection, some, whole=whole)}
    return found


def _has_instants_of(before: StateRow | Newest, entry: _Packed) -> bool:
    """Tell whether an entry leaves the instants as they were: by which rules they were reckoned does not matter."""
    return not entry.brings_plan or (before.starts_at, before.ends_at) == (entry.row.starts_at, entry.row.ends_at)


def _packed(entry: JournalEntry) -> _Packed:
    of = entry.provider, entry.plan_id.bytes
    row = StateRow(
        *of,
        ",".join(entry.kinds),
        entry.run_id,
        _microseconds(entry.at),
        None,
        pack_known(entry.known),
        entry.known.seen_online,
    )
    if entry.plan is None:
        return _Packed(of, row, entry.known, brings_plan=False)
    told = _told(entry.plan, entry.known.offsets)
    row.starts_at, row.ends_at = microseconds(told.starts_at), microseconds(told.ends_at)
    row.summary, row.plan = pack_told(told), pack_plan(entry.plan)
    return _Packed(of, row, entry.known, brings_plan=True)


_microseconds = lru_cache(microseconds)
"""Of when runs read their feeds: few, over and over."""


def _told(plan: Plan, offsets: UtcOffsets | None) -> SearchablePlan:
    """Say what search was told of a plan: as it was noted, unless that is of a time when less was noted."""
    noted = plan.told if isinstance(plan, StoredPlan) and offsets is not None else None
    return noted if noted is not None and noted.timezone is not None else searchable(plan, offsets)


def _carried(before: StateRow | Newest) -> tuple[int, int, str, bytes]:
    return before.starts_at, before.ends_at, before.summary, before.plan


def _catalog_plan(row: Row[*tuple[Any, ...]]) -> CatalogPlan:
    found = CatalogPlan(unpack_plan(row.plan), unpack_known(row.known))
    return with_offsets(found, instant_of(row.starts_at), instant_of(row.ends_at))


def _past_state(row: Row[*tuple[Any, ...]]) -> PastState:
    return PastState(instant_of(row.known_from), unpack_kinds(row.kinds), row.run_id, _catalog_plan(row))


def unpack_kinds(text: str) -> tuple[ChangeKind, ...]:
    """Read the column kinds."""
    return tuple(ChangeKind(kind) for kind in text.split(","))
