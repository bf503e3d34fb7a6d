"""What the first pass over a calendar reads of an event: who it is, however faulty the rest may be."""

import re

from app.adapters.outbound.providers.icalendar.components import Block
from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.index import Identity
from app.adapters.outbound.providers.icalendar.properties import Property, read_property

_NAMES = re.compile(rb"(UID|RECURRENCE-ID|SEQUENCE|DTSTAMP)[:;]", re.IGNORECASE)
_RECURRING = re.compile(rb"(RRULE|RDATE)[:;]", re.IGNORECASE)
_SEQUENCE = re.compile(r"\d{1,9}", re.ASCII)


def identity_of(block: Block) -> Identity | None:
    """Read who an event is; None when it has no UID that can be read."""
    found: dict[str, Property] = {}
    for line in block.lines:
        if _NAMES.match(line.content) and not line.cut:
            try:
                said = read_property(line)
            except UnusableEventError:
                continue
            found.setdefault(said.name, said)
    if "UID" not in found:
        return None
    original = found.get("RECURRENCE-ID")
    return Identity(
        uid=found["UID"].values()[0].text,
        recurrence_id=original.raw if original else "",
        tzid=original.parameters.get("TZID") if original else None,
        onwards=original is not None and original.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
        sequence=int(found["SEQUENCE"].raw)
        if "SEQUENCE" in found and _SEQUENCE.fullmatch(found["SEQUENCE"].raw)
        else 0,
        stamp=found["DTSTAMP"].raw if "DTSTAMP" in found else "",
    )


def recurs(block: Block) -> bool:
    """Tell whether an event says that it recurs."""
    return any(_RECURRING.match(line.content) for line in block.lines)
