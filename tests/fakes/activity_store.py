"""The history of activities in memory: store, stats, their care and the imports. What SQL is compared with."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, tzinfo
from decimal import Decimal

from app.application.ports.activities import (
    ActivityStore,
    Difference,
    FrozenDaysError,
    NotStorableError,
    Progress,
    Stats,
    StatsKeeper,
)
from app.application.ports.activity_expiry import ActivityExpiry
from app.application.ports.day_sums import DaySums
from app.application.ports.imports import ImportId
from app.application.ports.period_stats import DimensionQuestion, DimensionRow, PeriodStats
from app.application.ports.plan_stats import PlanStats
from app.application.ports.removal import ActivityRemoval, FiguresIncompleteError, RemovalStep
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import STATEMENTS, Activity, ActivityId
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import Fold, fold_columns
from app.domain.dimensions import DimensionTotals, value_of
from app.domain.identities import ANONYMOUS, Key, aliases_in, claims_in, owners_by, persons_by
from app.domain.plan_totals import PlanFigures, PlanOrder, days_of_plan
from app.domain.removal import ToRemove
from app.domain.rollups import Day, Hour, LocalClock, Sums, add, added_up
from app.domain.series import Total, total_of
from app.domain.stats import (
    Cell,
    Granularity,
    TypeCount,
    TypeRanking,
    TypeTotal,
    date_of,
    day_number,
    days_of,
    start_of,
)
from app.domain.user_days import UserDays, together
from app.domain.user_figures import UserFigures
from app.domain.usual_rollups import ROLLUPS
from tests.fakes.imports import MemoryImports
from tests.support.folding import fold


class MemoryActivityStore(
    ActivityStore, Stats, DaySums, PeriodStats, PlanStats, StatsKeeper, ActivityRemoval, ActivityExpiry
):
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
        self.counts_exactly = False
        """Whether nothing is removed that is not counted, as in a database."""
        self.frozen: date | None = None
        """The first day of which all activities are here; those of days before it have left."""
        self._frozen_zone = zone
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
        users = Counter(day for days in _of_persons(self._fold()) for day in days_of(days.all))
        return {day: count for day, count in users.items() if day_number(first) <= day <= day_number(last)}

    async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
        """Add up the days of the range."""
        counts: Counter[str] = Counter()
        for (day, type_), (count, _) in self._fold().totals.items():
            if day_number(first) <= day <= day_number(last):
                counts[type_] += count
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [TypeCount(type_, count) for type_, count in ranked[:limit]]

    async def of_types(
        self, types: Collection[str], first: date, last: date
    ) -> Mapping[tuple[Day, str], tuple[int, Decimal]]:
        """Pick days."""
        days = range(day_number(first), day_number(last) + 1)
        return {key: counted for key, counted in self._fold().totals.items() if key[0] in days and key[1] in types}

    async def active(self, granularity: Granularity, first: int, last: int, type_: str = "") -> Mapping[int, int]:
        """Count the periods of the users."""
        active = _figures_of_users(self._fold(), {type_}).active
        return {
            period: users
            for (of_type, length, period), users in active.items()
            if of_type == type_ and length is granularity and first <= period <= last
        }

    async def users_between(self, first: Day, last: Day, type_: str = "") -> int:
        """Look at the days of each."""
        persons = _of_persons(self._fold())
        sets = [days.all if type_ == "" else dict(days.by_type).get(type_) for days in persons]
        return sum(any(first <= day <= last for day in days_of(visits)) for visits in sets if visits)

    async def plans(self, first: date, last: date, order: PlanOrder, limit: int) -> Sequence[PlanFigures]:
        """Rank them all."""
        found: dict[str, Sums] = {}
        for key, figures in self._plan_sums(first, last).items():
            found.setdefault(key[1], {})[key] = figures
        all_ = [_figures_of(plan_id, sums) for plan_id, sums in found.items()]

        def rank(one: PlanFigures) -> float:
            if order is PlanOrder.CONVERSION:
                return -1 if one.conversion is None else one.conversion
            return one.views if order is PlanOrder.VIEWS else one.purchases

        return sorted(all_, key=lambda one: (-rank(one), one.plan_id))[:limit]

    async def plan(self, plan_id: str, first: date, last: date) -> Sums:
        """Choose its own."""
        return {key: figures for key, figures in self._plan_sums(first, last).items() if key[1] == plan_id}

    def _plan_sums(self, first: date, last: date) -> Sums:
        self._check()
        counted = ActivityColumns.of([one for one in self._counted if one.type not in STATEMENTS])
        sums = fold_columns(counted, LocalClock(self.zone), ROLLUPS).sums.get("plan_totals", {})
        return {key: figures for key, figures in sums.items() if day_number(first) <= key[0] <= day_number(last)}

    async def days(self, first: date, last: date, type_: str = "") -> Mapping[Day, Total]:
        """Add up the types."""
        return _added_by(self._fold().totals, type_, day_number(first), day_number(last))

    async def hours(self, hours: Sequence[Hour], type_: str = "") -> Mapping[Hour, Total]:
        """Add up the types."""
        self._check()
        counted = ActivityColumns.of([one for one in self._counted if one.type not in STATEMENTS])
        sums = fold_columns(counted, LocalClock(self.zone), ROLLUPS).sums.get("hourly_totals", {})
        return _added_by(sums, type_, hours[0], hours[-1])

    async def by_value(self, asked: DimensionQuestion, limit: int) -> Sequence[DimensionRow]:
        """Add up each value, and rank them; there is room for all."""
        self._check()
        counted = ActivityColumns.of([one for one in self._counted if one.type not in STATEMENTS])
        rollup = DimensionTotals([asked.dimension])
        sums = fold_columns(counted, LocalClock(self.zone), [rollup]).sums.get(rollup.name, {})
        first, last = day_number(asked.first), day_number(asked.last)
        wanted = {
            key: total
            for key, total in sums.items()
            if key[1] == asked.type and first <= key[2] <= last
            if asked.value is None or value_of(key[3]).text == asked.value
        }
        counts = Counter[str]()
        for key, (count, _) in wanted.items():
            counts[key[3]] += count
        ranked = sorted(counts, key=lambda code: (-counts[code], code))[:limit]
        return [
            DimensionRow(value_of(code), key[2], total)
            for code in ranked
            for key, total in sorted(wanted.items())
            if key[3] == code
        ]

    async def totals_between(self, first: date, last: date, after: str, limit: int) -> Sequence[TypeTotal]:
        """Add up the days of each type."""
        days = self._fold().totals
        types = sorted({type_ for day, type_ in days if type_ > after and day_number(first) <= day <= day_number(last)})
        found = [(await self.days(first, last, type_)).values() for type_ in types]
        return [total_of(type_, totals) for type_, totals in zip(types, found, strict=True)][:limit]

    async def cells(
        self, granularity: Granularity, first: int, last: int, later: int, type_: str = ""
    ) -> Mapping[Cell, int]:
        """Count the cells of the users."""
        cells = _figures_of_users(self._fold(), {type_}).cells
        return {
            Cell(granularity, cell.cohort, cell.later): users
            for cell, users in cells.items()
            if cell.type == type_ and cell.granularity is granularity
            if first <= cell.cohort <= last and cell.later <= later
        }

    async def reset(self, giving_up: date | None = None) -> None:
        """Count none of what is kept."""
        self._check()
        if self.frozen not in (None, giving_up):
            raise FrozenDaysError(self.frozen)
        self._counted, self.frozen = [], None

    async def rebuild(self, progress: Progress | None = None, leaving: date | None = None) -> int:
        """Count all that is kept, and what is frozen as before."""
        self._check()
        if self.frozen not in (None, leaving) and self.zone != self._frozen_zone:
            raise FrozenDaysError(self.frozen)
        self._counted, self._frozen_zone = self._expected(), self.zone
        if progress:
            progress(len(self._kept))
        return len(self._kept)

    async def frozen_before(self) -> date | None:
        """Say it."""
        self._check()
        return self.frozen

    async def remove_some(self, before: date) -> int | None:
        """Let all leave at once."""
        self._check()
        leaving = {key for key, one in self._kept.items() if self._day(one) < before}
        if not leaving:
            return None
        self.frozen, self._frozen_zone = max(before, self.frozen or before), self.zone
        self._kept = {key: one for key, one in self._kept.items() if key not in leaving}
        self._spent |= leaving
        return len(leaving)

    async def give_back(self) -> bool:
        """Memory has no disk."""
        return False

    def _day(self, activity: Activity) -> date:
        return activity.occurred_at.astimezone(self.zone).date()

    def _expected(self) -> list[Activity]:
        """List what is frozen, as it was counted, and what is there of other days."""
        if self.frozen is None:
            return list(self._kept.values())
        frozen = [one for one in self._counted if self._day(one) < self.frozen]
        return frozen + [one for one in self._kept.values() if self._day(one) >= self.frozen]

    async def trouble(self) -> str | None:
        """There is none of its own: nobody else counts."""
        self._check()
        return self.days_trouble

    async def verify(self, progress: Progress | None = None) -> Difference | None:
        """Compare what is counted with what is kept."""
        counted, kept = _figures(self._fold()), _figures(fold(self._expected(), self.zone))
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
        return self.frozen is not None and date_of(day) < self.frozen

    async def forget_frozen_days(self, wanted: ToRemove) -> bool:
        """Let what they did be nobody's."""
        self._check()
        frozen = self.frozen or date.min

        def is_theirs(one: Activity) -> bool:
            anonymous = None if one.anonymous_id is None else ANONYMOUS + one.anonymous_id
            return self._day(one) < frozen and (one.user_id or anonymous) in wanted.visitors

        theirs = {one.activity_id for one in self._counted if one.type not in STATEMENTS and is_theirs(one)}
        self._counted = [
            one._replace(user_id=None, anonymous_id=None) if one.activity_id in theirs else one for one in self._counted
        ]
        return bool(theirs)

    async def spend(self, ids: Sequence[ActivityId]) -> None:
        """Note them."""
        self._check()
        self._spent |= set(ids)

    async def counted(self) -> Sequence[Activity]:
        """List what is counted, statements too."""
        self._check()
        return self._counted

    def _fold(self) -> Fold:
        self._check()
        return fold(self._counted, self.zone)

    def _check(self) -> None:
        if self.unavailable is not None:
            raise HistoryUnavailableError(self.unavailable)


def _of_persons(found: Fold) -> Collection[UserDays]:
    """Give the days of each person."""
    said = found.statements
    person_of = persons_by(owners_by(claims_in(said)), aliases_in(said))
    persons: dict[Key, UserDays] = {}
    for key, visits in found.visits.items():
        name = person_of.get(key, key)
        persons[name] = together(visits, persons.get(name, visits))
    return persons.values()


def _added_by(sums: Mapping[tuple[int, str], Total], type_: str, first: int, last: int) -> Mapping[int, Total]:
    """Leave out the type, or the other types."""
    wanted = [({key[0]: total}) for key, total in sums.items() if type_ in ("", key[1]) and first <= key[0] <= last]
    return added_up(wanted)


def _figures(found: Fold) -> dict[str, str]:
    """Write every figure of a fold under its name."""
    figures: dict[str, str] = {}
    for (day, type_), (count, sum_) in found.totals.items():
        figures[f"count of {type_} on {date_of(day)}"] = str(count)
        figures[f"sum of {type_} on {date_of(day)}"] = f"{sum_:f}"
    of_users = _figures_of_users(found)
    for (type_, granularity, period), users in of_users.active.items():
        figures[f"users with {type_ or 'any'} in the {granularity} of {start_of(granularity, period)}"] = str(users)
    for cell, users in of_users.cells.items():
        start = start_of(cell.granularity, cell.cohort)
        figures[f"users of the {cell.granularity} of {start}, {cell.later} {cell.granularity}s later"] = str(users)
    return figures


def _figures_of_users(found: Fold, retained: Collection[str] = ()) -> UserFigures:
    figures = UserFigures(retained)
    for days in _of_persons(found):
        figures.move(None, days)
    return figures


def _figures_of(plan_id: str, sums: Sums) -> PlanFigures:
    """Add up the days of a plan."""
    days = days_of_plan(sums)
    paid = sum((day.sum for day in days), Decimal())
    return PlanFigures(plan_id, sum(day.views for day in days), sum(day.purchases for day in days), paid)
