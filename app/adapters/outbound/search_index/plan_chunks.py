"""Chunks: sorted runs of plans, the part of the overlay that a change copies (ADR 0009)."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import compress
from struct import Struct
from typing import NamedTuple

from app.adapters.outbound.search_index.packed_details import NOTHING, compacted

MARK_BITS = 60
MARK_MASK = (1 << MARK_BITS) - 1

_instants = Struct("dd").pack

Buffer = bytes | memoryview
Row = tuple[float, bytes, float, bytes]
"""The fields of an Entry, and sorted like one."""
Pair = tuple[float, bytes]
"""A start, POSIX seconds, and a fragment, or what it begins with: the order of the index."""


class Entry(NamedTuple):
    """A plan as the index keeps it; sorts by start, then by fragment."""

    starts_at: float
    """POSIX seconds, like `ends_at`."""
    fragment: bytes
    """What search answers for this plan. It begins with the plan's id, so that ordering by it is ordering by id."""
    ends_at: float
    details: bytes = NOTHING
    """What lists say of it beside (packed_details.py)."""


def mark_of(entry: Entry) -> int:
    """Make a number of 60 bits of what searches answer, and where: details are none of it.

    The sum of the marks of an answer's plans, modulo 2**60, names the answer (ADR 0088).
    """
    content = entry.fragment + _instants(entry.starts_at, entry.ends_at)
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big") & MARK_MASK


class Chunk(NamedTuple):
    """Neighbours of one class, in columns: a search touches few cache lines."""

    starts: "array[float]"
    ends: "array[float]"
    marks: "array[int]"
    fragments: list[bytes]
    details: list[bytes]

    def slice(self, low: int, high: int) -> "Chunk":
        """Copy some of the rows."""
        return Chunk(*(column[low:high] for column in self))  # type: ignore[arg-type]  # a slice is of the column's kind

    def rows(self, low: int, high: int) -> list[Row]:
        """Read some of the rows."""
        starts, ends, _, fragments, details = self.slice(low, high)
        return list(zip(starts, fragments, ends, details, strict=True))

    def only(self, wanted: Sequence[bool]) -> "Chunk":
        """Leave out the other rows; this chunk itself when there are none."""
        if all(wanted):
            return self
        return Chunk(
            array("d", compress(self.starts, wanted)),
            array("d", compress(self.ends, wanted)),
            array("Q", compress(self.marks, wanted)),
            list(compress(self.fragments, wanted)),
            list(compress(self.details, wanted)),
        )

    def entries(self) -> Iterator[Entry]:
        """Hand out the rows."""
        return map(Entry, self.starts, self.fragments, self.ends, self.details)

    def read(self, low: int, unsure: int, high: int, before: float) -> tuple[int, list[Buffer]]:
        """See Rows."""
        fragments, marks, rows = self.fragments, self.marks, self._in_time(low, unsure, high, before)
        found: list[Buffer] = [fragments[row] for row in rows]
        return sum([marks[row] for row in rows]), found

    def mark(self, low: int, unsure: int, high: int, before: float) -> int:
        """See Rows."""
        marks = self.marks
        return sum([marks[row] for row in self._in_time(low, unsure, high, before)])

    def pairs(self, low: int, unsure: int, high: int, before: float) -> Iterator[Pair]:
        """See Rows."""
        return ((self.starts[row], self.fragments[row]) for row in self._in_time(low, unsure, high, before))

    def _in_time(self, low: int, unsure: int, high: int, before: float) -> Sequence[int]:
        """Find the rows that end in time."""
        if unsure == high:
            return range(low, high)
        found = [row for row, ends_at in enumerate(self.ends[unsure:high], unsure) if ends_at <= before]
        return [*range(low, unsure), *found] if low < unsure else found


def chunk_of(members: Sequence[Entry]) -> Chunk:
    """Make a chunk of sorted entries."""
    return Chunk(
        array("d", [entry.starts_at for entry in members]),
        array("d", [entry.ends_at for entry in members]),
        array("Q", [mark_of(entry) for entry in members]),
        [bytes(bytearray(entry.fragment)) for entry in members],  # a copy: neighbours in time, neighbours in memory
        [compacted(entry.details) for entry in members],
    )


class Run(NamedTuple):
    """Chunks that are sorted and do not overlap, to be read."""

    firsts: "array[float]"
    """The first start of each chunk."""
    chunks: list[Chunk]

    def append(self, chunk: Chunk) -> None:
        """Take a chunk behind all others, unless it is empty."""
        if chunk.starts:
            self.firsts.append(chunk.starts[0])
            self.chunks.append(chunk)

    def place(self, starts_at: float, fragment: bytes) -> tuple[int, int]:
        """Find the chunk, and the position in it, of the first entry that is not before (`starts_at`, `fragment`)."""
        firsts, chunks = self
        at = max(bisect_right(firsts, starts_at) - 1, 0)
        while at and firsts[at] == starts_at and fragment < chunks[at].fragments[0]:
            at -= 1
        starts = chunks[at].starts
        low = bisect_left(starts, starts_at)
        high = bisect_right(starts, starts_at, low)
        return at, bisect_left(chunks[at].fragments, fragment, low, high)

    def remove(self, entry: Entry) -> None:
        """Take an entry out; it must be there. The chunk that held it is replaced, not changed."""
        firsts, chunks = self
        at, position = self.place(entry.starts_at, entry.fragment)
        starts, ends, marks, fragments, details = chunks[at]
        if len(starts) == 1:
            del firsts[at], chunks[at]
            return
        after = position + 1
        chunks[at] = Chunk(
            starts[:position] + starts[after:],
            ends[:position] + ends[after:],
            marks[:position] + marks[after:],
            fragments[:position] + fragments[after:],
            details[:position] + details[after:],
        )
        firsts[at] = chunks[at].starts[0]

    def insert(self, entry: Entry, chunk_size: int) -> None:
        """Put an entry into its place; a chunk that has grown to twice `chunk_size` is cut in two."""
        firsts, chunks = self
        if not chunks:
            chunks.append(chunk_of([entry]))
            firsts.append(entry.starts_at)
            return
        at, position = self.place(entry.starts_at, entry.fragment)
        starts, ends, marks, fragments, details = chunks[at]
        grown = Chunk(
            starts[:position] + array("d", [entry.starts_at]) + starts[position:],
            ends[:position] + array("d", [entry.ends_at]) + ends[position:],
            marks[:position] + array("Q", [mark_of(entry)]) + marks[position:],
            [*fragments[:position], entry.fragment, *fragments[position:]],
            [*details[:position], entry.details, *details[position:]],
        )
        middle = len(grown.starts) // 2
        parts = [grown] if middle < chunk_size else [grown.slice(0, middle), grown.slice(middle, len(grown.starts))]
        chunks[at : at + 1] = parts
        firsts[at : at + 1] = array("d", [part.starts[0] for part in parts])


def run_of(members: Sequence[Entry], chunk_size: int) -> Run:
    """Make full chunks of sorted entries."""
    chunks = [chunk_of(members[at : at + chunk_size]) for at in range(0, len(members), chunk_size)]
    return Run(array("d", [chunk.starts[0] for chunk in chunks]), chunks)
