"""The time zones that a file describes, and those that are known without it."""

from functools import lru_cache, partial

from app.adapters.outbound.providers.icalendar.components import Block
from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.index import CalendarIndex
from app.adapters.outbound.providers.icalendar.lines import Line
from app.adapters.outbound.providers.icalendar.properties import read_property
from app.adapters.outbound.providers.icalendar.work import STEPS_OF_A_ZONE, CalendarWork, Work
from app.adapters.outbound.providers.icalendar.zone_rules import FileRules, read_zone_rules
from app.adapters.outbound.providers.icalendar.zones import FileZone, NamedZone, Zone, meant_by
from app.domain.feeds import RejectionReason


class ZoneDirectory:
    """Finds what a TZID means: the VTIMEZONE of its calendar, else the IANA zone that it is or ends in."""

    def __init__(self, index: CalendarIndex, timezone: str, work: CalendarWork) -> None:
        self.of_plan = NamedZone(timezone)
        """Where times without a zone stand."""
        self._index = index
        self._find = lru_cache(maxsize=1024)(self._look_up)
        self._rules = lru_cache(maxsize=256)(partial(_read, work))
        """Calendars that are joined to one file describe the same zones again and again."""

    def keep(self, block: Block) -> None:
        """Take note of a VTIMEZONE; one without a name that can be read helps nobody."""
        tzid = _tzid(block)
        if tzid is not None:
            rules = b"" if block.fault else b"\n".join(line.content for line in block.lines)
            self._index.keep_zone(block.calendar, tzid, rules)

    def find(self, calendar: int, tzid: str) -> Zone:
        """Find a zone.

        Raises:
            UnusableEventError: nobody knows it, or the file describes it wrongly.
        """
        found = self._find(calendar, tzid)
        if isinstance(found, str):
            raise UnusableEventError(RejectionReason.INVALID_DATE, found)
        return found

    def _look_up(self, calendar: int, tzid: str) -> Zone | str:
        meant = meant_by(tzid)
        described = self._index.zone(calendar, tzid)
        rules = self._rules(described) if described is not None else f"there is no VTIMEZONE for the TZID {tzid[:80]!r}"
        if isinstance(rules, FileRules):
            return FileZone(rules, meant)
        return NamedZone(meant) if meant else f"{rules}, expected one or a TZID that is or ends in an IANA name"


def _read(of_calendar: CalendarWork, described: bytes) -> FileRules | str:
    work = Work(of_calendar, STEPS_OF_A_ZONE, "the rules of its time zone take")
    try:
        return read_zone_rules([Line(0, 0, line, cut=False) for line in described.split(b"\n")], work)
    except (UnusableEventError, OverflowError) as error:
        return f"the VTIMEZONE cannot be used ({error})"


def _tzid(block: Block) -> str | None:
    for line in block.lines:
        if line.content[:4].upper() == b"TZID":
            try:
                return read_property(line).values()[0].text
            except UnusableEventError:
                return None
    return None
