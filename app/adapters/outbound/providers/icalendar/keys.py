"""Under which keys an override is kept, and looked for: instants and dates as texts that sort as they do."""

from datetime import datetime

from app.adapters.outbound.providers.icalendar.event import Start
from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.index import Identity
from app.adapters.outbound.providers.icalendar.times import read_time
from app.adapters.outbound.providers.icalendar.zone_directory import ZoneDirectory
from app.adapters.outbound.providers.icalendar.zones import UTC_TIMES, Zone


def key_of(original: Start) -> str:
    """Give the key of what begins there."""
    if original.whole_day:
        return f"date {original.clock.date().isoformat()}"
    return f"time {original.at.replace(tzinfo=None).isoformat()}"


def keys_of(start: Start, zone: Zone) -> tuple[str, ...]:
    """Give the keys by which the override of a slot may be kept: its own, and that of its day by the series' clock."""
    if start.whole_day:
        return key_of(start), key_of(start._replace(whole_day=False))
    day = datetime.combine(zone.clock(start.at), datetime.min.time())
    return key_of(start), key_of(Start(day, zone, whole_day=True))


def key_of_override(identity: Identity, calendar: int, zones: ZoneDirectory) -> str:
    """Give the key of an override; one whose RECURRENCE-ID cannot be read has a key that nothing asks for."""
    try:
        time = read_time("RECURRENCE-ID", identity.recurrence_id)
        zone = zones.of_plan if identity.tzid is None or time.utc else zones.find(calendar, identity.tzid)
        return key_of(Start(time.clock, UTC_TIMES if time.utc else zone, time.whole_day))
    except (UnusableEventError, OverflowError):
        return f"unreadable {identity.recurrence_id}"
