"""How a file is to be read, where it does not say so itself: its encoding, its delimiter, its times and numbers."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.adapters.inbound.activity_files.source import UsageMistakeError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
"""What may part the cells, and how it is called."""
NUMBER = re.compile(r"-?\d{1,100}(\.\d{1,100})?([eE][-+]?\d{1,4})?", re.ASCII).fullmatch
_WITH_COMMA = re.compile(r"-?(?:\d{1,100}|\d{1,3}(?:\.\d{3}){1,30})(?:,\d{1,100})?", re.ASCII).fullmatch


class Format(StrEnum):
    """The format of a file."""

    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class FileForm:
    """What somebody says of a file; None: the file tells."""

    format: Format | None = None
    delimiter: str | None = None
    """Of cells: one character."""
    encoding: str | None = None
    """A name that Python knows; None: UTF-8, or UTF-16 by its first bytes."""
    zone: tzinfo = UTC
    """Whose clock shows the times that have no offset."""
    decimal_comma: bool = False
    """Whether `12,50` is a number, and `1.234` a thousand and some."""

    @property
    def is_usual(self) -> bool:
        """Whether cells mean what they mean at the door."""
        return self.zone is UTC and not self.decimal_comma

    def said(self) -> Iterator[str]:
        """Say what changes the meaning of rows, in one way for one meaning."""
        if self.delimiter is not None:
            yield f"delimiter={DELIMITERS.get(self.delimiter, self.delimiter)}"
        if self.encoding is not None:
            yield f"encoding={self.encoding}"
        if self.zone is not UTC:
            yield f"timezone={self.zone}"
        if self.decimal_comma:
            yield "decimal-comma"

    def would_be_number(self, cell: str) -> bool:
        """Tell whether a cell that is no number were one with a decimal comma."""
        return not self.decimal_comma and _WITH_COMMA(cell) is not None

    def number(self, cell: str) -> Decimal | None:
        """Read a number as the cells of this file write it; None: it is none."""
        if not self.decimal_comma:
            return Decimal(cell) if NUMBER(cell) else None
        return Decimal(cell.replace(".", "").replace(",", ".")) if _WITH_COMMA(cell) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOfFile:
    """What somebody says of a file, in their words."""

    format: Format | None
    delimiter: str | None
    encoding: str | None
    timezone: str | None
    decimal_comma: bool


def read_form(said: SaidOfFile) -> FileForm:
    """Read what somebody says of a file.

    Raises:
        UsageMistakeError: it cannot be.
    """
    delimiter = None if said.delimiter is None else _delimiter(said.delimiter)
    return FileForm(said.format, delimiter, _encoding(said.encoding), _zone(said.timezone), said.decimal_comma)


def _delimiter(given: str) -> str:
    named = {name: character for character, name in DELIMITERS.items()} | {"\\t": "\t"}
    character = named.get(given, given)
    if len(character) != 1 or character in '"\r\n' or ord(character) > 0x7F:  # noqa: PLR2004 - the last of ASCII
        names = ", ".join(DELIMITERS.values())
        raise UsageMistakeError(f"--delimiter {given!r}: expected one character, such as ';', or one of {names}")
    return character


def _encoding(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        found = codecs.lookup(given)
        "".encode(found.name)
    except (LookupError, ValueError):
        raise UsageMistakeError(
            f"--encoding {given!r}: expected a name such as utf-8, utf-16, cp1252 or latin-1"
        ) from None
    return None if found.name == "utf-8" else found.name


def _zone(given: str | None) -> tzinfo:
    if given is None or given == "UTC":
        return UTC
    try:
        return ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageMistakeError(f"--timezone {given!r}: expected a name such as Europe/Madrid") from None
