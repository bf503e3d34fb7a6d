"""The instants that funnels are asked of, in packed columns by type and day (ADR 0102).

A part holds hundreds to thousands of instants, so that one more costs a worker next to nothing and a question reads few
rows. What a transaction brings joins the open part of its slot; one that has grown is put into the order of its
visitors and closed. A transaction that adds to a type and a day has added to its total before, in the same slot: nobody
else has this part meanwhile.
"""

from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, select, update

from app.adapters.outbound.sql.counters import inserting
from app.adapters.outbound.sql.frozen_days import thawed
from app.adapters.outbound.sql.schema import funnel_instants as table
from app.domain.funnels import DayOfType, Digest, Instants, InstantsByDay, VisitorNumber
from app.domain.rollups import Cut, Day

CLOSED_FROM = 512
"""Instants of a part that does not grow any more."""
_AT_ONCE = 500
"""Days that are looked up at a time."""
_OPEN = 0
_KEY = ("type", "day", "slot", "part")


def add_instants(connection: Connection, slot: int, new: InstantsByDay) -> None:
    """Add instants; the totals of their types and days have been added in this transaction, in the same slot."""
    growing = _open_parts(connection, slot, new) if new else {}
    grown, closed = [], []
    for (type_, day), instants in sorted(new.items()):
        own = {"type": type_, "day": day, "slot": slot}
        joined = instants
        if (type_, day) in growing:
            joined = growing[type_, day]
            joined.extend(instants)
        if len(joined.at) < CLOSED_FROM:
            grown.append({**own, "part": _OPEN, **_packed(joined)})
        else:
            closed.append({**own, **_packed(joined.by_visitor())})
    if grown:
        statement = inserting(connection, table)
        columns = {name: statement.excluded[name] for name in ("visitors", "instants")}
        connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=columns), grown)
    if closed:
        _close(connection, closed, growing)


def take_instants(connection: Connection, gone: InstantsByDay) -> None:
    """Take out what some activities added that are removed; nobody counts meanwhile."""
    for (type_, day), leaving in gone.items():
        rest = leaving
        for row in connection.execute(select(table).where(table.c.type == type_, table.c.day == day)).all():
            there = _read(row)
            kept = there.without(rest)
            if len(kept.at) < len(there.at):
                rest = rest.without(there)
                _replace(connection, row, kept)


def take_visitors(connection: Connection, visitors: Collection[VisitorNumber], before: Day) -> None:
    """Take out all that some visitors did before a day; nobody counts meanwhile."""
    wanted = set(visitors)
    for row in connection.execute(select(table).where(table.c.day < before)).all():
        there = _read(row)
        if not wanted.isdisjoint(there.visitors):
            _replace(connection, row, there.of_visitors(set(there.visitors) - wanted))


def read_parts(connection: Connection, type_: str, first: Day, last: Day) -> list[Instants]:
    """Read the instants of a type on some days, both included: parts, each in the order of its visitors."""
    wanted = select(table).where(table.c.type == type_, table.c.day.between(first, last))
    return [_read(row) if row.part else _read(row).by_visitor() for row in connection.execute(wanted)]


def digests_kept(connection: Connection, cut: Cut | None) -> Mapping[DayOfType, Digest]:
    """Tell what is kept of each type and day that is not frozen, to be compared."""
    found: dict[DayOfType, Digest] = {}
    for row in connection.execute(select(table).where(thawed(table, cut))):
        key = (row.type, row.day)
        found[key] = found.get(key, Digest()).plus(_read(row))
    return {key: digest for key, digest in found.items() if digest.number}


def _open_parts(connection: Connection, slot: int, new: InstantsByDay) -> Mapping[DayOfType, Instants]:
    types, days = ([*dict.fromkeys(column)] for column in zip(*new, strict=True))
    found: dict[DayOfType, Instants] = {}
    for start in range(0, len(days), _AT_ONCE):
        some = table.c.day.in_(days[start : start + _AT_ONCE])
        wanted = select(table).where(table.c.type.in_(types), some, table.c.slot == slot, table.c.part == _OPEN)
        found |= {(row.type, row.day): _read(row) for row in connection.execute(wanted)}
    return found


def _close(connection: Connection, closed: Sequence[Mapping[str, Any]], growing: Collection[DayOfType]) -> None:
    """Insert parts behind the others of their slots, and delete the open ones that became part of them."""
    key = and_(*(table.c[name] == bindparam(f"own_{name}") for name in ("type", "day", "slot")))
    behind = select(func.coalesce(func.max(table.c.part), _OPEN) + 1).where(key).scalar_subquery()
    rows = [{**own, **{f"own_{name}": own[name] for name in ("type", "day", "slot")}} for own in closed]
    values: dict[str, Any] = {name: bindparam(name) for name in ("type", "day", "slot", "visitors", "instants")}
    connection.execute(insert(table).values(**values, part=behind), rows)
    if opened := [row for row in rows if (row["type"], row["day"]) in growing]:
        connection.execute(delete(table).where(key, table.c.part == _OPEN), opened)


def _replace(connection: Connection, row: Row[Any], instants: Instants) -> None:
    own = and_(*(table.c[name] == row._mapping[name] for name in _KEY))  # noqa: SLF001 - its public name
    if instants.at:
        connection.execute(update(table).where(own).values(**_packed(instants)))
    else:
        connection.execute(delete(table).where(own))


def _packed(instants: Instants) -> dict[str, bytes]:
    return {"visitors": instants.visitors.tobytes(), "instants": instants.at.tobytes()}


def _read(row: Row[Any]) -> Instants:
    return Instants(array("q", row.visitors), array("q", row.instants))
