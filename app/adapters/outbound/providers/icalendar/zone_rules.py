"""The rules of a VTIMEZONE (RFC 5545, 3.6.5): which offset holds when."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from heapq import merge

from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.lines import Line
from app.adapters.outbound.providers.icalendar.properties import Property, read_property
from app.adapters.outbound.providers.icalendar.recurrence import expand
from app.adapters.outbound.providers.icalendar.rules import Rule, read_rule
from app.adapters.outbound.providers.icalendar.times import read_offset, read_time
from app.adapters.outbound.providers.icalendar.work import Work
from app.domain.feeds import RejectionReason

_AROUND = timedelta(days=800)
"""How far from the year that is asked for onsets are reckoned: one of a yearly rule lies within."""
_DAY = timedelta(days=1)
_YEARS_KEPT = 256
_LONG_BEFORE = datetime.min  # noqa: DTZ901 - naive, as all clocks here


@dataclass(frozen=True, slots=True)
class Observance:
    """One STANDARD or DAYLIGHT: from each of its onsets on, until the next one of any, its offset holds."""

    start: datetime
    """The first onset, by the clock that held before it."""
    before: timedelta
    after: timedelta
    rules: tuple[Rule, ...] = ()
    onsets: tuple[datetime, ...] = ()
    """Those that are written one by one, by the same clock."""

    def onsets_in(self, since: datetime, until: datetime, work: Work) -> list[datetime]:
        """Give the onsets (naive, UTC) between two instants, and the last one before them."""
        work.take(len(self.onsets))
        clocks = {self.start, *self.onsets}
        for rule in self.rules:
            clocks.update(self._of_rule(rule, since, until, work))
        instants = sorted(clock - self.before for clock in clocks)
        return instants[max(0, bisect_right(instants, since) - 1) : bisect_right(instants, until)]

    def _of_rule(self, rule: Rule, since: datetime, until: datetime, work: Work) -> Iterator[datetime]:
        last = self._last(rule)
        begin = min(since, last - _AROUND) if last - _LONG_BEFORE > _AROUND else since
        for clock in expand(rule, self.start, since=begin, before=until + _DAY, work=work):
            if clock <= last:
                yield clock

    def _last(self, rule: Rule) -> datetime:
        """Give the clock of UNTIL, which is an instant here as a rule."""
        if rule.until is None:
            return datetime.max  # noqa: DTZ901 - naive
        return rule.until.clock + (self.before if rule.until.utc else timedelta())


@dataclass(slots=True, eq=False)
class FileRules:
    """All observances of a VTIMEZONE; clocks and instants are naive."""

    observances: Sequence[Observance]
    work: Work
    """What is left for all that is asked of it."""
    _years: dict[int, tuple[list[datetime], list[timedelta]]] = field(default_factory=dict)

    def offset_at(self, at: datetime) -> timedelta:
        """Tell which offset holds at an instant."""
        onsets, offsets = self._around(at.year)
        found = bisect_right(onsets, at)
        return offsets[found]

    def offset_of(self, clock: datetime) -> timedelta:
        """Tell by which offset a wall clock becomes an instant: of two the earlier instant; in a gap the one before."""
        earlier, later = self.offset_at(clock - _DAY), self.offset_at(clock + _DAY)
        for offset in (earlier, later):
            if self.offset_at(clock - offset) == offset:
                return offset
        return earlier

    def _around(self, year: int) -> tuple[list[datetime], list[timedelta]]:
        if year not in self._years:
            if len(self._years) >= _YEARS_KEPT:
                self._years.clear()
            self._years[year] = self._reckoned(year)
        return self._years[year]

    def _reckoned(self, year: int) -> tuple[list[datetime], list[timedelta]]:
        since = datetime(max(year, MINYEAR + 3), 1, 1) - _AROUND  # noqa: DTZ001 - naive
        until = datetime(min(year, MAXYEAR - 3), 12, 31) + _AROUND  # noqa: DTZ001 - naive
        told = [
            [(onset, observance.after) for onset in observance.onsets_in(since, until, self.work)]
            for observance in self.observances
        ]
        onsets = list(merge(*told))
        first = min(self.observances, key=lambda observance: observance.start).before
        return [onset for onset, _ in onsets], [first, *(offset for _, offset in onsets)]


def read_zone_rules(lines: Sequence[Line], work: Work) -> FileRules:
    """Read the lines of a VTIMEZONE; `work` is what may be done for it, now and later.

    Raises:
        UnusableEventError: it cannot be used; the message says why.
    """
    parts: list[list[Property]] = []
    inside = False
    for line in lines:
        name = line.content.upper().strip()
        if name in {b"BEGIN:STANDARD", b"BEGIN:DAYLIGHT"}:
            inside = True
            parts.append([])
        elif name in {b"END:STANDARD", b"END:DAYLIGHT"}:
            inside = False
        elif inside:
            parts[-1].append(read_property(line))
    if not parts:
        raise UnusableEventError(RejectionReason.MISSING_ATTRIBUTE, "it has neither STANDARD nor DAYLIGHT")
    return FileRules([_observance(part) for part in parts], work)


def _observance(properties: list[Property]) -> Observance:
    return Observance(
        start=read_time("DTSTART", _only(properties, "DTSTART")).clock,
        before=read_offset("TZOFFSETFROM", _only(properties, "TZOFFSETFROM")),
        after=read_offset("TZOFFSETTO", _only(properties, "TZOFFSETTO")),
        rules=tuple(read_rule(found.raw) for found in properties if found.name == "RRULE"),
        onsets=tuple(
            read_time("RDATE", text.partition("/")[0]).clock
            for found in properties
            if found.name == "RDATE"
            for text in found.raw.split(",")
        ),
    )


def _only(properties: list[Property], name: str) -> str:
    for found in properties:
        if found.name == name:
            return found.raw
    raise UnusableEventError(RejectionReason.MISSING_ATTRIBUTE, f"an observance has no {name}")
