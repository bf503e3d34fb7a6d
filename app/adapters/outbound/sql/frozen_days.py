"""Days whose raw activities have left: what was counted of them stays as it is, and all else is made anew around it.

Frozen are the rows of rollups before the cut, the days of visitors before it, and the statements that left. What
follows from these (types, users of days, retention, persons) is reckoned from them and from the raw activities.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, not_, or_, select, true, update

from app.adapters.outbound.sql.columns import metadata
from app.adapters.outbound.sql.identities import read_alias, read_claim
from app.adapters.outbound.sql.packed_days import unpack_days
from app.adapters.outbound.sql.schema import aliases, claims, daily_totals, stats_settings, visitors
from app.adapters.outbound.sql.slot_sums import exact_sum
from app.domain.identities import Alias, Claim, Key
from app.domain.rollups import Cut, Rollup, Sums
from app.domain.user_days import UserDays, before

_AT_ONCE = 5_000
"""Visitors that are read by one statement, so that what was read can be written meanwhile."""


def read_cut(connection: Connection) -> Cut | None:
    """Say up to where raw activities have left; None: all are there."""
    row = connection.execute(select(stats_settings.c.frozen_before, stats_settings.c.frozen_until)).first()
    return None if row is None or row.frozen_before is None else Cut(row.frozen_before, row.frozen_until)


def write_cut(connection: Connection, cut: Cut) -> None:
    """Note it; nobody may count meanwhile."""
    noted = {"frozen_before": cut.day, "frozen_until": cut.instant}
    connection.execute(update(stats_settings).values(noted))


def thawed(table: Table, cut: Cut | None) -> ColumnElement[bool]:
    """Choose the rows of a rollup that follow from raw activities which are there."""
    if cut is None:
        return true()
    return table.c["hour"] >= cut.hour if "hour" in table.c else table.c["day"] >= cut.day


def frozen_totals(connection: Connection, cut: Cut | None) -> Sums:
    """Add up what is frozen, by type."""
    if cut is None:
        return {}
    count, sum_ = func.sum(daily_totals.c["count"]), exact_sum(daily_totals.c["sum"])
    found = (
        select(daily_totals.c.type, count, sum_).where(not_(thawed(daily_totals, cut))).group_by(daily_totals.c.type)
    )
    return {(type_,): (int(counted), added) for type_, counted, added in connection.execute(found)}


def frozen_visits(connection: Connection, cut: Cut | None) -> Iterator[tuple[Key, UserDays]]:
    """Hand out each visitor who has frozen days, with these, in the order of their keys."""
    last: Key | None = ""
    while cut is not None and last is not None:
        wanted = select(visitors).order_by(visitors.c.visitor)
        early = and_(visitors.c.visitor > last, visitors.c.first_day < cut.day)
        found = connection.execute(wanted.where(early).limit(_AT_ONCE)).all()
        last = found[-1].visitor if found else None
        for row in found:
            days = unpack_days(row.first_day, row.days, row.types)
            if days is not None and (frozen := before(cut.day, days)) is not None:
                yield row.visitor, frozen


def frozen_statements(connection: Connection, cut: Cut | None) -> tuple[Sequence[Claim], Sequence[Alias]]:
    """Read the statements whose raw activities have left."""
    if cut is None:
        return [], []
    said = select(claims.c.at, claims.c.activity_id, claims.c.anonymous_id, claims.c.user_id).where(claims.c.frozen)
    joins = select(aliases.c.activity_id, aliases.c.user_id, aliases.c.previous_id).where(aliases.c.frozen)
    return (
        [read_claim(*row) for row in connection.execute(said)],
        [read_alias(*row) for row in connection.execute(joins)],
    )


def freeze_statements(connection: Connection, leaving: Any) -> None:
    """Mark the statements of raw activities that leave; `leaving` selects their ids."""
    for table in (claims, aliases):
        connection.execute(update(table).where(table.c.activity_id.in_(leaving)).values(frozen=True))


def empty_around(connection: Connection, cut: Cut, rollups: Sequence[Rollup]) -> set[Table]:
    """Delete what is made anew of tables that hold something frozen, and name these tables."""
    dated = (daily_totals, *(metadata.tables[rollup.name] for rollup in rollups))
    for table in dated:
        connection.execute(delete(table).where(thawed(table, cut)))
    for table in (claims, aliases):
        connection.execute(delete(table).where(not_(table.c.frozen)))
    later = or_(visitors.c.first_day >= cut.day, func.length(visitors.c.days) == 0)
    connection.execute(delete(visitors).where(later))
    connection.execute(update(visitors).where(visitors.c.person.is_not(None)).values(person=None))
    return {*dated, claims, aliases, visitors}
