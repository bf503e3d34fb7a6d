"""The lines of a file, none longer than a row may be; those of NDJSON are its rows."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from app.adapters.inbound.reading.refusals import Problem
from app.domain.activities import LARGEST_ACTIVITY

LONGEST_ROW = 2 * LARGEST_ACTIVITY + 8 * 1024
"""Bytes, of one that was exported: quoted for CSV, with the id and the time that the service gave it."""

TOO_LONG = Problem("too_large", f"expected a row of at most {LARGEST_ACTIVITY:,} bytes, found a longer one")


class Row(NamedTuple):
    """A row as it stands in a file."""

    line: int
    """On which line it begins: 1, 2, ..."""
    text: str
    cells: list[str]
    """Of a CSV file; empty otherwise."""
    problem: Problem | None = None


class Lines:
    """Reads lines; those that were read too far can be given back."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._returned: deque[bytes] = deque()

    def read(self) -> bytes:
        """Read a line with its end; nothing after the last. One that is too long is cut: it has no end."""
        if self._returned:
            return self._returned.popleft()
        line = self._content.readline(LONGEST_ROW)
        if len(line) == LONGEST_ROW and not line.endswith(b"\n"):
            self._skip_rest()
        return line

    def give_back(self, lines: Iterable[bytes]) -> None:
        """Read these next."""
        self._returned.extendleft(reversed(list(lines)))

    def _skip_rest(self) -> None:
        while piece := self._content.readline(LONGEST_ROW):
            if piece.endswith(b"\n"):
                return


def is_cut(line: bytes) -> bool:
    """Tell whether a line was too long."""
    return len(line) >= LONGEST_ROW and not line.endswith(b"\n")


def undecodable(line: bytes) -> Problem | None:
    """Tell what is wrong with the bytes of a row, if they are no text."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        found = line[error.start]
        where = f"0x{found:02x} as byte {error.start + 1} of the row"
        return Problem("invalid_utf8", f"expected UTF-8, found {where}")
    return None


def shown(line: bytes) -> str:
    """Make text of any bytes, for people."""
    return line.decode(errors="replace").rstrip("\r\n")


def ndjson_rows(lines: Lines) -> Iterator[Row]:
    """Hand out the rows of a file with one JSON object a line, in order; empty lines are no rows."""
    number = 0
    while line := lines.read():
        number += 1
        if is_cut(line):
            yield Row(number, shown(line), [], TOO_LONG)
        elif line.strip():
            yield Row(number, shown(line), [], undecodable(line))
