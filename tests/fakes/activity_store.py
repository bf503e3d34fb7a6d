"""The history of activities in memory: store, stats, their care and the imports. What SQL is compared with."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, tzinfo
from decimal import Decimal

from app.application.ports.activities import (
    ActivityStore,
    Difference,
    NotStorableError,
    Progress,
    Stats,
    StatsKeeper,
)
from app.application.ports.imports import ImportId
from app.application.ports.removal import ActivityRemoval, FiguresIncompleteError, RemovalStep
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import Activity, ActivityId
from app.domain.identities import Key, aliases_in, claims_in, owners_by, persons_by
from app.domain.removal import ToRemove
from app.domain.rollups import Day, add
from app.domain.stats import (
    Cell,
    Fold,
    Granularity,
    TypeCount,
    TypeRanking,
    TypeTotal,
    Visits,
    cells_of,
    date_of,
    day_number,
    days_of,
    start_of,
    union,
)
from tests.fakes.imports import MemoryImports
from tests.support.folding import fold


class MemoryActivityStore(ActivityStore, Stats, StatsKeeper, ActivityRemoval):
    """One process's stand-in for the database. Keeps no figures: every question folds what is counted anew."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        """Whose days are counted."""
        self.unavailable: str | None = None
        """Set it to a reason, and every method raises HistoryUnavailableError with it."""
        self.not_storable: set[str] = set()
        """Types that are refused, as a database refuses what it has no room for."""
        self.days_trouble: str | None = None
        """Set it to what is to be known of the days that were counted."""
        self._kept: dict[ActivityId, Activity] = {}
        self._counted: list[Activity] = []
        self._imported: dict[ActivityId, ImportId] = {}
        """Which import brought what is kept."""
        self._spent: set[ActivityId] = set()
        """Ids of what was removed, and never counts again."""
        self.frozen_before: Day = 0
        """The first day of which all activities are here."""
        self.counts_exactly = False
        """Whether nothing is removed that is not counted, as in a database."""
        self.step = 10_000
        """Activities that one step removes."""
        self.imports = MemoryImports(self._check)
        """The imports whose activities are kept here."""

    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:
        """Keep and count what is new."""
        self._check()
        for activity in activities:
            if activity.type in self.not_storable:
                raise NotStorableError(f"the type {activity.type!r} cannot be stored")
        new: dict[ActivityId, Activity] = {}
        for activity in activities:
            if activity.activity_id not in self._kept and activity.activity_id not in self._spent:
                new.setdefault(activity.activity_id, activity)
        if import_id is not None and new:
            self.imports.note_stored(import_id, list(new.values()))
            self._imported |= dict.fromkeys(new, import_id)
        self._kept |= new
        self._counted += new.values()
        return len(new)

    async def totals(self, after: str = "", limit: int | None = None) -> Sequence[TypeTotal]:
        """Add up the days."""
        counts: Counter[str] = Counter()
        sums: dict[str, Decimal] = {}
        for (_, type_), (count, sum_) in self._fold().totals.items():
            counts[type_] += count
            sums[type_] = add(sums.get(type_, Decimal()), sum_)
        return [TypeTotal(type_, counts[type_], sums[type_]) for type_ in sorted(counts) if type_ > after][:limit]

    async def total(self, type_: str) -> TypeTotal | None:
        """Pick one."""
        return next((total for total in await self.totals() if total.type == type_), None)

    async def ranking(self, limit: int) -> TypeRanking:
        """Sort them."""
        totals = await self.totals()
        ranked = sorted(totals, key=lambda total: (-total.count, total.type))
        return TypeRanking(len(totals), sum(total.count for total in totals), ranked[:limit])

    async def daily_users(self, first: date, last: date) -> Mapping[Day, int]:
        """Count the days of the users."""
        users = Counter(day for visits in _of_persons(self._fold()) for day in days_of(visits))
        return {day: count for day, count in users.items() if day_number(first) <= day <= day_number(last)}

    async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
        """Add up the days of the range."""
        counts: Counter[str] = Counter()
        for (day, type_), (count, _) in self._fold().totals.items():
            if day_number(first) <= day <= day_number(last):
                counts[type_] += count
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [TypeCount(type_, count) for type_, count in ranked[:limit]]

    async def cells(self, granularity: Granularity, first: int, last: int, later: int) -> Mapping[Cell, int]:
        """Count the cells of the users."""
        cells = Counter(cell for visits in _of_persons(self._fold()) for cell in cells_of(visits))
        return {
            cell: users
            for cell, users in cells.items()
            if cell.granularity is granularity and first <= cell.cohort <= last and cell.later <= later
        }

    async def reset(self) -> None:
        """Count none of what is kept."""
        self._check()
        self._counted = []

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Count all that is kept."""
        self._check()
        self._counted = list(self._kept.values())
        if progress:
            progress(len(self._counted))
        return len(self._counted)

    async def trouble(self) -> str | None:
        """There is none of its own: nobody else counts."""
        self._check()
        return self.days_trouble

    async def verify(self, progress: Progress | None = None) -> Difference | None:
        """Compare what is counted with what is kept."""
        counted, kept = _figures(self._fold()), _figures(fold(self._kept.values(), self.zone))
        if progress:
            progress(len(self._kept))
        for name in sorted(counted.keys() | kept.keys()):
            if counted.get(name) != kept.get(name):
                return Difference(name, counted.get(name, "nothing"), kept.get(name, "nothing"))
        return None

    async def remove(self, wanted: ToRemove, after: str = "", *, frees_ids: bool) -> RemovalStep:
        """Drop the first ones; those of the steps before are gone, so a place tells nothing."""
        del after
        self._check()
        gone = [
            one.activity_id for one in self._kept.values() if wanted.holds(one, self._imported.get(one.activity_id))
        ]
        step = set(gone[: self.step])
        if self.counts_exactly and not step <= {one.activity_id for one in self._counted}:
            raise FiguresIncompleteError("count of view")
        for activity_id in step:
            del self._kept[activity_id]
            self._imported.pop(activity_id, None)
        self._counted = [one for one in self._counted if one.activity_id not in step]
        if not frees_ids:
            self._spent |= step
        return RemovalStep(gone[: self.step], "more" if len(gone) > self.step else None)

    def kept(self) -> Sequence[Activity]:
        """List all that is kept."""
        self._check()
        return list(self._kept.values())

    def set_back(self, activities: Sequence[Activity]) -> None:
        """Become a database that has these, and knows of no others."""
        self._kept = {one.activity_id: one for one in activities}
        self._counted, self._spent = list(activities), set()

    async def have_left(self, day: Day) -> bool:
        """Compare it."""
        self._check()
        return day < self.frozen_before

    async def forget_frozen_days(self, wanted: ToRemove) -> bool:
        """Tell whether anybody is meant, and any day: everything is here."""
        self._check()
        return bool(self.frozen_before and wanted.visitors)

    async def spend(self, ids: Sequence[ActivityId]) -> None:
        """Note them."""
        self._check()
        self._spent |= set(ids)

    def _fold(self) -> Fold:
        self._check()
        return fold(self._counted, self.zone)

    def _check(self) -> None:
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)


def _of_persons(found: Fold) -> Collection[Visits]:
    """Give the set of days of each person."""
    said = found.statements
    person_of = persons_by(owners_by(claims_in(said)), aliases_in(said))
    persons: dict[Key, Visits] = {}
    for key, visits in found.visits.items():
        name = person_of.get(key, key)
        persons[name] = union(visits, persons.get(name, visits))
    return persons.values()


def _figures(found: Fold) -> dict[str, str]:
    """Write every figure of a fold under its name."""
    figures: dict[str, str] = {}
    for (day, type_), (count, sum_) in found.totals.items():
        figures[f"count of {type_} on {date_of(day)}"] = str(count)
        figures[f"sum of {type_} on {date_of(day)}"] = f"{sum_:f}"
    for day, users in Counter(day for visits in _of_persons(found) for day in days_of(visits)).items():
        figures[f"users on {date_of(day)}"] = str(users)
    for cell, users in Counter(cell for visits in _of_persons(found) for cell in cells_of(visits)).items():
        start = start_of(cell.granularity, cell.cohort)
        figures[f"users of the {cell.granularity} of {start}, {cell.later} {cell.granularity}s later"] = str(users)
    return figures
