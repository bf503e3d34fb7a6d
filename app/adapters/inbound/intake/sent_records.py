"""Reading: from a body to its records, each still as it was sent, so that one which cannot be used costs no other.

What is simple is split here, fast. The rest (a lone surrogate, NaN or 1,000 brackets in one record, other fields beside
`events`) is left to `record_scan.py`.
"""

import asyncio
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from app.adapters.inbound.intake.intake_errors import NotABatchError, NotAnActivityError
from app.adapters.inbound.intake.quick_records import QuickRecords, read_one_quickly, read_quickly
from app.adapters.inbound.intake.record_form import OWN_FORM, RecordForm
from app.adapters.inbound.intake.record_scan import MOST_FIELDS, counted, scan_fields, scan_records
from app.adapters.inbound.reading.json_record import parse_plain_records
from app.adapters.inbound.reading.refusals import NotJsonError

BLANK = b" \t\n\r"
BATCH_HEAD = re.compile(rb'_{0,99}+\{_{0,99}+"events"_{0,99}+:_{0,99}+(?=\[)'.replace(b"_", rb"[ \t\n\r]")).match
FLAWED = re.compile(rb"NaN|Infinity|\\u[dD]").search
"""What has none of these and cannot be split fast cannot be split at all."""
MOST_COMMAS = 100_000
"""Above, the fast parser could make too many records before anybody counts them."""

NOTHING: Mapping[str, bytes] = MappingProxyType({})

Sent = bytes | dict[str, Any]
"""A record as it was sent, or parsed already."""

_split_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode


class SentRecords(NamedTuple):
    """What somebody sent: a record, or an array of them."""

    records: Sequence[Sent]
    pointer: str | None
    """Where the array stands in the body (RFC 6901); None when the body is one record."""
    form: RecordForm = OWN_FORM
    lines: Sequence[int] | None = None
    """Which lines the records are, from 0; None: those of an array, or lines without blank ones among them."""
    quick: QuickRecords | None = None
    """What they say, where all are as most clients send them."""
    beside: Mapping[str, bytes] = NOTHING
    """What stands in a batch beside its records, as it was sent."""

    def place(self, index: int) -> int:
        """Tell where a record stands: in the array, or on which line."""
        return index if self.lines is None else self.lines[index]


class RecordReader:
    """Reads bodies with an array of at most `array` records, or with a batch of at most `batch`."""

    def __init__(self, array: int, batch: int) -> None:
        self.array = array
        self._batch = batch
        self._scanning = asyncio.Lock()

    async def read(self, body: bytes, *, batch: bool, quick: frozenset[str] | None = None) -> SentRecords:
        """Find the records of a body. With `quick`, what is no user, usual ones are read already.

        Raises:
            NotJsonError, NotAnActivityError, NotABatchError: it is not of the form.
            NoActivitiesError, TooManyActivitiesError: it has none, or more than are taken.
            TooLargeToSplitError, TooDeepToSplitError: its records cannot be told apart.
        """
        if is_one_activity(body):
            if not batch:
                return SentRecords((body,), None, quick=None if quick is None else read_one_quickly(body, quick))
        elif batch:
            raise NotABatchError
        most, pointer = (self._batch, "/events") if batch else (self.array, "")
        array, beside = _taken_apart(body, max(MOST_COMMAS, most)) if batch else (body, NOTHING)
        if quick is not None and (found := read_quickly(array, quick)) is not None:
            counted(found.columns.types, most)
            return SentRecords(Unparsed(array, len(found.columns)), pointer, quick=found, beside=beside)
        records = plain_records(array, most) or _split_fast(array, most, batch=batch)
        if records is None and batch:
            records, beside = await self._scan_fields(body, "events", most)
            if records is None:
                raise NotABatchError
        return SentRecords(records or await self._scan(body, most), pointer, beside=beside)

    async def read_listed(self, body: bytes, listed: str) -> tuple[Sequence[Sent] | None, dict[str, bytes]]:
        """Find the records of the array that is `listed` in an object, None where there is none, and the other fields.

        Raises:
            Exception: as `read`.
        """
        found = split_listed(body, listed) if body.count(b",") <= max(MOST_COMMAS, self.array) else None
        if found is not None:
            array, fields = found
            records = plain_records(array, self.array) or _split_fast(array, self.array, batch=True)
            if records is not None:
                return records, fields
        return await self._scan_fields(body, listed, self.array)

    async def _scan_fields(self, body: bytes, listed: str, most: int) -> tuple[list[bytes] | None, dict[str, bytes]]:
        async with self._scanning:
            return await asyncio.to_thread(scan_fields, body, most, listed)

    async def _scan(self, body: bytes, most: int) -> list[bytes]:
        """Split what cannot be split fast: in a thread, so that searches go on, and one at a time."""
        async with self._scanning:
            return await asyncio.to_thread(scan_records, body, most)


class Unparsed(Sequence[Sent]):
    """Records that are parsed when somebody asks."""

    def __init__(self, array: bytes, size: int) -> None:
        self._array = array
        self._size = size
        self._split: list[msgspec.Raw] | None = None

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: Any) -> Any:  # one by one only
        if self._split is None:
            self._split = _split(self._array)
        return bytes(self._split[place])


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


def _taken_apart(batch: bytes, most_commas: int) -> tuple[bytes, Mapping[str, bytes]]:
    """Find the array in a batch, and what is beside it; empty when it is not so simple."""
    head, trimmed = BATCH_HEAD(batch), batch.rstrip(BLANK)
    array = trimmed[head.end() : -1] if head and trimmed.endswith(b"}") else b""
    if array.rstrip(BLANK).endswith(b"]"):
        return array, NOTHING
    found = split_listed(batch, "events") if batch.count(b",") <= most_commas else None
    return found or (b"", NOTHING)


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


def split_listed(body: bytes, listed: str) -> tuple[bytes, dict[str, bytes]] | None:
    """Find the array that is `listed` in an object, and the other fields; None where that is not simple.

    Whoever asks sees to it that there cannot be too many fields.
    """
    try:
        fields = {name: bytes(raw) for name, raw in _split_fields(body).items()}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    array = fields.pop(listed, b"")
    if len(fields) >= MOST_FIELDS:  # the scan says so
        return None
    if not array.startswith(b"[") or _may_repeat(len(body) - len(array), {listed: b"", **fields}):
        return None
    return array, fields


def _may_repeat(size: int, fields: dict[str, bytes]) -> bool:
    """Tell whether a body of that size has room for a key that came twice, beside what was read of it."""
    plain = sum(len(name) + len(text) + len('"":,') for name, text in fields.items()) + len("{}") - len(",")
    return size - plain >= min(map(len, fields)) + len('"":1,')
