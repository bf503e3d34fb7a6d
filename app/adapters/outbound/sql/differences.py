"""What is kept of the rollups, compared with what follows from the raw activities (raw_fold.py)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Table, func, select

from app.adapters.outbound.sql.activity_store import totals_by_type, user_rows
from app.adapters.outbound.sql.columns import metadata
from app.adapters.outbound.sql.frozen_days import frozen_totals, thawed
from app.adapters.outbound.sql.funnel_instants import digests_kept
from app.adapters.outbound.sql.identities import read_claim
from app.adapters.outbound.sql.packed_days import unpack_days
from app.adapters.outbound.sql.raw_fold import RawFold, stream
from app.adapters.outbound.sql.schema import (
    aliases,
    claims,
    daily_totals,
    persons,
    type_totals,
    visitors,
)
from app.adapters.outbound.sql.slot_sums import summed
from app.application.ports.activities import Difference
from app.domain.funnels import DayOfType, Digest
from app.domain.identities import Claim, Key, told
from app.domain.rollups import Cut, added_up
from app.domain.stats import Granularity, date_of, days_of, start_of
from app.domain.user_days import ALL, UserDays

_SHOWN = 10
"""Ids of a person that are named; there may be thousands."""


def differences_of_visits(connection: Connection, folding: RawFold) -> Difference | None:
    """Walk both in step to their ends: what else is folded must be whole. Find the first visitor who differs."""
    difference = None
    active = select(visitors).where(func.length(visitors.c.days) > 0).order_by(visitors.c.visitor)
    with closing(stream(connection, active)) as rows, closing(folding.visitors(connection)) as folded:
        kept = ((row.visitor, unpack_days(row.first_day, row.days, row.types)) for row in rows)
        for there, here in zip_longest(folded, kept):
            if difference is None and here != there:
                difference = Difference(f"days of {told((there or here)[0])}", _visits(here), _visits(there))
    return difference


def differences_of_figures(connection: Connection, folding: RawFold) -> Iterator[Difference]:
    """Compare what is counted."""
    cut = folding.cut
    by_type = added_up((totals_by_type(folding.fold), frozen_totals(connection, cut)))
    yield from _compare(connection, type_totals, by_type, lambda key: f"count of {key[0]}")
    by_day = folding.fold.totals
    yield from _compare(connection, daily_totals, by_day, lambda key: f"count of {key[1]} on {date_of(key[0])}", cut)
    for rollup in folding.rollups:
        sums = folding.fold.sums.get(rollup.name, {})
        yield from _compare(connection, metadata.tables[rollup.name], sums, rollup.told, cut)
    for table, rows in user_rows(folding.figures):
        width = len(table.primary_key) - 1
        yield from _compare(connection, table, {row[:width]: row[width:] for row in rows}, _TOLD[table.name])


def differences_of_instants(
    connection: Connection, folded: Mapping[DayOfType, Digest], cut: Cut | None
) -> Iterator[Difference]:
    """Compare what is kept for funnels and is not frozen."""
    kept = digests_kept(connection, cut)
    for type_, day in sorted({*kept, *folded}):
        here, there = (digests.get((type_, day), Digest()) for digests in (kept, folded))
        if here != there:
            told = (f"{here.number} of them", f"{there.number} of them")
            if here.number == there.number:
                told = ("some", "others")
            yield Difference(f"instants of {type_} on {date_of(day)}", *told)


def differences_of_persons(connection: Connection, folding: RawFold) -> Iterator[Difference]:
    """Compare who is one person, on which days each was active, and what was said of it."""
    linked = connection.execute(select(visitors.c.visitor, visitors.c.person).where(visitors.c.person.is_not(None)))
    person_of: dict[Key, Key] = {row.visitor: row.person for row in linked}
    here, there = _members(person_of), _members(folding.person_of)
    for key in sorted({*person_of, *folding.person_of}):
        kept, folded = here.get(person_of.get(key)), there.get(folding.person_of.get(key))
        if kept != folded:
            yield Difference(f"person of {told(key)}", _names(kept), _names(folded))
    by_first = {there[name][0]: person for name, person in folding.persons.items()}
    for row in connection.execute(select(persons).order_by(persons.c.person)):
        first = here.get(row.person, [row.person])[0]
        known = by_first.pop(first, None)
        visits = unpack_days(row.first_day, row.days, row.types)
        if known != (visits, row.ids):
            yield Difference(f"days of the person of {told(first)}", _days(visits), _days(known and known.visits))
    yield from (
        Difference(f"days of the person of {told(key)}", "none", _days(one.visits)) for key, one in by_first.items()
    )
    yield from _differences_of_statements(connection, folding)


def _differences_of_statements(connection: Connection, folding: RawFold) -> Iterator[Difference]:
    kept = connection.execute(select(func.count()).select_from(claims)).scalar_one()
    if kept != folding.claims:
        yield Difference("claims", str(kept), str(folding.claims))
    for row in connection.execute(select(claims.c.at, claims.c.activity_id, claims.c.anonymous_id, claims.c.user_id)):
        claim = read_claim(*row)
        holding = folding.owners.get(claim.anonymous)
        if holding is None or claim < holding:
            yield Difference(f"owner of {told(claim.anonymous)}", _owner(claim), _owner(holding))
    count = connection.execute(select(func.count()).select_from(aliases)).scalar_one()
    if count != len(folding.aliases):
        yield Difference("aliases", str(count), str(len(folding.aliases)))


def _owner(claim: Claim | None) -> str:
    return "nobody" if claim is None else f"{told(claim.user_id)} since {claim.at.isoformat()}"


def _members(person_of: Mapping[Key, Key]) -> Mapping[Key | None, list[Key]]:
    members: dict[Key | None, list[Key]] = {}
    for key in sorted(person_of):
        members.setdefault(person_of[key], []).append(key)
    return members


def _names(keys: list[Key] | None) -> str:
    if keys is None:
        return "nobody else"
    more = [f"and {len(keys) - _SHOWN} more"] if len(keys) > _SHOWN else []
    return ", ".join([*map(told, keys[:_SHOWN]), *more])


def _visits(found: tuple[Key, UserDays | None] | None) -> str:
    return "never active" if found is None else f"{told(found[0])}: {_days(found[1])}"


def _days(days: UserDays | None) -> str:
    if days is None:
        return "none"
    listed = [("", days.all), *((f"{type_} ", visits) for type_, visits in days.by_type)]
    return "; ".join(name + ", ".join(date_of(day).isoformat() for day in days_of(visits)) for name, visits in listed)


def _compare(
    connection: Connection,
    table: Table,
    folded: Mapping[Any, tuple[Any, ...]],
    name: Callable[[Any], str],
    cut: Cut | None = None,
) -> Iterator[Difference]:
    """Compare figures behind the cut; a row of zeros is as good as none."""
    width = len(table.primary_key) - 1
    wanted = summed(table) if cut is None else summed(table).where(thawed(table, cut))
    kept = {tuple(row[:width]): tuple(row[width:]) for row in connection.execute(wanted)}
    for key in sorted({*kept, *folded}):
        nothing = (0,) * (len(table.columns) - width - 1)
        here, there = kept.get(key, nothing), folded.get(key, nothing)
        if here != there:
            yield Difference(name(key), _figures(here), _figures(there))


def _figures(values: tuple[Any, ...]) -> str:
    return ", sum ".join(map(str, values))


def _name_of_period(key: tuple[Any, ...]) -> str:
    type_, granularity, period = key
    return f"users{_with(type_)} in the {granularity} of {start_of(Granularity(granularity), period)}"


def _name_of_cell(key: tuple[Any, ...]) -> str:
    type_, granularity, cohort, later = key
    begin = start_of(Granularity(granularity), cohort)
    return f"retention{_with(type_)} of the {granularity} of {begin}, {later} later"


def _with(type_: str) -> str:
    return "" if type_ == ALL else f" with {type_}"


_TOLD: Mapping[str, Callable[[Any], str]] = {
    "daily_users": lambda key: f"users on {date_of(key[0])}",
    "active_users": _name_of_period,
    "retention_cells": lambda key: _name_of_cell((ALL, *key)),
    "type_retention_cells": _name_of_cell,
}
