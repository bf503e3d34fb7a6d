"""The fold of activities that stand in columns: what they say, added up."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.funnels import InstantsByDay, instants_by_day
from app.domain.identities import ANONYMOUS, Key
from app.domain.rollups import DatedActivities, Day, LocalClock, Rollup, Sums, sums_by
from app.domain.user_days import UserDays, days_with


@dataclass(slots=True)
class Fold:
    """What some activities say, added up: the same for every order in which they came."""

    totals: dict[tuple[Day, str], tuple[int, Decimal]] = field(default_factory=dict)
    sums: dict[str, Sums] = field(default_factory=dict)
    """What each rollup counts, by its name; nothing of one that counts none of them."""
    visits: dict[Key, UserDays] = field(default_factory=dict)
    """The days on which each visitor was active; what has neither id counts in the totals only."""
    statements: list[Activity] = field(default_factory=list)
    """Those that say who somebody is, and count nothing."""
    instants: InstantsByDay = field(default_factory=dict)
    """When visitors did what funnels are asked of."""


def fold_columns(
    activities: ActivityColumns, clock: LocalClock, rollups: Sequence[Rollup] = (), timed: Collection[str] = ()
) -> Fold:
    """Add up activities; an hour and a day are those of `clock`. Of the types `timed` the instants are kept."""
    if any(type_[0] == "$" for type_ in set(activities.types)):  # no client's type begins like that
        return _fold_with_statements(activities, clock, rollups, timed)
    hours, days = clock.read(activities.occurred_at)
    dated = DatedActivities(activities, hours, days)
    totals = sums_by(list(zip(days, activities.types, strict=True)), activities.values)
    counted = {rollup.name: rollup.sums(dated) for rollup in rollups}
    visitors = visitors_of(activities)
    return Fold(
        totals,
        {name: sums for name, sums in counted.items() if sums},
        _visits(visitors, dated),
        instants=instants_by_day(dated, visitors, timed) if timed else {},
    )


def _fold_with_statements(
    activities: ActivityColumns, clock: LocalClock, rollups: Sequence[Rollup], timed: Collection[str]
) -> Fold:
    """Fold those that count, and keep the statements."""
    places: dict[bool, list[int]] = {True: [], False: []}
    for place, type_ in enumerate(activities.types):
        places[type_[0] == "$"].append(place)
    folded = fold_columns(activities.chosen(places[False]), clock, rollups, timed)
    folded.statements += activities.chosen(places[True])
    return folded


def _visits(visitors: Sequence[Key | None], dated: DatedActivities) -> dict[Key, UserDays]:
    days = set(dated.days)
    if len(days) > 1:
        return _visits_of_days(visitors, dated)
    of_types: dict[Key, tuple[str, ...]] = {}
    for visitor, type_ in dict.fromkeys(zip(visitors, dated.activities.types, strict=True)):
        if visitor is not None:
            of_types[visitor] = (*of_types[visitor], type_) if visitor in of_types else (type_,)
    made = {types: days_with(dict.fromkeys(types, days)) for types in set(of_types.values())}
    return {visitor: made[types] for visitor, types in of_types.items()}


def _visits_of_days(visitors: Sequence[Key | None], dated: DatedActivities) -> dict[Key, UserDays]:
    found: dict[Key, tuple[tuple[str, Day], ...]] = {}
    whats = zip(dated.activities.types, dated.days, strict=True)
    for visitor, what in dict.fromkeys(zip(visitors, whats, strict=True)):
        if visitor is not None:
            found[visitor] = (*found[visitor], what) if visitor in found else (what,)
    made = {some: _days_of(some) for some in set(found.values())}
    return {visitor: made[some] for visitor, some in found.items()}


def _days_of(some: Iterable[tuple[str, Day]]) -> UserDays:
    of_types: dict[str, set[Day]] = {}
    for type_, day in some:
        of_types.setdefault(type_, set()).add(day)
    return days_with(of_types)


def visitors_of(activities: ActivityColumns) -> Sequence[Key | None]:
    """Name who did each: a user; else who nobody knows, by another name than any user has; None: nobody is told."""
    if None not in activities.user_ids or not any(activities.anonymous_ids):
        return activities.user_ids
    pairs = zip(activities.user_ids, activities.anonymous_ids, strict=True)
    return [
        ANONYMOUS + anonymous_id if user_id is None and anonymous_id is not None else user_id
        for user_id, anonymous_id in pairs
    ]
