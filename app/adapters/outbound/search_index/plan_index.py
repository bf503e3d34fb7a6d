"""The index of the searchable catalog: immutable, shared between versions, made for one question.

Plans are split into classes of duration and sorted by start inside a class. Inside a class whose longest plan lasts
`d`, what starts in [a, b - d] surely ends by b: one contiguous slice. Only what starts later needs its end checked, and
classes whose shortest plan is longer than the window are not looked at (ADR 0009). Each class has two parts: rows of
the index file, which all processes of a machine share, and what changed since it was written, in chunks of which a
change copies one (ADR 0090). Figures: `make bench-search`.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from app.adapters.outbound.search_index.found_plans import FoundPlans, Hit
from app.adapters.outbound.search_index.index_image import IndexImage, Located
from app.adapters.outbound.search_index.mapped_rows import MappedPart
from app.adapters.outbound.search_index.overlay_part import OverlayPart, part_of, replaced
from app.adapters.outbound.search_index.plan_chunks import Entry, Pair, Row

DURATION_LIMITS = (6 * 3600.0, 48 * 3600.0, 14 * 86400.0, float("inf"))
"""The longest duration of each class, in seconds. Most plans last an evening, so most windows read one class."""

CHUNK_SIZE = 64
"""Plans in a full chunk; a chunk that grows to twice of it is cut in two."""


class Part(Protocol):
    """Some plans of one class of duration, in order."""

    @property
    def shortest(self) -> float:
        """A bound of their durations, in seconds."""

    @property
    def longest(self) -> float:
        """The other one."""

    def hits(self, after: float, last: float, sure: float) -> Sequence[Hit]:
        """Find rows that start in [`after`, `last`], and from which on they start after `sure`."""

    def forwards(self, first: Pair, latest: float) -> Iterator[Row]:
        """Read on from the first row that is not before a place, up to a start."""

    def backwards(self, earliest: float, before: Pair) -> Iterator[Row]:
        """Read back from the last row before a place, down to a start."""

    def ranks(self, bounds: Sequence[float]) -> list[int]:
        """Tell how many of the plans start before each of these instants."""


class PlanIndex:
    """The plans that search may find. Never changes: `replacing` makes the next one and shares what stays."""

    def __init__(
        self,
        overlay: Sequence[OverlayPart | None],
        mapped: Sequence[MappedPart | None],
        size: int,
        image: IndexImage | None = None,
        chunk_size: int = CHUNK_SIZE,
    ) -> None:
        """Use `of` or `EMPTY`; both sequences have one place for each of DURATION_LIMITS."""
        self.overlay = tuple(overlay)
        self.mapped = tuple(mapped)
        self.size = size
        self.image = image
        """What the mapped parts are of."""
        self._chunk_size = chunk_size
        parts: list[Part] = [part for part in (*self.mapped, *self.overlay) if part is not None]
        self.parts = sorted(parts, key=lambda part: part.shortest)

    @classmethod
    def of(cls, entries: Iterable[Entry], image: IndexImage | None = None, chunk_size: int = CHUNK_SIZE) -> "PlanIndex":
        """Build an index of new entries over an image: n log n.

        Fragments are copied so that neighbours lie side by side in memory.
        """
        classes: list[list[Entry]] = [[] for _ in DURATION_LIMITS]
        for entry in entries:
            classes[duration_class(entry)].append(entry)
        size = sum(map(len, classes)) + (len(image.keys) if image else 0)
        overlay = [part_of(sorted(members), chunk_size) for members in classes]
        return cls(overlay, image.parts if image else NO_PARTS, size, image, chunk_size)

    @property
    def is_changed(self) -> bool:
        """Whether it has something that its image has not."""
        return any(self.overlay)

    def find(self, after: float, before: float) -> FoundPlans:
        """Find the plans that lie inside [after, before] (POSIX seconds)."""
        groups = []
        for part in self.parts:
            last = before - part.shortest
            if last < after:
                break
            hits = part.hits(after, last, before - part.longest)
            if hits:
                groups.append(hits)
        return FoundPlans(groups, before)

    def lookup(self, starts_at: float, prefix: bytes) -> Entry | None:
        """Find the plan of the overlay that starts then and whose fragment begins with `prefix`."""
        found = (part.lookup(starts_at, prefix) for part in self.overlay if part)
        return next((entry for entry in found if entry is not None), None)

    def changed(self) -> Iterator[Entry]:
        """Hand out the overlay, class by class, each in order."""
        return (entry for part in self.overlay if part for entry in part.entries())

    def unchanged(self) -> Iterator[Entry]:
        """Hand out what still stands in the file as it does there."""
        return (entry for part in self.mapped if part for entry in part.entries())

    def holding(self, number: int, part: OverlayPart) -> "PlanIndex":
        """Make the index with this overlay in a class of duration that has none."""
        overlay = [*self.overlay[:number], part, *self.overlay[number + 1 :]]
        return PlanIndex(overlay, self.mapped, self.size + part.size, self.image, self._chunk_size)

    def replacing(self, old: Iterable[Entry], new: Iterable[Entry], gone: Iterable[Located] = ()) -> "PlanIndex":
        """Make the index without `old` (all of the overlay) and the rows that are `gone`, and with `new`."""
        leaving, coming, rows = _by_class(old), _by_class(new), defaultdict[int, list[int]](list)
        for number, row in gone:
            rows[number].append(row)
        overlay, mapped = list(self.overlay), list(self.mapped)
        for number in leaving.keys() | coming.keys():
            overlay[number] = replaced(overlay[number], leaving[number], coming[number], self._chunk_size)
        for number, of_class in rows.items():
            part = mapped[number]
            mapped[number] = part and part.without(of_class)
        grown = sum(map(len, coming.values())) - sum(map(len, leaving.values())) - sum(map(len, rows.values()))
        return PlanIndex(overlay, mapped, self.size + grown, self.image, self._chunk_size)


def duration_class(entry: Entry) -> int:
    """Tell which class an entry belongs to."""
    return bisect_left(DURATION_LIMITS, entry.ends_at - entry.starts_at)


def _by_class(entries: Iterable[Entry]) -> Mapping[int, list[Entry]]:
    classes = defaultdict[int, list[Entry]](list)
    for entry in entries:
        classes[duration_class(entry)].append(entry)
    return classes


NO_PARTS = (None,) * len(DURATION_LIMITS)
EMPTY = PlanIndex(NO_PARTS, NO_PARTS, 0)
