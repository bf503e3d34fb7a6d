"""The port of the questions about periods: what was counted in each day, week, month or hour of a range."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from app.domain.dimensions import DimensionValue
from app.domain.rollups import Day, Hour
from app.domain.series import Total
from app.domain.stats import Granularity, TypeTotal


class FigureIncompleteError(Exception):
    """A figure does not count all activities: it is newer than they are, or was configured since."""

    def __init__(self, figure: str) -> None:
        """Name it, and say what helps."""
        super().__init__(f"{figure} does not count all activities yet: run `marquee stats rebuild`, which counts them")


@dataclass(frozen=True, slots=True)
class DimensionQuestion:
    """Which activities are counted by which dimension; both days are included."""

    dimension: str
    first: date
    last: date
    type: str = ""
    value: str | None = None
    """Of one value alone."""


class DimensionRow(NamedTuple):
    """What was counted of a value on a day."""

    value: DimensionValue
    day: Day
    total: Total


class PeriodStats(Protocol):
    """The rollups, read by periods. Every answer costs what it holds; periods in which nothing was may be missing.

    An empty type stands for activities of all types.

    All methods raise HistoryUnavailableError when nobody can tell now, and FigureIncompleteError.
    """

    @abstractmethod
    async def active(self, granularity: Granularity, first: int, last: int, type_: str = "") -> Mapping[int, int]:
        """Count the users of the periods `first` to `last`, by their numbers: with a type, or with any."""

    @abstractmethod
    async def users_between(self, first: Day, last: Day, type_: str = "") -> int:
        """Count the users who were active on some of these days, each once. Costs what all users have done."""

    @abstractmethod
    async def days(self, first: date, last: date, type_: str = "") -> Mapping[Day, Total]:
        """Tell what was counted on each day of a range, both bounds included."""

    @abstractmethod
    async def hours(self, hours: Sequence[Hour], type_: str = "") -> Mapping[Hour, Total]:
        """Tell what was counted in each of these hours, which are ascending and have none between them."""

    @abstractmethod
    async def totals_between(self, first: date, last: date, after: str, limit: int) -> Sequence[TypeTotal]:
        """List the types of a range of days, both included, by name: the first `limit` behind `after`."""

    @abstractmethod
    async def by_value(self, asked: DimensionQuestion, limit: int) -> Sequence[DimensionRow]:
        """Tell what was counted of each value of a dimension on each day of a range.

        Of the `limit` values with the most activities, most first (equal ones by their codes); the days of each ascend.
        """
