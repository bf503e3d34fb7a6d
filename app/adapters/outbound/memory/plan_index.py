"""The index of the searchable catalog in memory: immutable, shared between versions, made for one question.

Plans are split into classes of duration and sorted by start inside a class. Inside a class whose longest plan lasts
`d`, what starts in [a, b - d] surely ends by b: one contiguous slice. Only what starts later needs its end checked, and
classes whose shortest plan is longer than the window are not looked at. Classes are cut into chunks, so that a change
copies one chunk and shares the others (ADR 0009). Figures: `make bench-search`.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from typing import NamedTuple

from app.adapters.outbound.memory.plan_chunks import Chunk, Entry, chunk_of, insert, place, remove

DURATION_LIMITS = (6 * 3600.0, 48 * 3600.0, 14 * 86400.0, float("inf"))
"""The longest duration of each class, in seconds. Most plans last an evening, so most windows read one class."""

CHUNK_SIZE = 512
"""Plans in a full chunk; a chunk that grows to twice of it is cut in two."""


class DurationClass(NamedTuple):
    """All plans of similar duration, in chunks that are sorted and do not overlap."""

    shortest: float
    longest: float
    firsts: "array[float]"
    """The first start of each chunk."""
    chunks: list[Chunk]


Hits = tuple[Chunk, int, int, float]
"""Rows low to high of a chunk start inside the window; what starts after the last part, `sure`, may end too late.

A bare tuple, because every search makes one.
"""


class PlanIndex:
    """The plans that search may find. Never changes: `replacing` makes the next one and shares what stays."""

    def __init__(self, classes: Sequence[DurationClass | None], size: int, chunk_size: int) -> None:
        """Use `of` or `EMPTY`; `classes` has one place for each of DURATION_LIMITS."""
        self._all = tuple(classes)
        self._classes = sorted((c for c in classes if c is not None), key=lambda c: c.shortest)
        self._chunk_size = chunk_size
        self.size = size

    @classmethod
    def of(cls, entries: Iterable[Entry], chunk_size: int = CHUNK_SIZE) -> "PlanIndex":
        """Build an index anew: n log n, and the fragments are copied so that neighbours lie side by side in memory."""
        classes: list[list[Entry]] = [[] for _ in DURATION_LIMITS]
        size = 0
        for entry in entries:
            classes[duration_class(entry)].append(entry)
            size += 1
        return cls([_class_of(sorted(members), chunk_size) for members in classes], size, chunk_size)

    def groups(self, after: float, before: float) -> list[list[Hits]]:
        """Find what may lie inside [after, before], by class; `read` or `pieces` reads it out."""
        found = []
        for shortest, longest, firsts, chunks in self._classes:
            last = before - shortest
            if last < after:
                break
            at = bisect_left(firsts, after)
            hits = []
            for chunk in chunks[at - 1 if at else 0 : bisect_right(firsts, last, at)]:
                starts = chunk[0]
                low = bisect_left(starts, after)
                high = bisect_right(starts, last, low)
                if low < high:
                    hits.append((chunk, low, high, before - longest))
            if hits:
                found.append(hits)
        return found

    def find(self, after: float, before: float) -> list[bytes]:
        """Return the fragments of all plans that lie inside [after, before] (POSIX seconds), by start, then by id."""
        return self.read(self.groups(after, before), before)

    @staticmethod
    def read(groups: list[list[Hits]], before: float) -> list[bytes]:
        """Read out all of `groups` at once."""
        if len(groups) == 1:
            hits = groups[0]
            if len(hits) == 1:
                return _fragments(hits[0], before)
            return [fragment for part in hits for fragment in _fragments(part, before)]
        pairs = [pair for hits in groups for part in hits for pair in _pairs(part, before)]
        pairs.sort()
        return [fragment for _, fragment in pairs]

    @staticmethod
    def pieces(groups: list[list[Hits]], before: float, size: int) -> Iterator[list[bytes]]:
        """Read out `groups` bit by bit, `size` fragments at a time, for answers too large to be made at one go."""
        runs = [(pair for part in hits for pair in _pairs(part, before)) for hits in groups]
        piece = []
        for _, fragment in merge(*runs):
            piece.append(fragment)
            if len(piece) == size:
                yield piece
                piece = []
        if piece:
            yield piece

    def lookup(self, starts_at: float, prefix: bytes) -> Entry | None:
        """Find the plan that starts then and whose fragment begins with `prefix`."""
        for duration in self._classes:
            at, position = place(duration.chunks, starts_at, prefix)
            if position == len(duration.chunks[at].starts) and at + 1 < len(duration.chunks):
                at, position = at + 1, 0  # the first of a chunk sorts behind its own prefix
            starts, ends, fragments = duration.chunks[at]
            if position < len(starts) and starts[position] == starts_at and fragments[position].startswith(prefix):
                return Entry(starts_at, fragments[position], ends[position])
        return None

    def entries(self) -> Iterator[Entry]:
        """Hand out everything, class by class."""
        return (entry for c in self._classes for chunk in c.chunks for entry in chunk.entries())

    def classes(self) -> Sequence[DurationClass]:
        """Hand out the classes that have plans, for other questions than windows; they are not to be changed."""
        return self._classes

    def replacing(self, old: Iterable[Entry], new: Iterable[Entry]) -> "PlanIndex":
        """Make the index without `old` (all of them must be in it) and with `new`."""
        classes: dict[int, DurationClass] = {}

        def class_of(entry: Entry) -> DurationClass:
            number = duration_class(entry)
            if number not in classes:
                classes[number] = _thawed(self._all[number])
            return classes[number]

        grown = 0
        for entry in old:
            remove(class_of(entry).chunks, entry)
            grown -= 1
        for entry in new:
            number, duration = duration_class(entry), entry.ends_at - entry.starts_at
            before = class_of(entry)
            insert(before.chunks, entry, self._chunk_size)
            bounds = min(before.shortest, duration), max(before.longest, duration)
            classes[number] = DurationClass(*bounds, before.firsts, before.chunks)
            grown += 1
        after = [_frozen(classes[number]) if number in classes else kept for number, kept in enumerate(self._all)]
        return PlanIndex(after, self.size + grown, self._chunk_size)


def duration_class(entry: Entry) -> int:
    """Tell which class an entry belongs to."""
    return bisect_left(DURATION_LIMITS, entry.ends_at - entry.starts_at)


def _fragments(hits: Hits, before: float) -> list[bytes]:
    """Read the fragments of what ends by `before`, in order."""
    (starts, ends, fragments), low, high, sure = hits
    unsure = bisect_right(starts, sure, low, high)
    found = fragments[low:unsure]
    if unsure < high:
        rest = zip(fragments[unsure:high], ends[unsure:high], strict=True)
        found += [fragment for fragment, ends_at in rest if ends_at <= before]
    return found


def _pairs(hits: Hits, before: float) -> Iterator[tuple[float, bytes]]:
    """Read the same with their starts, to be merged with those of other classes."""
    (starts, ends, fragments), low, high, _ = hits
    rows = zip(starts[low:high], fragments[low:high], ends[low:high], strict=True)
    return ((starts_at, fragment) for starts_at, fragment, ends_at in rows if ends_at <= before)


def _class_of(members: Sequence[Entry], chunk_size: int) -> DurationClass | None:
    durations = [entry.ends_at - entry.starts_at for entry in members]
    chunks = [chunk_of(members[at : at + chunk_size]) for at in range(0, len(members), chunk_size)]
    bounds = min(durations, default=0.0), max(durations, default=0.0)
    return _frozen(DurationClass(*bounds, array("d"), chunks))


def _thawed(before: DurationClass | None) -> DurationClass:
    """Copy a class's list of chunks, to be changed. Its bounds stay: wider than needed is still right."""
    if before is None:
        return DurationClass(float("inf"), float("-inf"), array("d"), [])
    return DurationClass(before.shortest, before.longest, before.firsts, list(before.chunks))


def _frozen(changed: DurationClass) -> DurationClass | None:
    """Make a class of changed chunks; None when none is left."""
    if not changed.chunks:
        return None
    firsts = array("d", [chunk.starts[0] for chunk in changed.chunks])
    return DurationClass(changed.shortest, changed.longest, firsts, changed.chunks)


EMPTY = PlanIndex([None] * len(DURATION_LIMITS), 0, CHUNK_SIZE)
