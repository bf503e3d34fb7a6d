"""Find the records of a body one after the other where the fast parser cannot split it.

The standard library's parser takes NaN and lone surrogates for JSON, so it finds the end of a record that has them; the
record itself is judged later. Nothing is looked at in pieces larger than a record may be: a body of 8 MiB that was made
to be slow must not keep this process busy.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from app.adapters.inbound.intake.intake_errors import (
    NoActivitiesError,
    NotABatchError,
    TooDeepToSplitError,
    TooLargeToSplitError,
    TooManyActivitiesError,
)
from app.adapters.inbound.reading.refusals import NotJsonError, shown
from app.domain.activities import LARGEST_ACTIVITY

BLANK = re.compile(r"[ \t\n\r]*+").match
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]++|[\]}]++', re.DOTALL).finditer
MOST_FIELDS = 1000
"""Of a batch, `events` included."""
MOST_DEEP_RECORDS = 10
"""Records nested so deeply that their ends must be looked for bracket by bracket."""


Records = TypeVar("Records", bound=Sequence[object])
_end_of_value = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


def scan_records(body: bytes, most: int) -> list[bytes]:
    """Split an array into 1 to `most` records. A record may then still be nothing that can be taken.

    Raises:
        NotJsonError: what is between the records, or around them, is not JSON.
        NoActivitiesError, TooManyActivitiesError: it has fewer or more records.
        TooLargeToSplitError, TooDeepToSplitError: it has records that cannot be told apart.
    """
    text = _Text(body)
    text.expect("[")
    records = _records(text, most)
    text.expect_end()
    return counted(records, most)


def scan_fields(body: bytes, most: int, listed: str) -> tuple[list[bytes] | None, dict[str, bytes]]:
    """Split an object: the 1 to `most` records of the array that is `listed`, None without one, and the other fields.

    Raises:
        NotABatchError: it has too many fields, or one twice.
        Exception: as `scan_records`.
    """
    text = _Text(body)
    text.expect("{")
    fields: dict[str, bytes] = {}
    records = None
    for _ in text.members("}"):
        name = text.name()
        if name in fields or len(fields) == MOST_FIELDS:
            raise NotABatchError(f"expected at most {MOST_FIELDS} different keys, found more, or {shown(name)} twice")
        fields[name] = b""
        if name == listed and text.is_next("["):
            records = _records(text, most)
        else:
            fields[name] = text.value()
    text.expect_end()
    if records is None:
        return None, fields
    del fields[listed]
    return counted(records, most), fields


def _records(text: "_Text", most: int) -> list[bytes]:
    records = []
    for _ in text.members("]"):
        records.append(text.value())
        if len(records) > most:
            raise TooManyActivitiesError(most)
    return records


def counted(records: Records, most: int) -> Records:
    """Let 1 to `most` records pass.

    Raises:
        NoActivitiesError, TooManyActivitiesError: there are fewer, or more.
    """
    if not records:
        raise NoActivitiesError
    if len(records) > most:
        raise TooManyActivitiesError(most)
    return records


class _Text:
    """A body, read from its beginning; bytes that are no UTF-8 are kept for later."""

    def __init__(self, body: bytes) -> None:
        self._text = body.decode("utf-8", "surrogateescape")
        self._at = 0
        self._deep_records = 0

    def is_next(self, sign: str) -> bool:
        """Read a sign, if it comes next."""
        self._skip_blank()
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found

    def expect(self, sign: str) -> None:
        """Read a sign that must come next."""
        if not self.is_next(sign):
            raise self._not_json(f"expected {sign}", self._at)

    def expect_end(self) -> None:
        """Let nothing follow."""
        self._skip_blank()
        if self._at < len(self._text):
            raise self._not_json("expected nothing more", self._at)

    def members(self, end: str) -> Iterator[None]:
        """Stop at every member of the array or object that was just begun; whoever asks reads the member."""
        if self.is_next(end):
            return
        yield
        while not self.is_next(end):
            self.expect(",")
            yield

    def name(self) -> str:
        """Read a key and its colon."""
        self._skip_blank()
        if not self._text.startswith('"', self._at):
            raise self._not_json("expected a key", self._at)
        name = str(json.loads(self.value().decode("utf-8", "surrogateescape")))
        self.expect(":")
        return name

    def value(self) -> bytes:
        """Read any value, and give it as it was sent."""
        self._skip_blank()
        begin = self._at
        window = self._text[begin : begin + LARGEST_ACTIVITY + 1]
        try:
            _, size = _end_of_value(window)
        except RecursionError:
            size = self._end_of_deep_value(window)
        except json.JSONDecodeError as error:
            raise self._cut_or(window, error.msg, error.pos) from None
        self._at += size
        return window[:size].encode("utf-8", "surrogateescape")

    def _skip_blank(self) -> None:
        blank = BLANK(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _end_of_deep_value(self, window: str) -> int:
        self._deep_records += 1
        if self._deep_records > MOST_DEEP_RECORDS:
            raise TooDeepToSplitError(MOST_DEEP_RECORDS)
        depth = 0
        for token in TOKEN(window):
            sign, size = token[0][0], len(token[0])
            if sign in "[{":
                depth += size
            elif sign in "]}":
                depth -= size
                if depth <= 0:
                    return token.end() + depth
        raise self._cut_or(window, "expected ] or }", len(window))

    def _cut_or(self, window: str, expected: str, place: int) -> Exception:
        """Tell what is too large to be seen as a whole from what is wrong."""
        if len(window) > LARGEST_ACTIVITY:
            return TooLargeToSplitError()
        return self._not_json(expected, self._at + place)

    def _not_json(self, expected: str, place: int) -> NotJsonError:
        at = len(self._text[:place].encode("utf-8", "surrogateescape"))
        return NotJsonError(f"not JSON: {expected[:1].lower()}{expected[1:]} at byte {at}")
