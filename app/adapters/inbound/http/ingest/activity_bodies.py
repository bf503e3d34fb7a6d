"""From a body to its records, each still as it was sent: so that one which cannot be used costs the others nothing.

What is simple is split here, fast. The rest (a lone surrogate, NaN or 1,000 brackets in one record, other fields beside
`events`) is left to `record_split.py`.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any, TypeVar

import msgspec

from app.adapters.inbound.reading.json_record import parse_plain_records
from app.adapters.inbound.reading.refusals import NotJsonError

BLANK = b" \t\n\r"
BATCH_HEAD = re.compile(rb'_{0,99}+\{_{0,99}+"events"_{0,99}+:_{0,99}+(?=\[)'.replace(b"_", rb"[ \t\n\r]")).match
FLAWED = re.compile(rb"NaN|Infinity|\\u[dD]").search
"""What has none of these and cannot be split fast cannot be split at all."""
MOST_COMMAS = 100_000
"""Above, the fast parser could make too many records before anybody counts them."""


class NotAnActivityError(ValueError):
    """A body is JSON, but neither an object nor an array."""


class NotABatchError(ValueError):
    """A body is JSON, but no batch."""

    def __init__(self, message: str = 'expected an object such as {"events": [...]}') -> None:
        """Say what a batch is, unless there is more to say."""
        super().__init__(message)


class NoActivitiesError(ValueError):
    """An array, or a batch, is empty."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("expected at least one activity, found none")


class TooManyActivitiesError(ValueError):
    """An array, or a batch, has more activities than are taken at once."""

    def __init__(self, most: int) -> None:
        """Keep the limit for programs."""
        super().__init__(f"expected at most {most:,} activities in one request, found more")
        self.extra = {"limit": most}


Record = TypeVar("Record")
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode


def is_one_activity(body: bytes) -> bool:
    """Tell an object from an array by its first character.

    Raises:
        NotAnActivityError: it begins neither.
        NotJsonError: it does not even begin like JSON.
    """
    root = (body[:100].lstrip(BLANK) or body.lstrip(BLANK))[:1]
    if root not in (b"{", b"["):
        raise _neither(body)
    return root == b"{"


def plain_records(body: bytes, most: int, *, batch: bool) -> list[dict[str, Any]] | None:
    """Read the records of an array, or of a batch, in one go; None when it takes more care.

    Raises:
        NoActivitiesError, TooManyActivitiesError: as `counted` does.
    """
    array = _array_of(body) if batch else body
    records = parse_plain_records(array) if array else None
    return None if records is None else counted(records, most)


def array_records(body: bytes, most: int) -> list[bytes] | None:
    """Split an array of at most `most` records; None when it takes more care.

    Raises:
        NotJsonError: it is not JSON.
        NoActivitiesError: it is empty.
        TooManyActivitiesError: it has more.
    """
    if body.count(b",") > max(MOST_COMMAS, most):
        return None
    try:
        records = _split(body)
    except RecursionError:
        return None
    except msgspec.DecodeError as error:
        if FLAWED(body):
            return None
        raise NotJsonError(f"not JSON: {error}") from None
    return [bytes(record) for record in counted(records, most)]


def batch_records(body: bytes, most: int) -> list[bytes] | None:
    """Split `{"events": [...]}` in the same way; None also when it has other fields, or is no batch."""
    array = _array_of(body)
    try:
        return array_records(array, most) if array else None
    except NotJsonError:
        return None


def _array_of(batch: bytes) -> bytes:
    """Find the array in a batch that is nothing but that; empty when it is not so simple."""
    head, trimmed = BATCH_HEAD(batch), batch.rstrip(BLANK)
    return trimmed[head.end() : -1] if head and trimmed.endswith(b"}") else b""


def counted(records: list[Record], most: int) -> list[Record]:
    """Let 1 to `most` records pass.

    Raises:
        NoActivitiesError, TooManyActivitiesError: there are fewer, or more.
    """
    if not records:
        raise NoActivitiesError
    if len(records) > most:
        raise TooManyActivitiesError(most)
    return records


def _neither(body: bytes) -> Exception:
    found = body.strip(BLANK)
    if not found:
        return NotJsonError("not JSON: the body is empty")
    if found.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
        return NotJsonError("not JSON: it begins with a byte order mark; send UTF-8 without one")
    try:
        _skim(found)
    except msgspec.DecodeError as error:
        return NotJsonError(f"not JSON: {error}")
    return NotAnActivityError(f"expected an object or an array, found {found[:20].decode(errors='replace')!r}")
