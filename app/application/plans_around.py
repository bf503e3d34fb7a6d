"""Tell what is on around now: the last plans, the next ones, and how many begin when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from app.application.ports.calendar import PlanCalendar
from app.application.ports.system import Clock
from app.domain.plans import SearchablePlan
from app.domain.stats import today
from app.domain.timeline import Timeline, Unit, midnight, period_starts

NEAREST = 8
"""Plans on each side of now."""
ENOUGH = 12
"""Plans that make a timeline worth looking at: with fewer in sight, it looks further."""


@dataclass(frozen=True, slots=True)
class PlansNow:
    """The catalog, seen from an instant."""

    count: int | None
    """All plans that search may find; None while they have not been loaded."""
    at: datetime
    past: Sequence[SearchablePlan]
    """The latest first; some may go on still."""
    next: Sequence[SearchablePlan]
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class PlansAround:
    """Look at the plans around now; days are days in `zone`."""

    calendar: PlanCalendar
    clock: Clock
    zone: tzinfo

    def __call__(self) -> PlansNow:
        """Never waits, never fails."""
        now = self.clock.now()
        count = self.calendar.count()
        past, following = self.calendar.around(now, NEAREST)
        return PlansNow(count, now, past, following, self._timeline(now, count or 0))

    def _timeline(self, now: datetime, count: int) -> Timeline:
        """Choose the shortest periods that show enough; years at last."""
        for unit in Unit:
            line = self._periods(unit, now)
            if sum(line.plans) >= min(ENOUGH, max(count, 1)):
                break
        return line

    def _periods(self, unit: Unit, now: datetime) -> Timeline:
        starts = period_starts(unit, today(now, self.zone))
        return Timeline(
            unit, starts[:-1], self.calendar.beginning_between([midnight(start, self.zone) for start in starts])
        )
