"""When an occurrence begins and ends, as Marquee keeps times: wall clocks in an IANA zone."""

from datetime import date, datetime, timedelta

from app.adapters.outbound.providers.icalendar.event import Length, Start
from app.adapters.outbound.providers.icalendar.occurrence import Moment, Occurrence
from app.adapters.outbound.providers.icalendar.zones import NamedZone

_DAY = timedelta(days=1)


def told_times(start: Start, length: Length, of_plan: NamedZone) -> tuple[Moment | date, Moment | date | None]:
    """Give start and end, both in one zone: the one that the calendar means, or that of the plan.

    Raises:
        OverflowError: one of them lies outside of the years 1 to 9999.
    """
    if start.whole_day:
        first = start.clock.date()
        return first, first + timedelta(days=length.days - 1)
    at = start.at
    ends_at = None if length.endless else _end(start, at, length)
    name = start.zone.name_for((at, ends_at or at))
    zone = NamedZone(name) if name else of_plan
    starts = Moment(start.clock if name else zone.clock(at), zone.name, at)
    return starts, Moment(zone.clock(ends_at), zone.name, ends_at) if ends_at else None


def _end(start: Start, at: datetime, length: Length) -> datetime:
    """Days by the wall clock first, exact time then (RFC 5545, 3.3.6)."""
    base = start.zone.instant(start.clock + timedelta(days=length.days)) if length.days else at
    return base + length.exact


def instants_of(occurrence: Occurrence, of_plan: NamedZone) -> tuple[datetime, datetime | None]:
    """Give start and end as instants (aware, UTC); whole days end with their last, wherever on earth it is told."""
    starts, ends = occurrence.starts, occurrence.ends
    if isinstance(starts, Moment):
        return starts.at, ends.at if isinstance(ends, Moment) else None
    last = starts if ends is None or isinstance(ends, Moment) else ends
    midnight = datetime.min.time()
    return (
        of_plan.instant(datetime.combine(starts, midnight)),
        of_plan.instant(datetime.combine(last + _DAY, midnight)) + _DAY,
    )
