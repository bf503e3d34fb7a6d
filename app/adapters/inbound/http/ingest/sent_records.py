"""Reading: from a body to its records, each still as it was sent, so that one which cannot be used costs no other.

What is simple is split here, fast. The rest (a lone surrogate, NaN or 1,000 brackets in one record, other fields beside
`events`) is left to `record_scan.py`.
"""

import asyncio
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from app.adapters.inbound.http.ingest.ingest_errors import NotABatchError, NotAnActivityError
from app.adapters.inbound.http.ingest.record_scan import counted, scan_records
from app.adapters.inbound.reading.json_record import parse_plain_records
from app.adapters.inbound.reading.refusals import NotJsonError

BLANK = b" \t\n\r"
BATCH_HEAD = re.compile(rb'_{0,99}+\{_{0,99}+"events"_{0,99}+:_{0,99}+(?=\[)'.replace(b"_", rb"[ \t\n\r]")).match
FLAWED = re.compile(rb"NaN|Infinity|\\u[dD]").search
"""What has none of these and cannot be split fast cannot be split at all."""
MOST_COMMAS = 100_000
"""Above, the fast parser could make too many records before anybody counts them."""

Sent = bytes | dict[str, Any]
"""A record as it was sent, or parsed already."""

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode


class SentRecords(NamedTuple):
    """What somebody sent: a record, or an array of them."""

    records: Sequence[Sent]
    pointer: str | None
    """Where the array stands in the body (RFC 6901); None when the body is one record."""


class RecordReader:
    """Reads bodies with an array of at most `array` records, or with a batch of at most `batch`."""

    def __init__(self, array: int, batch: int) -> None:
        self._array = array
        self._batch = batch
        self._scanning = asyncio.Lock()

    async def read(self, body: bytes, *, batch: bool) -> SentRecords:
        """Find the records of a body.

        Raises:
            NotJsonError, NotAnActivityError, NotABatchError: it is not of the form.
            NoActivitiesError, TooManyActivitiesError: it has none, or more than are taken.
            TooLargeToSplitError, TooDeepToSplitError: its records cannot be told apart.
        """
        if is_one_activity(body):
            if not batch:
                return SentRecords((body,), None)
        elif batch:
            raise NotABatchError
        most, pointer = (self._batch, "/events") if batch else (self._array, "")
        array = _array_of(body) if batch else body
        records = plain_records(array, most) or _split_fast(array, most, batch=batch)
        return SentRecords(records or await self._scan(body, most, batch=batch), pointer)

    async def _scan(self, body: bytes, most: int, *, batch: bool) -> list[bytes]:
        """Split what cannot be split fast: in a thread, so that searches go on, and one at a time."""
        async with self._scanning:
            return await asyncio.to_thread(scan_records, body, most, batch=batch)


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


def plain_records(array: bytes, most: int) -> list[dict[str, Any]] | None:
    """Parse the records of an array in one go; None when they are not as simple as that.

    Raises:
        NoActivitiesError, TooManyActivitiesError: as `counted` does.
    """
    records = parse_plain_records(array) if array else None
    return None if records is None else counted(records, most)


def _split_fast(array: bytes, most: int, *, batch: bool) -> list[bytes] | None:
    """Split an array; None when it must be scanned.

    Raises:
        NotJsonError: it is not JSON; of a `batch`, the array alone may be cut at the wrong place.
        NoActivitiesError, TooManyActivitiesError: as `counted` does.
    """
    if not array or array.count(b",") > max(MOST_COMMAS, most):
        return None
    try:
        records = _split(array)
    except RecursionError:
        return None
    except msgspec.DecodeError as error:
        if batch or FLAWED(array):
            return None
        raise NotJsonError(f"not JSON: {error}") from None
    return [bytes(record) for record in counted(records, most)]


def _array_of(batch: bytes) -> bytes:
    """Find the array in a batch that is nothing but that; empty when it is not so simple."""
    head, trimmed = BATCH_HEAD(batch), batch.rstrip(BLANK)
    return trimmed[head.end() : -1] if head and trimmed.endswith(b"}") else b""


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
