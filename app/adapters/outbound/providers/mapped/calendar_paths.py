"""Paths of iCalendar: a property of the event (`SUMMARY`), or a parameter of it (`ORGANIZER;CN`).

`DTSTART` and `DTEND` are when the occurrence begins and ends, whatever the calendar says it with; `RECURRENCE-ID` is
where its series says that it begins, and nothing for an event that does not recur. `GEO/latitude` and `GEO/longitude`
are the parts of GEO.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent, Occurrence
from app.adapters.outbound.providers.icalendar.occurrence import Moment as CalendarMoment
from app.adapters.outbound.providers.mapped.moments import Moment
from app.adapters.outbound.providers.mapped.paths import Path, PathError, Paths, Value
from app.adapters.outbound.providers.reading.values import UnusableError
from app.domain.feeds import RejectionReason

_PATH = re.compile(r"([A-Za-z0-9-]+)(?:;([A-Za-z0-9-]+)|/(latitude|longitude))?", re.ASCII)
_PARTS = {"latitude": 0, "longitude": 1}


class CalendarPaths(Paths):
    """The paths of iCalendar; names count in either case."""

    def compile(self, text: str, *, inside: bool = False) -> Path:
        """As the Protocol says."""
        if inside:
            raise PathError("expected no zones: a property of a calendar has nothing inside")
        found = _PATH.fullmatch(text.strip())
        if found is None or (found[3] and found[1].upper() != "GEO"):
            raise PathError("expected a property such as SUMMARY, a parameter such as ORGANIZER;CN, or GEO/latitude")
        return PropertyPath(text, found[1].upper(), (found[2] or "").upper() or None, _PARTS.get(found[3] or ""))


@dataclass(frozen=True, slots=True)
class PropertyPath(Path):
    """A property of an occurrence."""

    text: str
    name: str
    parameter: str | None
    part: int | None
    """Of a value with parts, which one."""

    def first(self, node: Any) -> Value:
        """As the Protocol says; also of an event that cannot be used who it is, where that is known.

        Raises:
            UnusableError: the calendar says more than is kept.
        """
        if isinstance(node, BrokenEvent):
            return {"UID": node.uid, "RECURRENCE-ID": node.recurrence_id}.get(self.name)
        if self.parameter is None:
            match self.name:
                case "UID":
                    return node.uid
                case "RECURRENCE-ID":
                    return node.recurrence_id or None
                case "DTSTART":
                    return _moment(node.starts)
                case "DTEND":
                    return None if node.ends is None else _moment(node.ends)
        return self._said(node)

    def _said(self, node: Occurrence) -> str | None:
        if self.name in node.left_out:
            message = f"{self.name} is too long to be kept, expected at most 256 KiB"
            raise UnusableError(RejectionReason.INVALID_VALUE, message)
        for value in node.properties.get(self.name, ()):
            text = value.text if self.parameter is None else value.parameters.get(self.parameter)
            if text:
                return text if self.part is None else _part(text, self.part)
        return None


def _part(text: str, number: int) -> str | None:
    parts = text.split(";")
    return parts[number] if number < len(parts) else text


def _moment(time: CalendarMoment | date) -> Moment:
    if isinstance(time, CalendarMoment):
        return Moment(time.at, zone=time.timezone)
    return Moment(datetime.combine(time, datetime.min.time()), has_time=False)
