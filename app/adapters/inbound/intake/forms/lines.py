"""NDJSON: a record a line. Blank lines are none, and a line that is no JSON costs itself alone."""

from collections.abc import Sequence

from app.adapters.inbound.intake.intake_errors import NoActivitiesError, TooManyActivitiesError
from app.adapters.inbound.intake.quick_records import read_lines_quickly
from app.adapters.inbound.intake.sent_records import Sent, SentRecords
from app.adapters.inbound.reading.json_record import parse_plain_lines

BOM = b"\xef\xbb\xbf"
"""What some programs of Windows write before the first line."""
BLANK = b" \t\r"
MOST_BLANK = 1000
"""Lines of a body that may be blank."""


def read_lines(body: bytes, most: int, quick: frozenset[str] | None = None) -> SentRecords:
    """Split a body into 1 to `most` records. With `quick`, what is no user, usual ones are read already.

    Raises:
        NoActivitiesError, TooManyActivitiesError: it has fewer or more, or far too many blank lines.
    """
    body = body.removeprefix(BOM)
    if body.count(b"\n") > most + MOST_BLANK:
        raise TooManyActivitiesError(most)
    all_lines = [line.strip(BLANK) for line in body.split(b"\n")]
    lines = [line for line in all_lines if line]
    if not lines:
        raise NoActivitiesError
    if len(lines) > most:
        raise TooManyActivitiesError(most)
    if lines != all_lines[: len(lines)]:  # what is blank does not stand at the end alone
        places = [place for place, line in enumerate(all_lines) if line]
        return SentRecords(parse_plain_lines(body, lines) or lines, "", lines=places)
    found = None if quick is None else read_lines_quickly(body, lines, quick)
    records: Sequence[Sent] = lines if found is not None else parse_plain_lines(body, lines) or lines
    return SentRecords(records, "", quick=found)
