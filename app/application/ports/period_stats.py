"""The port of the questions about periods: what was counted in each day, week, month or hour of a range."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol

from app.domain.stats import Granularity


class PeriodStats(Protocol):
    """The rollups, read by periods. Every answer costs what it holds; periods in which nothing was may be missing.

    All methods raise HistoryUnavailableError when nobody can tell now.
    """

    @abstractmethod
    async def active(self, granularity: Granularity, first: int, last: int, type_: str = "") -> Mapping[int, int]:
        """Count the users of the periods `first` to `last`, by their numbers: with a type, or with any."""
