"""A calendar -> options: its properties mean the same everywhere, so that only those that it has are named."""

from dataclasses import dataclass, field
from zoneinfo import available_timezones

from app.adapters.outbound.providers.inspection.nodes import Node
from app.adapters.outbound.providers.inspection.options_of_choices import Options, shortened

_LOCAL = (len("20260501"), len("20260501T200000"))
"""Lengths of starts without a Z."""


@dataclass(slots=True)
class CalendarOptions:
    """Options for a calendar, and what it says of its times."""

    options: Options = field(default_factory=Options)
    timezone: str | None = None
    is_local: bool = False


def calendar_options(root: Node) -> CalendarOptions:
    """Say what a calendar has that is not mapped by itself."""
    events = [node for node in root.descend() if node.name == "VEVENT"]
    repeating = sum(any(child.name == "RRULE" for child in event.children) for event in events)
    found = CalendarOptions(timezone=_time_zone(root), is_local=any(len(text) in _LOCAL for text in _starts(events)))
    found.options.said = {"format": "icalendar", "horizon": 365}
    found.options.note("horizon", f"days ahead; {repeating} of {len(events)} events repeat by a rule")
    found.options.note("format", "what its events say needs no mapping (doc/providers/calendars.md)")
    if pictures := [child.text for event in events for child in event.children if child.name == "IMAGE"]:
        found.options.said["fields"] = {"image": "IMAGE"}
        found.options.note("fields.image", shortened(pictures[0]))
    return found


def _time_zone(root: Node) -> str | None:
    said = [child.text for node in root.descend() for child in node.children if child.name in ("X-WR-TIMEZONE", "TZID")]
    return next((text for text in said if text in available_timezones()), None)


def _starts(events: list[Node]) -> list[str]:
    return [child.text for event in events for child in event.children if child.name == "DTSTART"]
