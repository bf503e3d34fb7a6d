"""Plans of similar duration in memory: those that changed since the index file was written, or all when there is none.

Chunks are shared between one state and the next, so a change copies one of them (ADR 0009).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from app.adapters.outbound.search_index.plan_chunks import Chunk, Entry, Pair, Row, Run, run_of

BEHIND_ALL = b"\xff"
"""Sorts behind every fragment, and behind all that begin alike when it is added to that."""

ChunkHits = list[tuple[Chunk, int, int, int]]


class OverlayPart(NamedTuple):
    """All of them that there are."""

    shortest: float
    longest: float
    """Seconds; both may be wider than needed after a change."""
    run: Run

    def hits(self, after: float, last: float, sure: float) -> ChunkHits:
        """Find rows that start in [`after`, `last`], and from which on they start after `sure`."""
        firsts, chunks = self.run
        at = bisect_left(firsts, after)
        found = []
        for chunk in chunks[at - 1 if at else 0 : bisect_right(firsts, last, at)]:
            starts = chunk[0]
            low = bisect_left(starts, after)
            high = bisect_right(starts, last, low)
            if low < high:
                found.append((chunk, low, bisect_right(starts, sure, low, high), high))
        return found

    def forwards(self, first: Pair, latest: float) -> Iterator[Row]:
        """Read on from the first row that is not before a place, up to a start."""
        at, low = self.run.place(*first)
        for chunk in islice(self.run.chunks, at, None):
            high = bisect_right(chunk.starts, latest, low)
            yield from chunk.rows(low, high)
            if high < len(chunk.starts):
                return
            low = 0

    def backwards(self, earliest: float, before: Pair) -> Iterator[Row]:
        """Read back from the last row before a place, down to a start."""
        at, high = self.run.place(*before)
        for number in range(at, -1, -1):
            chunk = self.run.chunks[number]
            if number < at:
                high = len(chunk.starts)
            low = bisect_left(chunk.starts, earliest, 0, high)
            yield from reversed(chunk.rows(low, high))
            if low:
                return

    def ranks(self, bounds: Sequence[float]) -> list[int]:
        """Tell how many of the plans start before each of these instants."""
        before = list(accumulate((len(chunk.starts) for chunk in self.run.chunks), initial=0))

        def rank(at: float) -> int:
            number = bisect_left(self.run.firsts, at)
            return before[number - 1] + bisect_left(self.run.chunks[number - 1].starts, at) if number else 0

        return [rank(at) for at in bounds]

    def lookup(self, starts_at: float, prefix: bytes) -> Entry | None:
        """Find the plan that starts then and whose fragment begins with `prefix`."""
        at, position = self.run.place(starts_at, prefix)
        if position == len(self.run.chunks[at].starts) and at + 1 < len(self.run.chunks):
            at, position = at + 1, 0  # the first of a chunk sorts behind its own prefix
        starts, ends, _, fragments, details = self.run.chunks[at]
        if position < len(starts) and starts[position] == starts_at and fragments[position].startswith(prefix):
            return Entry(starts_at, fragments[position], ends[position], details[position])
        return None

    def entries(self) -> Iterator[Entry]:
        """Hand out everything, in order."""
        return (entry for chunk in self.run.chunks for entry in chunk.entries())

    @property
    def size(self) -> int:
        """How many plans it has."""
        return sum(len(chunk.starts) for chunk in self.run.chunks)


def part_of(members: Sequence[Entry], chunk_size: int) -> OverlayPart | None:
    """Make one of sorted entries; None of none."""
    if not members:
        return None
    durations = [entry.ends_at - entry.starts_at for entry in members]
    return OverlayPart(min(durations), max(durations), run_of(members, chunk_size))


def replaced(
    part: OverlayPart | None, old: Iterable[Entry], new: Iterable[Entry], chunk_size: int
) -> OverlayPart | None:
    """Make the part without `old` (all of them must be in it) and with `new`; None when nothing is left."""
    shortest, longest, run = float("inf"), float("-inf"), run_of((), chunk_size)
    if part is not None:
        shortest, longest, run = part.shortest, part.longest, Run(part.run.firsts[:], part.run.chunks[:])
    for entry in old:
        run.remove(entry)
    for entry in new:
        run.insert(entry, chunk_size)
        duration = entry.ends_at - entry.starts_at
        shortest, longest = min(shortest, duration), max(longest, duration)
    return OverlayPart(shortest, longest, run) if run.chunks else None
