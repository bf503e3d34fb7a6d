"""The fold of activities that stand in columns: what they say, added up."""

from collections.abc import Collection, Sequence

from app.domain.activity_columns import ActivityColumns
from app.domain.funnels import instants_by_day
from app.domain.identities import ANONYMOUS, Key
from app.domain.rollups import DatedActivities, Day, LocalClock, Rollup, sums_by
from app.domain.stats import Fold


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
        _days(visitors, dated.days),
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


def _days(visitors: Sequence[Key | None], days_of_all: Sequence[Day]) -> dict[Key, set[Day]]:
    days = set(days_of_all)
    if len(days) == 1:  # one set for all: each costs as much as the rest
        return {visitor: days for visitor in dict.fromkeys(visitors) if visitor is not None}
    found: dict[Key, set[Day]] = {}
    for visitor, day in dict.fromkeys(zip(visitors, days_of_all, strict=True)):
        if visitor is not None:
            found.setdefault(visitor, set()).add(day)
    return found


def visitors_of(activities: ActivityColumns) -> Sequence[Key | None]:
    """Name who did each: a user; else who nobody knows, by another name than any user has; None: nobody is told."""
    if None not in activities.user_ids or not any(activities.anonymous_ids):
        return activities.user_ids
    pairs = zip(activities.user_ids, activities.anonymous_ids, strict=True)
    return [
        ANONYMOUS + anonymous_id if user_id is None and anonymous_id is not None else user_id
        for user_id, anonymous_id in pairs
    ]
