"""Chunks: sorted runs of plans, the part of the index that a change copies (ADR 0009)."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """A plan as the index keeps it; sorts by start, then by fragment."""

    starts_at: float
    """POSIX seconds, like `ends_at`."""
    fragment: bytes
    """What search answers for this plan. It begins with the plan's id, so that ordering by it is ordering by id."""
    ends_at: float


class Chunk(NamedTuple):
    """Neighbours of one class, in columns: a search touches few cache lines."""

    starts: "array[float]"
    ends: "array[float]"
    fragments: list[bytes]

    def slice(self, low: int, high: int) -> "Chunk":
        """Copy some of the rows."""
        return Chunk(self.starts[low:high], self.ends[low:high], self.fragments[low:high])

    def entries(self) -> Iterator[Entry]:
        """Hand out the rows."""
        return map(Entry, self.starts, self.fragments, self.ends)


def chunk_of(members: Sequence[Entry]) -> Chunk:
    """Make a chunk of sorted entries."""
    return Chunk(
        array("d", [entry.starts_at for entry in members]),
        array("d", [entry.ends_at for entry in members]),
        [bytes(bytearray(entry.fragment)) for entry in members],  # a copy: neighbours in time, neighbours in memory
    )


def place(chunks: list[Chunk], starts_at: float, fragment: bytes) -> tuple[int, int]:
    """Find the chunk, and the position in it, of the first entry that is not before (`starts_at`, `fragment`)."""
    key = (starts_at, fragment)
    at = max(bisect_right(chunks, key, key=lambda chunk: (chunk.starts[0], chunk.fragments[0])) - 1, 0)
    chunk = chunks[at]
    low = bisect_left(chunk.starts, starts_at)
    high = bisect_right(chunk.starts, starts_at, low)
    return at, bisect_left(chunk.fragments, fragment, low, high)


def remove(chunks: list[Chunk], entry: Entry) -> None:
    """Take an entry out of sorted chunks; it must be there. The chunk that held it is replaced, not changed."""
    at, position = place(chunks, entry.starts_at, entry.fragment)
    starts, ends, fragments = chunks[at]
    if len(starts) == 1:
        del chunks[at]
        return
    after = position + 1
    chunks[at] = Chunk(
        starts[:position] + starts[after:], ends[:position] + ends[after:], fragments[:position] + fragments[after:]
    )


def insert(chunks: list[Chunk], entry: Entry, chunk_size: int) -> None:
    """Put an entry into its place; a chunk that has grown to twice `chunk_size` is cut in two."""
    if not chunks:
        chunks.append(chunk_of([entry]))
        return
    at, position = place(chunks, entry.starts_at, entry.fragment)
    starts, ends, fragments = chunks[at]
    grown = Chunk(
        starts[:position] + array("d", [entry.starts_at]) + starts[position:],
        ends[:position] + array("d", [entry.ends_at]) + ends[position:],
        [*fragments[:position], entry.fragment, *fragments[position:]],
    )
    middle = len(grown.starts) // 2
    if middle < chunk_size:
        chunks[at] = grown
    else:
        chunks[at : at + 1] = [grown.slice(0, middle), grown.slice(middle, len(grown.starts))]
