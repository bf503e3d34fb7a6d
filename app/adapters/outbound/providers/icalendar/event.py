"""The lines of one VEVENT -> what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from app.adapters.outbound.providers.icalendar.components import Block
from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.occurrence import MAX_SOURCE
from app.adapters.outbound.providers.icalendar.properties import Property, Value, read_property
from app.adapters.outbound.providers.icalendar.rules import Rule, read_rule
from app.adapters.outbound.providers.icalendar.times import read_duration, read_time
from app.adapters.outbound.providers.icalendar.zone_directory import ZoneDirectory
from app.adapters.outbound.providers.icalendar.zones import UTC_TIMES, Zone
from app.domain.feeds import RejectionReason

_DAY = timedelta(days=1)
_OF_TIME = frozenset({"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "EXRULE"})
_ONCE = (_OF_TIME - {"RRULE", "RDATE", "EXDATE"}) | {"UID"}


class Start(NamedTuple):
    """A date or a time, and where it stands."""

    clock: datetime
    """Naive; the midnight of a date."""
    zone: Zone
    """Of a date, that of the plan."""
    whole_day: bool

    @property
    def at(self) -> datetime:
        """The instant (aware, UTC); of a date that of its midnight."""
        return self.zone.instant(self.clock)

    @property
    def written(self) -> str:
        """As a RECURRENCE-ID is written."""
        if self.whole_day:
            return self.clock.date().isoformat().replace("-", "")
        text = self.clock.isoformat(timespec="seconds").replace("-", "").replace(":", "")
        return f"{text}Z" if self.zone is UTC_TIMES else text


class Length(NamedTuple):
    """How long it lasts: days by the wall clock, and then exact time; of whole days their number."""

    days: int = 0
    exact: timedelta = timedelta()
    endless: bool = False
    """The calendar says no end."""


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One VEVENT, judged."""

    uid: str | None
    start: Start
    length: Length
    original: Start | None
    """RECURRENCE-ID: it is an override."""
    onwards: bool
    """Whether it is one of all later occurrences, too (RANGE=THISANDFUTURE)."""
    rules: Sequence[Rule]
    added: Sequence[tuple[Start, Length | None]]
    """RDATE; with a length of its own where it is a PERIOD."""
    excluded: frozenset[datetime]
    """EXDATE, as instants."""
    excluded_days: frozenset[datetime]
    """EXDATE, as dates (naive midnights): each takes all occurrences of its day away."""
    properties: Mapping[str, Sequence[Value]]
    left_out: Sequence[str]
    line: int
    source: str

    @property
    def recurs(self) -> bool:
        """Whether it is a series."""
        return bool(self.rules or self.added)


def read_event(block: Block, zones: ZoneDirectory) -> CalendarEvent:
    """Judge a block.

    Raises:
        UnusableEventError: it cannot be used; the message says why.
        OverflowError: a time of it lies outside of the years 1 to 9999.
    """
    if block.fault:
        raise UnusableEventError(RejectionReason.INVALID_VALUE, block.fault)
    found, left_out = _properties(block)
    reading = _Reading(found, zones, block.calendar)
    start = reading.start()
    excluded, excluded_days = reading.excluded(start)
    original = reading.one("RECURRENCE-ID")
    return CalendarEvent(
        uid=uid.values()[0].text if (uid := reading.one("UID")) else None,
        start=start,
        length=reading.length(start),
        original=reading.time(original, original.raw) if original else None,
        onwards=original is not None and original.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
        rules=[read_rule(one.raw) for one in found.get("RRULE", ())],
        added=[reading.added(one, text, start) for one, text in reading.listed("RDATE")],
        excluded=excluded,
        excluded_days=excluded_days,
        properties={name: [value for one in said for value in one.values()] for name, said in found.items()},
        left_out=left_out,
        line=block.number,
        source=source_of(block),
    )


def source_of(block: Block) -> str:
    """Give the lines of a block for people."""
    lines, size = [f"BEGIN:{block.kind}"], 0
    for line in block.lines:
        lines.append(line.content[:MAX_SOURCE].decode("utf-8", "replace"))
        size += len(lines[-1])
        if size > MAX_SOURCE:
            break
    return "\n".join(lines)[:MAX_SOURCE]


def _properties(block: Block) -> tuple[dict[str, list[Property]], list[str]]:
    found: dict[str, list[Property]] = {}
    left_out = []
    for line in block.lines:
        said = read_property(line)
        if not line.cut:
            found.setdefault(said.name, []).append(said)
        elif said.name in _OF_TIME:
            message = f"{said.name} has more than {len(line.content):,} bytes, expected at most as many"
            raise UnusableEventError(RejectionReason.INVALID_VALUE, message, line.number)
        else:
            left_out.append(said.name)
    return found, left_out


class _Reading:
    """The properties of one event, asked one by one."""

    def __init__(self, found: Mapping[str, Sequence[Property]], zones: ZoneDirectory, calendar: int) -> None:
        self._found = found
        self._zones = zones
        self._calendar = calendar
        for name in _ONCE.intersection(found):
            if len(found[name]) > 1:
                message = f"there are {len(found[name])} lines {name}, expected one"
                raise UnusableEventError(RejectionReason.INVALID_VALUE, message, found[name][1].line)
        if "EXRULE" in found:
            message = "it has an EXRULE, which RFC 5545 has no more, expected EXDATE"
            raise UnusableEventError(RejectionReason.INVALID_VALUE, message, found["EXRULE"][0].line)

    def one(self, name: str) -> Property | None:
        return self._found[name][0] if name in self._found else None

    def listed(self, name: str) -> list[tuple[Property, str]]:
        return [(one, text) for one in self._found.get(name, ()) for text in one.raw.split(",")]

    def start(self) -> Start:
        said = self.one("DTSTART")
        if said is None:
            raise UnusableEventError(RejectionReason.MISSING_ATTRIBUTE, "it has no DTSTART")
        return self.time(said, said.raw)

    def time(self, said: Property, text: str) -> Start:
        time = read_time(said.name, text)
        if time.utc:
            return Start(time.clock, UTC_TIMES, whole_day=False)
        tzid = said.parameters.get("TZID")
        if time.whole_day or tzid is None:
            return Start(time.clock, self._zones.of_plan, time.whole_day)
        return Start(time.clock, self._zones.find(self._calendar, tzid), whole_day=False)

    def length(self, start: Start) -> Length:
        end, duration = self.one("DTEND"), self.one("DURATION")
        if end:
            return _between(start, self.time(end, end.raw), "DTEND")
        if duration:
            return _lasting(start, duration.raw)
        return Length(days=1) if start.whole_day else Length(endless=True)

    def excluded(self, start: Start) -> tuple[frozenset[datetime], frozenset[datetime]]:
        """Give EXDATE as instants and as days; of a series of whole days all as days."""
        times = [self.time(one, text) for one, text in self.listed("EXDATE")]
        instants = frozenset(time.at for time in times if not time.whole_day)
        days = frozenset(time.clock for time in times if time.whole_day)
        if start.whole_day:
            return frozenset(), days | {_midnight(time.clock) for time in times}
        return instants, days

    def added(self, said: Property, text: str, start: Start) -> tuple[Start, Length | None]:
        begin, slash, end = text.partition("/")
        time = self.time(said, begin)
        if time.whole_day and not start.whole_day:  # the day alone: at the time at which the series begins
            time = Start(datetime.combine(time.clock, start.clock.time()), start.zone, whole_day=False)
        elif start.whole_day and not time.whole_day:
            time = Start(_midnight(time.clock), start.zone, whole_day=True)
        if not slash:
            return time, None
        if end[:1] in ("P", "p", "+", "-"):
            return time, _lasting(time, end)
        return time, _between(time, self.time(said, end), "RDATE")


def _between(start: Start, end: Start, name: str) -> Length:
    if start.whole_day is not end.whole_day:
        message = f"{name} is a {'date' if end.whole_day else 'time'}, expected the same as DTSTART"
        raise UnusableEventError(RejectionReason.INVALID_DATE, message)
    if end.at < start.at:
        message = f"{name} is {end.clock}, expected no time before the start, {start.clock}"
        raise UnusableEventError(RejectionReason.ENDS_BEFORE_START, message)
    if start.whole_day:
        return Length(days=max(1, (end.clock - start.clock).days))
    return Length(exact=end.at - start.at)


def _lasting(start: Start, text: str) -> Length:
    duration = read_duration("DURATION", text)
    if start.whole_day:
        return Length(days=max(1, duration.days - (-duration.exact // _DAY)))
    return Length(days=duration.days, exact=duration.exact)


def _midnight(clock: datetime) -> datetime:
    return datetime.combine(clock, datetime.min.time())
