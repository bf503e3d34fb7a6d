"""On which days somebody was active: in all, and with each type of activity. Pure; sets, so no order matters."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from app.domain.rollups import Day
from app.domain.stats import Visits, union, visits_on, without
from app.domain.stats import before as visits_before

ALL = ""
"""Stands for activities of all types; no type is called like that."""


class UserDays(NamedTuple):
    """The days of one visitor, or of one person."""

    all: Visits
    by_type: tuple[tuple[str, Visits], ...]
    """Those with each type, by the types' names. Together they are `all`; fewer of whom was counted by an older version
    that kept none, until the figures are made anew."""


def days_with(days: Mapping[str, Iterable[Day]]) -> UserDays:
    """Make them of the days with each type: one type at least, and one day of each."""
    by_type = [(type_, visits_on(of_type)) for type_, of_type in sorted(days.items())]
    every = by_type[0][1]
    for _, visits in by_type[1:]:
        every = union(every, visits)
    return UserDays(every, tuple(by_type))


def joined(one: UserDays | None, other: UserDays | None) -> UserDays | None:
    """Join what two were active on; None: on no day."""
    return one or other if one is None or other is None else together(one, other)


def together(one: UserDays, other: UserDays) -> UserDays:
    """Join two."""
    by_type = dict(one.by_type)
    for type_, visits in other.by_type:
        known = by_type.get(type_)
        by_type[type_] = visits if known is None else union(known, visits)
    return UserDays(union(one.all, other.all), tuple(sorted(by_type.items())))


def less(days: UserDays, lost: Mapping[str, Collection[Day]]) -> UserDays | None:
    """Take days away: those of a type, and those of ALL from every type; None: none is left."""
    of_all = lost.get(ALL, ())
    every = without(days.all, of_all)
    if every is None:
        return None
    left = ((type_, without(visits, {*of_all, *lost.get(type_, ())})) for type_, visits in days.by_type)
    return UserDays(every, tuple((type_, visits) for type_, visits in left if visits is not None))


def before(day: Day, days: UserDays) -> UserDays | None:
    """Choose the days before one; None: there are none."""
    every = visits_before(day, days.all)
    if every is None:
        return None
    left = ((type_, visits_before(day, visits)) for type_, visits in days.by_type)
    return UserDays(every, tuple((type_, visits) for type_, visits in left if visits is not None))


def holds(days: Mapping[str, Visits], wanted: UserDays) -> bool:
    """Tell whether all of `wanted` is in the days with each type."""
    for type_, visits in wanted.by_type:
        known = days.get(type_)
        if known is None or visits.first < known.first or visits.days << (visits.first - known.first) & ~known.days:
            return False
    return True
