"""Ranges of time that activities are taken out of."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from app.domain.errors import ListEndsBeforeItStartsError

Bound = datetime | date
"""A datetime (aware) is an instant; a date is that day in the zone of the stats."""

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ActivitySpan:
    """From `begins` on, and before `ends`; None leaves a side open. Both are aware."""

    begins: datetime | None = None
    ends: datetime | None = None

    def holds(self, occurred_at: datetime) -> bool:
        """Tell whether an instant lies in it."""
        return (self.begins is None or self.begins <= occurred_at) and (self.ends is None or occurred_at < self.ends)


def span_of(first: Bound | None, last: Bound | None, zone: tzinfo) -> ActivitySpan:
    """Make the span from `first` to `last`, both included: a date is the whole day in `zone`.

    Raises:
        ListEndsBeforeItStartsError: it would end before it begins.
    """
    begins = first if first is None or isinstance(first, datetime) else _begin_of(first, zone)
    ends = None if last is None else _behind(last, zone)
    if first is not None and last is not None and begins is not None and ends is not None and begins >= ends:
        raise ListEndsBeforeItStartsError(first, last)
    return ActivitySpan(begins, ends)


def _behind(last: Bound, zone: tzinfo) -> datetime | None:
    """Say when it is over; None: the calendar ends before."""
    try:
        return last + _MICROSECOND if isinstance(last, datetime) else _begin_of(last + _DAY, zone)
    except OverflowError:
        return None


def _begin_of(day: date, zone: tzinfo) -> datetime:
    """Say when a day begins; where midnight was skipped, that is the instant of the change."""
    return datetime.combine(day, time(), zone)
