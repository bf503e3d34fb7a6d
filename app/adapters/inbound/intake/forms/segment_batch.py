"""The body of Segment's `POST /v1/batch`: calls in `batch`, and beside them what is said of all."""

from pydantic_core import PydanticCustomError

from app.adapters.inbound.intake.forms.quick_calls import read_calls_quickly
from app.adapters.inbound.intake.forms.segment import SegmentCalls
from app.adapters.inbound.intake.intake_errors import NotABatchError, TooMuchSharedError
from app.adapters.inbound.intake.record_scan import counted
from app.adapters.inbound.intake.sent_records import RecordReader, SentRecords, Unparsed, split_listed
from app.adapters.inbound.reading.json_record import parse_value
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.sent_instants import sent_instant
from app.domain.activities import LARGEST_ACTIVITY
from app.domain.sender_clocks import is_off

LISTED, POINTER = "batch", "/batch"
SENT_AT = "sentAt"
SHARED = (SENT_AT, "context", "integrations")
LONGEST_SHARED = 8 * 1024
"""Bytes of what is said of all calls of a batch, for each is given it."""
EXPECTED = 'expected an object such as {"batch": [...]}'


async def read_batch(reader: RecordReader, body: bytes, reading: Reading, *, quick: bool) -> SentRecords:
    """Split a batch into its calls; with `quick`, usual ones are read already.

    Raises:
        NotJsonError, NotABatchError: it is none.
        NoActivitiesError, TooManyActivitiesError: it has fewer or more than are taken.
        TooLargeToSplitError, TooDeepToSplitError: it has calls that cannot be told apart.
        TooMuchSharedError: it says too much of all.
    """
    found = _quickly(body, reader.array, reading) if quick else None
    if found is not None:
        return found
    records, fields = await reader.read_listed(body, LISTED)
    if records is None:
        raise NotABatchError(EXPECTED)
    said = {name: fields[name] for name in SHARED if name in fields}
    if sum(map(len, said.values())) > LONGEST_SHARED:
        raise TooMuchSharedError(LONGEST_SHARED)
    shared = {name: parse_value(text) for name, text in said.items()}
    return SentRecords(records, POINTER, SegmentCalls(shared=shared))


def _quickly(body: bytes, most: int, reading: Reading) -> SentRecords | None:
    """Read a batch that says nothing of all but when it was sent, by a clock that is right."""
    split = split_listed(body, LISTED) if len(body) <= LARGEST_ACTIVITY else None
    if split is None:
        return None
    array, fields = split
    if not fields.keys().isdisjoint(SHARED[1:]) or not _is_right(fields.get(SENT_AT), reading):
        return None
    found = read_calls_quickly(array, reading.names.no_users)
    if found is None:
        return None
    counted(found.columns.types, most)
    return SentRecords(Unparsed(array, len(found.columns)), POINTER, SegmentCalls(), quick=found)


def _is_right(given: bytes | None, reading: Reading) -> bool:
    """Tell whether a clock, by when a batch was sent, needs no correction."""
    if given is None:
        return True
    try:
        sent_at = sent_instant(parse_value(given))
    except (PydanticCustomError, ValueError):
        return False
    return reading.received_at is None or not is_off(sent_at, reading.received_at)
