"""The port to the plans in the order of time: what search finds, asked by somebody who stands at an instant."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from app.domain.plans import SearchablePlan


class Neighbours(NamedTuple):
    """Plans around an instant."""

    past: Sequence[SearchablePlan]
    """Those that began by then, the latest first; some may go on still."""
    next: Sequence[SearchablePlan]
    """Those that begin after it, the earliest first."""


class PlanCalendar(Protocol):
    """The plans that search may find, in memory. Never waits, never fails; a million cost little more than a few."""

    @abstractmethod
    def count(self) -> int | None:
        """Count them all; None while they have not been loaded."""

    @abstractmethod
    def around(self, at: datetime, limit: int) -> Neighbours:
        """Find the nearest by their start, at most `limit` on each side; of equal starts, ids decide as in a search."""

    @abstractmethod
    def beginning_between(self, bounds: Sequence[datetime]) -> Sequence[int]:
        """Count those that begin in each span from a bound to the next one, which is not included; bounds ascend."""
