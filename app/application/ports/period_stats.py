"""The port of the questions about periods: what was counted in each day, week, month or hour of a range."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from app.domain.rollups import Day, Hour
from app.domain.series import Total
from app.domain.stats import Granularity, TypeTotal


class PeriodStats(Protocol):
    """The rollups, read by periods. Every answer costs what it holds; periods in which nothing was may be missing.

    An empty type stands for activities of all types.

    All methods raise HistoryUnavailableError when nobody can tell now.
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
