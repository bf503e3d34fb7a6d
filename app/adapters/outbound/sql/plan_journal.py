"""PlanJournal and PlanHistory in SQL: a row per state of a plan, with the span in which it was known."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.formats.stored_plan import pack_plan, unpack_plan
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock, hold
from app.adapters.outbound.sql.database import SqlStore
from app.adapters.outbound.sql.plan_codec import (
    pack_known,
    pack_summary,
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
    PastState,
    PlanHistory,
    PlanJournal,
)
from app.domain.plans import Plan, PlanId, PlanSummary, UtcOffsets, searchable
from app.domain.reconciliation import ChangeKind, KnownPlan
from app.domain.time_window import TimeWindow

_PLANS_PER_BATCH = 500

_Values = dict[str, Any]
"""Some of a row's columns, by name."""

_CARRIED = ("starts_at", "ends_at", "summary", "plan")
"""What follows from the plan: a withdrawal keeps it as it was."""

_FOUND = (journal.c.known, journal.c.plan, journal.c.starts_at, journal.c.ends_at)
"""What makes a CatalogPlan."""

_newest = journal.c.known_until.is_(None)
_close = update(journal).where(journal.c.entry_id == bindparam("closed")).values(known_until=bindparam("until"))


@dataclass(frozen=True, slots=True)
class _State:
    """The newest state of a plan while a batch is written."""

    known: KnownPlan
    row: _Values
    """Its columns; with an `entry_id` when it was there before, without when the batch brings it."""

    def is_left_by(self, entry: JournalEntry, values: _Values) -> bool:
        """Tell whether an entry, whose columns are `values`, leaves it as it is: by which rules does not matter."""
        if not self.known.is_like(entry.known):
            return False
        return entry.plan is None or all(values[name] == self.row[name] for name in ("starts_at", "ends_at"))


@dataclass(frozen=True, slots=True)
class _Batch:
    """What a batch does to the table: rows to add, in order, and older ones that are not the newest any more."""

    added: list[_Values] = field(default_factory=list)
    closed: list[_Values] = field(default_factory=list)

    def write(self, connection: Connection) -> None:
        """Close first: of each plan one row at a time may be the newest, says an index.

        Rows become visible in the order of their ids, over all providers: it is also a log (`domain_event_logs.py`).
        """
        if self.closed:
            connection.execute(_close, self.closed)
        if self.added:
            hold(connection, AdvisoryLock.PLAN_LOG)
            connection.execute(insert(journal), self.added)


class SqlPlanJournal(SqlStore, PlanJournal, PlanHistory):
    """The journal of one database."""

    async def positions(self) -> Mapping[str, LogPosition]:
        """Read them all."""
        return {row.provider: read_as(LogPosition, row) for row in await self._rows(select(positions))}

    async def append(
        self, provider: str, before: LogPosition | None, entries: Sequence[JournalEntry], after: LogPosition | None
    ) -> None:
        """Pack outside of the transaction, so that others wait for the database only."""
        packed = await asyncio.to_thread(lambda: [_packed(entry) for entry in entries]) if entries else []

        def work(connection: Connection) -> None:
            _move(connection, provider, before, after)
            newest = self._newest(connection, provider, {entry.plan_id for entry in entries})
            batch = _Batch()
            for entry, values in zip(entries, packed, strict=True):
                self._add(batch, entry, values, newest)
            batch.write(connection)

        try:
            await self._database.write(work)
        except IntegrityError as error:  # somebody began the same journal in the same moment
            raise JournalMovedError from error

    def _add(self, batch: _Batch, entry: JournalEntry, values: _Values, newest: dict[PlanId, _State]) -> None:
        before = newest.get(entry.plan_id)
        if before is None and entry.plan is None:
            return
        known_from = microseconds(entry.at)
        if before is not None:
            if before.is_left_by(entry, values):
                return
            known_from = max(known_from, before.row["known_from"])
            if entry.plan is None:
                values = values | {name: before.row[name] for name in _CARRIED}
            if "entry_id" in before.row:
                batch.closed.append({"closed": before.row["entry_id"], "until": known_from})
            before.row["known_until"] = known_from
        row = values | {"plan_id": entry.plan_id, "known_from": known_from, "known_until": None}
        batch.added.append(row)
        newest[entry.plan_id] = _State(entry.known, row)

    def _newest(self, connection: Connection, provider: str, plan_ids: Iterable[PlanId]) -> dict[PlanId, _State]:
        keys = list(plan_ids)
        if not keys:
            return {}
        columns = [journal.c[name] for name in ("entry_id", "plan_id", "known_from", "known", *_CARRIED)]
        wanted = select(*columns).where(journal.c.provider == provider, journal.c.plan_id.in_(keys), _newest)
        return {
            row.plan_id: _State(unpack_known(row.known), dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name
            for row in connection.execute(wanted)
        }

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
            after = batch[-1].plan.key.plan_id

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


def _move(connection: Connection, provider: str, before: LogPosition | None, after: LogPosition | None) -> None:
    """Compare and set; whoever else wants to move it waits for the end of this transaction."""
    mine = positions.c.provider == provider
    row = connection.execute(select(positions).where(mine).with_for_update()).one_or_none()
    if before != (None if row is None else read_as(LogPosition, row)):
        raise JournalMovedError
    if after is None or after == before:
        return
    to = insert(positions).values(provider=provider) if before is None else update(positions).where(mine)
    connection.execute(to.values(columns_of(after)))


def _packed(entry: JournalEntry) -> _Values:
    """Make the columns that need nothing but the entry."""
    values = {
        "provider": entry.provider,
        "kinds": ",".join(entry.kinds),
        "run_id": entry.run_id,
        "known": pack_known(entry.known),
        "searchable": entry.known.seen_online,
    }
    return values if entry.plan is None else values | _carried(entry.plan, entry.known.offsets)


def _carried(plan: Plan, offsets: UtcOffsets | None) -> _Values:
    found = searchable(plan, offsets)
    return {
        "starts_at": microseconds(found.starts_at),
        "ends_at": microseconds(found.ends_at),
        "summary": pack_summary(found.summary),
        "plan": pack_plan(plan),
    }


def _catalog_plan(row: Row[*tuple[Any, ...]]) -> CatalogPlan:
    found = CatalogPlan(unpack_plan(row.plan), unpack_known(row.known))
    return with_offsets(found, instant_of(row.starts_at), instant_of(row.ends_at))


def _past_state(row: Row[*tuple[Any, ...]]) -> PastState:
    return PastState(instant_of(row.known_from), unpack_kinds(row.kinds), row.run_id, _catalog_plan(row))


def unpack_kinds(text: str) -> tuple[ChangeKind, ...]:
    """Read the column kinds."""
    return tuple(ChangeKind(kind) for kind in text.split(","))
