"""Columns of what most clients send, checked by the column: whatever is not as simple takes a closer look elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from app.adapters.formats.iso_8601 import DATE, TIME_OF_DAY
from app.adapters.inbound.reading.activity_input import UNUSUAL_TYPES
from app.domain.activities import ACTIVITY_TYPE, LARGEST_ACTIVITY, is_countable
from app.domain.activity_columns import ID_SIZE

ID_LENGTH, DASHES = 36, (8, 13, 18, 23)
"""Of an id as text, and where its dashes stand."""
CONTROL_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f]").search

Text = str | UnsetType | None
"""A member of a column: absent fields are told from null, for they have no colon."""

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

_usual_instants = re.compile(rf"(?:{DATE}[T ]{TIME_OF_DAY}(?:\.\d{{3,6}})?(?:Z|\+00:00)?\n)+", re.ASCII).fullmatch
_usual_uuid = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII).fullmatch
_encode_lines = msgspec.json.Encoder(decimal_format="number").encode_lines


class UnusualError(ValueError):
    """Something takes a closer look."""


Found = TypeVar("Found")


def if_usual(sent: bytes, read: Callable[[], Found]) -> Found | None:
    """Give what `read` makes of a body; None when that takes a closer look, as every body does that is large."""
    if len(sent) > LARGEST_ACTIVITY:
        return None
    try:
        return read()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def check_types(types: Sequence[str]) -> None:
    """Let types pass that mean nothing but themselves."""
    for type_ in set(types):
        if ACTIVITY_TYPE.fullmatch(type_) is None or type_ in UNUSUAL_TYPES:
            raise UnusualError


def has_none(column: Sequence[Any]) -> bool:
    """Tell whether a field is in no record."""
    return column[0] is UNSET and column.count(UNSET) == len(column)


def uuids(given: Sequence[Any]) -> bytes:
    """Read UUIDs as most write them: 36 characters, in small letters."""
    if UNSET in given or None in given:
        raise UnusualError
    number, text = len(given), "".join(given)
    dashes = "-" * number
    if set(map(len, given)) != {ID_LENGTH} or text != text.lower():
        raise UnusualError
    if any(text[place::ID_LENGTH] != dashes for place in DASHES):
        raise UnusualError
    digits = text.replace("-", "")
    raw = bytes.fromhex(digits)
    if len(raw) != number * ID_SIZE or len(digits) != 2 * len(raw):  # it skips blanks
        raise UnusualError
    return raw


def uuid(given: Any) -> bytes:
    """Read one."""
    if type(given) is not str or not _usual_uuid(given):
        raise UnusualError
    return bytes.fromhex(given.replace("-", ""))


def instants(column: Sequence[Any]) -> list[int] | None:
    """Read instants as most write them: microseconds since 1970, UTC; None where a field is in no record."""
    if has_none(column):
        return None
    if UNSET in column or None in column:
        raise UnusualError
    lines = "\n".join(column) + "\n"
    if not _usual_instants(lines):
        raise UnusualError
    found = [datetime.fromisoformat(text) for text in column]
    if lines.count("Z\n") < len(column):
        found = [instant.replace(tzinfo=UTC) for instant in found]
    return [(instant - EPOCH) // MICROSECOND for instant in found]


def texts(column: Sequence[Any], most: int) -> list[str | None]:
    """Read texts of up to so many characters, none of them a control character."""
    if has_none(column):
        return [None] * len(column)
    if UNSET in column or None in column:
        found = [None if text is UNSET else text for text in column]
        given = [text for text in found if text is not None]
    else:
        found = given = list(column)
    joined = "".join(given)
    if "" in given or max(map(len, given), default=0) > most:
        raise UnusualError
    if not joined.isprintable() and CONTROL_CHARACTER(joined):
        raise UnusualError
    return found


def text(given: Any, most: int) -> str | None:
    """Read one."""
    if given is UNSET or given is None:
        return None
    if not 0 < len(given) <= most or (not given.isprintable() and CONTROL_CHARACTER(given)):
        raise UnusualError
    return str(given)


def objects(column: Sequence[Any]) -> list[str | None]:
    """Write objects as JSON, all in one go: no JSON has a line break."""
    if has_none(column):
        return [None] * len(column)
    if UNSET in column:
        column = [None if value is UNSET else value for value in column]
    lines: list[str | None] = [*_encode_lines(column).decode().split("\n")]
    lines.pop()
    return lines if None not in column else [None if line == "null" else line for line in lines]


def numbers(column: Iterable[Any]) -> list[Decimal | None]:
    """Read values as they were parsed: nothing, or numbers that are countable."""
    return [None if number is None else _number(number) for number in column]


def _number(given: Any) -> Decimal:
    if (type(given) is int or type(given) is Decimal) and is_countable(number := Decimal(given)):
        return number
    raise UnusualError


def json_texts(column: Sequence[str]) -> list[str]:
    """Write texts as JSON, with their quotes."""
    return _encode_lines(column).decode().split("\n")[:-1]
