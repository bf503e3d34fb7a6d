"""The lines of a file, none longer than a row may be; those of NDJSON are its rows."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, NamedTuple

from app.adapters.inbound.reading.refusals import Problem
from app.domain.activities import LARGEST_ACTIVITY

LONGEST_ROW = 2 * LARGEST_ACTIVITY + 8 * 1024
"""Bytes, of one that was exported: quoted for CSV, with the id and the time that the service gave it."""

BLOCK = 2 * 1024**2
"""Bytes that are read at once; a line more, so that none is torn."""

TOO_LONG = Problem("too_large", f"expected a row of at most {LARGEST_ACTIVITY:,} bytes, found a longer one")


class Row(NamedTuple):
    """A row as it stands in a file."""

    line: int
    """On which line it begins: 1, 2, ..."""
    text: str
    cells: list[str]
    """Of a CSV file; empty otherwise."""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows that follow each other, at least one, as columns of one length."""

    lines: Sequence[int]
    texts: Sequence[str]
    cells: Sequence[list[str]]
    """Of a CSV file; each empty otherwise."""
    problems: Mapping[int, Problem]
    """Of those that could not be read, by their positions."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.lines)

    def part(self, begin: int, end: int) -> "RowBatch":
        """Take those from one position to before another."""
        within = {place - begin: problem for place, problem in self.problems.items() if begin <= place < end}
        return RowBatch(self.lines[begin:end], self.texts[begin:end], self.cells[begin:end], within)

    def row(self, place: int) -> Row:
        """Make one."""
        return Row(self.lines[place], self.texts[place], self.cells[place], self.problems.get(place))


def batch_of(rows: Sequence[Row]) -> RowBatch:
    """Lay out rows, at least one."""
    lines, texts, cells, problems = zip(*rows, strict=True)
    return RowBatch(lines, texts, cells, {place: one for place, one in enumerate(problems) if one is not None})


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

    @property
    def has_returned(self) -> bool:
        """Whether some that were given back wait to be read."""
        return bool(self._returned)

    def read_block(self) -> bytes:
        """Read many lines at once, none of which was given back; the last one may be cut. Nothing after the last."""
        block = self._content.read(BLOCK)
        if block and not block.endswith(b"\n"):
            block += self.read()
        return block

    def give_back_block(self, block: bytes) -> None:
        """Read the lines of a block next, one by one."""
        lines = block.split(b"\n")
        last = lines.pop()
        whole = [b"%b\n" % line for line in lines] + ([last] if last else [])
        self.give_back([line if len(line) <= LONGEST_ROW else line[:LONGEST_ROW] for line in whole])

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


def in_batches(rows: Iterator[Row], most: int, characters: int) -> Iterator[RowBatch]:
    """Hand out rows together: up to so many, fewer when they have more than so many characters in all."""

    def some() -> Iterator[Row]:
        size = 0
        for row in islice(rows, most):
            yield row
            size += len(row.text)
            if size > characters:
                return

    while taken := list(some()):
        yield batch_of(taken)
