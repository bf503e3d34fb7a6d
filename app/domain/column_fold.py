"""The fold of activities that stand in columns: what `fold` finds, in a fraction of the time where it is simple."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta, tzinfo
from decimal import Decimal

from app.domain.activity_columns import ActivityColumns, instant_of
from app.domain.identities import ANONYMOUS, Key
from app.domain.stats import Day, Fold, add, day_at, fold

STEADY = timedelta(hours=1)
"""No zone changes its offset twice so soon, so what has one offset at both ends has it in between."""


def fold_columns(activities: ActivityColumns, zone: tzinfo) -> Fold:
    """Add up activities; a day is one in `zone`. What all happened on one day is folded without looking at each."""
    if any(type_[0] == "$" for type_ in set(activities.types)):
        return _fold_with_statements(activities, zone)
    day = _the_day(activities.occurred_at, zone)
    if day is None:
        return fold(activities, zone)
    counts = Counter(activities.types)
    sums = _sums(activities)
    days = {day}  # one set for all: each costs as much as the rest
    return Fold(
        {(day, type_): (count, sums.get(type_, Decimal())) for type_, count in counts.items()},
        {visitor: days for visitor in dict.fromkeys(_visitors(activities)) if visitor is not None},
    )


def _fold_with_statements(activities: ActivityColumns, zone: tzinfo) -> Fold:
    """Fold those that count, and keep the statements."""
    places: dict[bool, list[int]] = {True: [], False: []}
    for place, type_ in enumerate(activities.types):
        places[type_[0] == "$"].append(place)
    folded = fold_columns(activities.chosen(places[False]), zone)
    folded.statements += activities.chosen(places[True])
    return folded


def _visitors(activities: ActivityColumns) -> Sequence[Key | None]:
    if None not in activities.user_ids or not any(activities.anonymous_ids):
        return activities.user_ids
    pairs = zip(activities.user_ids, activities.anonymous_ids, strict=True)
    return [
        ANONYMOUS + anonymous_id if user_id is None and anonymous_id is not None else user_id
        for user_id, anonymous_id in pairs
    ]


def _the_day(instants: Sequence[int], zone: tzinfo) -> Day | None:
    """Find the one day of all instants; None when they may be of several."""
    if not instants:
        return None
    first, last = instant_of(min(instants)), instant_of(max(instants))
    is_steady = last - first <= STEADY and first.astimezone(zone).utcoffset() == last.astimezone(zone).utcoffset()
    day = day_at(first, zone)
    return day if is_steady and day == day_at(last, zone) else None


def _sums(activities: ActivityColumns) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for type_, value in _valued(activities):
        sums[type_] = add(sums.get(type_, Decimal()), value)
    return sums


def _valued(activities: ActivityColumns) -> Iterable[tuple[str, Decimal]]:
    pairs = zip(activities.types, activities.values, strict=True)
    return ((type_, value) for type_, value in pairs if value is not None)
