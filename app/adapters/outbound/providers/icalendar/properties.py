"""One unfolded line -> name, parameters and values (RFC 5545, 3.1 to 3.3; RFC 6868)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.lines import Line
from app.domain.feeds import RejectionReason

_NAME = r"[A-Za-z0-9_-]+"
_PART = r'(?:"[^"]*"|[^",;:]*)'
_PROPERTY = re.compile(
    rf"({_NAME})((?:;{_NAME}={_PART}(?:,{_PART})*)*):([^\x00-\x08\x0a-\x1f\x7f]*)", re.ASCII | re.DOTALL
)
_PARAMETER = re.compile(rf";({_NAME})=({_PART}(?:,{_PART})*)", re.ASCII)
_ESCAPED = re.compile(r"\\([\\;,nN])")
_CARET = re.compile(r"\^([\^n'])")
_COMMA = re.compile(r"(?<!\\)((?:\\\\)*),")
_NO_TEXT = frozenset(
    {
        *("ATTACH", "ATTENDEE", "COMPLETED", "CONFERENCE", "CREATED", "DTEND", "DTSTAMP", "DTSTART", "DUE", "DURATION"),
        *("EXDATE", "EXRULE", "GEO", "IMAGE", "LAST-MODIFIED", "ORGANIZER", "PERCENT-COMPLETE", "PRIORITY", "RDATE"),
        *(
            "RECURRENCE-ID",
            "REFRESH-INTERVAL",
            "RRULE",
            "SEQUENCE",
            "SOURCE",
            "TZOFFSETFROM",
            "TZOFFSETTO",
            "TZURL",
            "URL",
        ),
    }
)
_LISTS = frozenset({"CATEGORIES", "RESOURCES"})


class Value(NamedTuple):
    """One value of a property; a property that is a list of texts (CATEGORIES) has one for each of them."""

    text: str
    """Unescaped where it is a TEXT, else as the calendar has it."""
    parameters: Mapping[str, str]
    """By their names in capitals, without quotes; several values of one are joined by commas."""
    line: int


class Property(NamedTuple):
    """A line in its parts; the value as the calendar has it."""

    name: str
    """In capitals."""
    parameters: Mapping[str, str]
    raw: str
    line: int

    def values(self) -> list[Value]:
        """Unescape what is a TEXT, by its VALUE or by what RFC 5545 says of the property."""
        if self.parameters.get("VALUE", "" if self.name in _NO_TEXT else "TEXT").upper() != "TEXT":
            return [Value(self.raw, self.parameters, self.line)]
        texts = _split(self.raw) if self.name in _LISTS else [self.raw]
        return [Value(_unescape(text), self.parameters, self.line) for text in texts]


def read_property(line: Line) -> Property:
    """Take a line apart.

    Raises:
        UnusableEventError: it is no line of a calendar; the error names the line.
    """
    try:
        text = line.content.decode()
    except UnicodeDecodeError as error:
        message = f"line {line.number} has the byte {line.content[error.start]:#04x}, expected UTF-8"
        raise UnusableEventError(RejectionReason.INVALID_VALUE, message, line.number) from None
    found = _PROPERTY.fullmatch(text)
    if found is None:
        message = f"line {line.number} is {text[:80]!r}, expected a name, ':' and a value without control characters"
        raise UnusableEventError(RejectionReason.INVALID_VALUE, message, line.number)
    name, parameters, raw = found.groups()
    return Property(name.upper(), _parameters(parameters) if parameters else {}, raw, line.number)


def _parameters(text: str) -> dict[str, str]:
    return {name.upper(): _CARET.sub(_uncaret, value.replace('"', "")) for name, value in _PARAMETER.findall(text)}


def _uncaret(found: re.Match[str]) -> str:
    return {"^": "^", "n": "\n", "'": '"'}[found[1]]


def _unescape(text: str) -> str:
    return _ESCAPED.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] in "nN" else found[1]


def _split(text: str) -> list[str]:
    return _COMMA.sub("\\1\n", text).split("\n")
