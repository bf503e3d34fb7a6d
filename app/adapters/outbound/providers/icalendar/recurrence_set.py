"""A series -> where its occurrences begin, as it says itself: rules, added and excluded ones (RFC 5545, 3.8.5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from operator import attrgetter

from app.adapters.outbound.providers.icalendar.event import CalendarEvent, Length, Start
from app.adapters.outbound.providers.icalendar.recurrence import expand
from app.adapters.outbound.providers.icalendar.rules import Frequency, Rule
from app.adapters.outbound.providers.icalendar.work import Work
from app.adapters.outbound.providers.icalendar.zones import UTC_TIMES

_MARGIN = timedelta(days=2)
"""More than any two clocks differ."""
_FIRST = datetime(1, 1, 3)  # noqa: DTZ001 - naive
_LAST = datetime(9999, 12, 29)  # noqa: DTZ001 - naive


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an occurrence begins by its series, before any override."""

    at: datetime
    """Aware, UTC."""
    start: Start
    length: Length


def slots(series: CalendarEvent, *, since: datetime, before: datetime, work: Work) -> Iterator[Slot]:
    """Give the slots of a series by their instants, each once; all from `since` to `before` (aware), and some more.

    Raises:
        UnusableEventError: its rules take more than `work` has.
    """
    span = (_clock(since - _MARGIN), _clock(before + _MARGIN))
    added = sorted((_added(series, start, length) for start, length in series.added), key=attrgetter("at"))
    expanded = [_of_rule(series, rule, span, work) for rule in series.rules]
    if not series.rules:
        expanded = [iter([Slot(series.start.at, series.start, series.length)])]
    last = None
    for slot in merge(added, *expanded, key=attrgetter("at")):
        if slot.at != last:
            last = slot.at
            yield slot


def excludes(series: CalendarEvent, start: Start) -> bool:
    """Tell whether a series takes away what begins there; a date takes away all of its day."""
    at = start.at
    if at in series.excluded:
        return True
    clock = start.clock if start.whole_day else series.start.zone.clock(at)
    return datetime.combine(clock, datetime.min.time()) in series.excluded_days


def _clock(at: datetime) -> datetime:
    return min(max(at.astimezone(UTC).replace(tzinfo=None), _FIRST), _LAST)


def _added(series: CalendarEvent, start: Start, length: Length | None) -> Slot:
    """Give an added one by the clock of its series, as long as that can say the instant."""
    at = start.at
    own = Start(series.start.zone.clock(at), series.start.zone, start.whole_day)
    if own.at != at:
        own = Start(at.replace(tzinfo=None), UTC_TIMES, whole_day=False)
    return Slot(at, own, series.length if length is None else length)


def _of_rule(series: CalendarEvent, rule: Rule, span: tuple[datetime, datetime], work: Work) -> Iterator[Slot]:
    zone, whole_day = series.start.zone, series.start.whole_day
    for clock in expand(rule, series.start.clock, since=span[0], before=span[1], work=work):
        start = Start(clock, zone, whole_day)
        at = start.at
        if _is_over(rule, start, at):
            return
        if rule.frequency < Frequency.HOURLY or zone.clock(at) == clock:  # hours that the clock leaves out are no slots
            yield Slot(at, start, series.length)


def _is_over(rule: Rule, start: Start, at: datetime) -> bool:
    if rule.until is None:
        return False
    if rule.until.whole_day:
        return start.clock.date() > rule.until.clock.date()
    if not rule.until.utc:
        return start.clock > rule.until.clock
    until = rule.until.clock.replace(tzinfo=UTC)
    return start.clock > start.zone.clock(until) if start.whole_day else at > until
