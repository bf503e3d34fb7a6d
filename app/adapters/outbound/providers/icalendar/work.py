"""How much may be done for one event, for one time zone, and for one calendar."""

from dataclasses import dataclass, field

from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.domain.feeds import RejectionReason

STEPS_OF_AN_EVENT = 200_000
"""Days, hours or finer periods that are looked at, and times of a day: 500 years of days. A second of CPU time."""
STEPS_OF_A_ZONE = 200_000
"""What a usual one needs for four hundred years in which something takes place."""
STEPS_OF_A_CALENDAR = 20_000_000
"""Fifty thousand daily series over a year. A minute or two of CPU time."""


@dataclass(slots=True)
class CalendarWork:
    """What is left for a calendar."""

    left: int = STEPS_OF_A_CALENDAR


@dataclass(slots=True)
class Work:
    """What is left for an event or a time zone, and for the calendar that it stands in."""

    of_calendar: CalendarWork = field(default_factory=CalendarWork)
    left: int = STEPS_OF_AN_EVENT
    whose: str = "its recurrence takes"

    def take(self, steps: int) -> None:
        """Take note of some steps.

        Raises:
            UnusableEventError: that is more than may be, or than the calendar has left.
        """
        self.left -= steps
        self.of_calendar.left -= steps
        if self.left < 0:
            raise _too_much(f"{self.whose} too many steps, expected a rule that meets days sooner")
        if self.of_calendar.left < 0:
            raise _too_much(f"what stands before it took {STEPS_OF_A_CALENDAR:,} steps, expected fewer recurrences")


def _too_much(message: str) -> UnusableEventError:
    return UnusableEventError(RejectionReason.INVALID_VALUE, message)
