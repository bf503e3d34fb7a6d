"""The port of what was counted of types on each of some days."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

from app.domain.rollups import Day


class DaySums(Protocol):
    """Reads the same rollup as Stats.top_types does, by day."""

    @abstractmethod
    async def of_types(
        self, types: Collection[str], first: date, last: date
    ) -> Mapping[tuple[Day, str], tuple[int, Decimal]]:
        """Count the activities of some types on each day, both bounds included, and add up their values exactly.

        Days on which a type did not occur may be missing. It costs what days times types cost, not what was stored.

        Raises:
            HistoryUnavailableError: nobody can tell now.
        """
