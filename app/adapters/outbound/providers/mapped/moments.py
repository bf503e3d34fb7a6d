"""Times of feeds: from a text and a list of formats to a moment, and from there to a wall clock in a plan's zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from app.adapters.formats.iso_8601 import DATE, FRACTION, HOUR_AND_MINUTE

MAX_TEXT = 100
LAST_SECOND = time(23, 59, 59)
ISO, DATE_ONLY, TIME_ONLY, UNIX, UNIX_MS = "iso", "date", "time", "unix", "unix_ms"
MINUTES, DURATION = "minutes", "duration"
LENGTHS = (MINUTES, DURATION)
"""Formats of an end that is told by how long after the start it is."""
NAMED = (ISO, DATE_ONLY, TIME_ONLY, UNIX, UNIX_MS)
EXPECTED = f"{', '.join(NAMED)} (of ends also {' and '.join(LENGTHS)}) or a strptime format such as '%d.%m.%Y %H:%M'"

_DAY = timedelta(days=1)
_TIME = rf"(?P<time>(?:{HOUR_AND_MINUTE}|24:00)(?::[0-5]\d(?:{FRACTION})?)?)"
_ZONE = r"(?P<zone>[zZ]|[-+](?:[01]\d|2[0-3])(?::?[0-5]\d)?)"
_ISO = re.compile(rf"(?P<date>{DATE})(?:[Tt ]{_TIME}\s?{_ZONE}?)?", re.ASCII)
_TIME_OF_DAY = re.compile(_TIME, re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_MINUTES = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_DURATION = re.compile(
    r"P(?=[0-9T])(?:(?P<days>[0-9]{1,4})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,5})H)?(?:(?P<minutes>[0-9]{1,6})M)?(?:(?P<seconds>[0-9]{1,8})S)?)?"
)
_END_OF_DAY = re.compile(r"24(:00(?::00)?)\b", re.ASCII)
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIRECTIVES = frozenset("aAbBdHIjmMpSfyYz%")
_OF_A_DAY = frozenset("HI")


class NotThisFormatError(ValueError):
    """A text is none of a format."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a feed says of when something begins or ends."""

    at: datetime
    """Aware when the feed tells an offset; naive when it is a wall clock of the plan's zone."""
    has_time: bool = True
    """Whether it is more than a date; a date alone is naive, at its first second."""
    zone: str | None = None
    """The zone that the feed tells it in, where a format knows that."""


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time without its day: that of the start, or the next one where it would lie before the start."""

    after_midnight: timedelta


@dataclass(frozen=True, slots=True)
class Length:
    """How long after the start the end is, exactly: a day has 24 hours."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class WallClock:
    """A moment in a zone."""

    at: datetime
    """Naive."""
    has_time: bool = True
    fold: int = 0


def format_mistake(text: str) -> str | None:
    """Say what is wrong with a format of times; None when it can be used."""
    if text in NAMED:
        return None
    if "%" not in text or len(text) > MAX_TEXT:
        return f"expected {EXPECTED}"
    directives = _DIRECTIVE.findall(text)
    if unknown := [found for found in directives if found not in _DIRECTIVES or not found]:
        return f"expected directives out of {' '.join(f'%{one}' for one in sorted(_DIRECTIVES))}, found %{unknown[0]}"
    if any(directives.count(one) > 1 for one in directives if one != "%"):
        return "expected each directive once"
    said = set(directives)
    has_date = bool(said & {"Y", "y"}) and ("j" in said or ("d" in said and bool(said & set("mbB"))))
    if not has_date and (said & set("dmbBjYy") or not said & _OF_A_DAY):
        return "expected a day, a month and a year, or a time of day alone"
    return None


@lru_cache(maxsize=4096)  # a feed repeats its times, and reading one takes some microseconds
def read_moment(text: str, formats: tuple[str, ...]) -> Moment | TimeOfDay | Length:
    """Read a text in the first of the formats that it has.

    Raises:
        NotThisFormatError: it has none of them, or names a time that does not exist.
    """
    text = text.strip()
    if len(text) <= MAX_TEXT:
        for name in formats:
            try:
                return _read(text, name)
            except (ValueError, OverflowError):
                continue
    raise NotThisFormatError(text)


def _read(text: str, name: str) -> Moment | TimeOfDay | Length:
    match name:
        case "iso":
            return _iso(text)
        case "date":
            return Moment(datetime.combine(date.fromisoformat(_whole(DATE, text)), time()), has_time=False)
        case "time":
            return TimeOfDay(_time_of_day(_matched(_TIME_OF_DAY, text)["time"]))
        case "unix" | "unix_ms":
            return _instant(float(_matched(_NUMBER, text)[0]) / (1 if name == UNIX else 1000))
        case "minutes" | "duration":
            return Length(_length(text, name))
        case _:
            return _by_strptime(text, name)


def _length(text: str, name: str) -> timedelta:
    if name == MINUTES:
        return timedelta(minutes=float(_matched(_MINUTES, text)[0]))
    return timedelta(**{unit: int(said or 0) for unit, said in _matched(_DURATION, text).groupdict().items()})


def _iso(text: str) -> Moment:
    found = _matched(_ISO, text)
    day = datetime.combine(date.fromisoformat(found["date"]), time())
    if found["time"] is None:
        return Moment(day, has_time=False)
    at = day + _time_of_day(found["time"])
    return Moment(at.replace(tzinfo=_offset(found["zone"])) if found["zone"] else at)


def _time_of_day(text: str) -> timedelta:
    hours, minutes, *seconds = text.split(":")
    whole, _, fraction = seconds[0].partition(".") if seconds else ("0", "", "")
    if hours == "24" and (int(whole) or int(fraction or 0)):
        raise NotThisFormatError(text)
    microseconds = int(f"{fraction:0<6}"[:6]) if fraction else 0
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=microseconds)


@cache
def _offset(text: str) -> ZoneInfo | None:
    moment = datetime.fromisoformat(f"2000-01-01T00:00:00{'+00:00' if text in 'zZ' else text}")
    return moment.tzinfo  # type: ignore[return-value] # a timezone, which is a tzinfo as well


def _instant(seconds: float) -> Moment:
    return Moment(datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds))


def _by_strptime(text: str, form: str) -> Moment | TimeOfDay:
    if any(letter.isdecimal() and not letter.isascii() for letter in text):
        raise NotThisFormatError(text)
    extra = timedelta()
    if "%H" in form and (ends := _END_OF_DAY.search(text)) and not text[: ends.start()][-1:].isdigit():
        text, extra = f"{text[: ends.start()]}00{text[ends.start() + 2 :]}", _DAY
    at = datetime.strptime(text, form)  # noqa: DTZ007 - naive unless the feed tells an offset
    directives = set(_DIRECTIVE.findall(form))
    if not directives & set("Yy"):
        return TimeOfDay(at.replace(tzinfo=None) - datetime(1900, 1, 1) + extra)  # noqa: DTZ001 - no day yet
    if not directives & _OF_A_DAY:
        return Moment(at.replace(tzinfo=None), has_time=False)
    return Moment(at + extra)


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise NotThisFormatError(text)
    return found


def _whole(pattern: str, text: str) -> str:
    return _matched(re.compile(pattern, re.ASCII), text)[0]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Tell whether a text is the name of an IANA time zone."""
    return name in _zones()


def in_zone(moment: Moment, zone: str) -> WallClock:
    """Tell a moment by the clocks of a zone; an instant that they show twice keeps which of the two it is.

    Raises:
        OverflowError: it would lie before year 1 or after year 9999.
    """
    if moment.at.tzinfo is None:
        return WallClock(moment.at, moment.has_time)
    local = moment.at.astimezone(ZoneInfo(zone))
    return WallClock(local.replace(tzinfo=None, fold=0), fold=local.fold)


def later(start: WallClock, zone: str, after: timedelta) -> WallClock:
    """Tell what the clocks of a zone show some time after a start: a duration is exact, whatever clocks do.

    Raises:
        OverflowError: as `in_zone`.
    """
    began = start.at.replace(tzinfo=ZoneInfo(zone), fold=start.fold).astimezone(UTC)
    return in_zone(Moment(began + after), zone)


def on_its_day(start: WallClock, end: TimeOfDay) -> Moment:
    """Give the end of which only the time of day is known: at or after the start, within a day.

    Raises:
        OverflowError: there is no next day.
    """
    at = datetime.combine(start.at.date(), time()) + end.after_midnight
    return Moment(at if at >= start.at else at + _DAY)
