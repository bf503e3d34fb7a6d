"""Calendars for tests, and what is read of them."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

from app.adapters.outbound.providers.icalendar.calendar import read_calendar
from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent, Moment, Occurrence

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)

MADRID = """BEGIN:VTIMEZONE
TZID:Europe/Madrid
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE"""


def an_event(*lines: str, uid: str | None = "one@example.com") -> str:
    """Write a VEVENT with these lines."""
    return "\n".join(["BEGIN:VEVENT", *([f"UID:{uid}"] if uid else []), *lines, "END:VEVENT"])


def a_calendar(*components: str, end: str = "\r\n") -> bytes:
    """Write a calendar of these components, of text with LF."""
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN", *components, "END:VCALENDAR", ""]
    return "\n".join(whole).replace("\n", end).encode()


def read(
    document: bytes, *, timezone: str = "Europe/Madrid", now: datetime = NOW, days: float = 365
) -> list[Occurrence | BrokenEvent]:
    """Read a whole calendar."""
    calendar = read_calendar(BytesIO(document), timezone=timezone, horizon=timedelta(days=days), now=now)
    with closing(calendar):
        return list(calendar.records())


def read_events(*components: str, timezone: str = "Europe/Madrid", days: float = 365) -> list[Occurrence]:
    """Read a calendar of these components, in which nothing is broken."""
    told = read(a_calendar(*components), timezone=timezone, days=days)
    broken = [one for one in told if isinstance(one, BrokenEvent)]
    assert broken == []
    return [one for one in told if isinstance(one, Occurrence)]


def utc(text: str) -> datetime:
    """Read an instant such as `2026-10-25 00:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(told: Sequence[Occurrence]) -> list[tuple[str, str | None]]:
    """Tell from when to when they take place: instants by the minute, or days."""
    return [(_said(one.starts), None if one.ends is None else _said(one.ends)) for one in told]


def _said(time: Moment | date) -> str:
    return f"{time.at:%Y-%m-%d %H:%MZ}" if isinstance(time, Moment) else time.isoformat()
