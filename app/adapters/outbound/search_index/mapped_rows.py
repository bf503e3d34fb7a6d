"""Plans of similar duration as they lie in the index file: columns of a mapped file, shared by all who map it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from mmap import mmap
from operator import sub
from typing import NamedTuple

from app.adapters.outbound.search_index.plan_chunks import MARK_MASK, Buffer, Entry, Pair, Row

MANY = 256
"""Rows; of more of them no copy is made before they are sent."""
BLOCK = 256
"""Rows that are read together where somebody reads on and on."""


class MappedDetails(NamedTuple):
    """What lists say of plans beside a search, each different one once."""

    offsets: "memoryview[int]"
    """Where each begins in `packed`, and the last ends."""
    packed: memoryview

    def read(self, number: int) -> bytes:
        """Read one."""
        return bytes(self.packed[self.offsets[number] : self.offsets[number + 1]])


class MappedRows(NamedTuple):
    """The columns, sorted by start, then by fragment."""

    starts: "memoryview[float]"
    ends: "memoryview[float]"
    sums: "memoryview[int]"
    """Of the marks of all rows before each, and of all rows; modulo 2**60."""
    begins: "memoryview[int]"
    """Where each fragment begins in the file; behind it comes a comma, then the next, and where that of all is."""
    details: "memoryview[int]"
    """Their numbers in `all_details`."""
    file: mmap
    all_details: MappedDetails

    def fragment(self, row: int) -> bytes:
        """Read one fragment."""
        return self.file[self.begins[row] : self.begins[row + 1] - 1]

    def entry(self, row: int) -> Entry:
        """Read one row."""
        return Entry(self.starts[row], self.fragment(row), self.ends[row], self.all_details.read(self.details[row]))

    def rows(self, low: int, high: int) -> list[Row]:
        """Read some of the rows."""
        return [
            (starts_at, fragment, ends_at, self.all_details.read(number))
            for starts_at, fragment, ends_at, number in zip(
                self.starts[low:high],
                self.fragments(low, high),
                self.ends[low:high],
                self.details[low:high],
                strict=True,
            )
        ]

    def fragments(self, low: int, high: int) -> list[bytes]:
        """Read the fragments of some of the rows."""
        file, places = self.file, self.begins[low : high + 1].tolist()
        return [file[begin : behind - 1] for begin, behind in pairwise(places)]

    def place(self, starts_at: float, fragment: bytes) -> int:
        """Find the first row that is not before (`starts_at`, `fragment`)."""
        low = bisect_left(self.starts, starts_at)
        high = bisect_right(self.starts, starts_at, low)
        return bisect_left(range(high), fragment, low, high, key=self.fragment)

    def marks(self, low: int, high: int) -> Iterator[int]:
        """Read the mark of each row."""
        return map(MARK_MASK.__and__, map(sub, self.sums[low + 1 : high + 1], self.sums[low:high]))


class MappedPart(NamedTuple):
    """Rows of the file without those that changed since."""

    shortest: float
    longest: float
    rows: MappedRows
    gone: bytearray | None = None
    """A byte for each row, 1 for what changed since and lies in the overlay; None when nothing did. Never changed."""

    def hits(self, after: float, last: float, sure: float) -> Sequence[tuple["MappedPart", int, int, int]]:
        """Find rows that start in [`after`, `last`], and from which on they start after `sure`."""
        starts = self.rows.starts
        low = bisect_left(starts, after)
        high = bisect_right(starts, last, low)
        return ((self, low, bisect_right(starts, sure, low, high), high),) if low < high else ()

    def read(self, low: int, unsure: int, high: int, before: float) -> tuple[int, list[Buffer]]:
        """See Rows: rows side by side are one slice of the file, with their commas."""
        _, _, (_, ends, sums, begins, _, file, _), gone = self
        if (gone is not None and gone.find(1, low, high) >= 0) or high - low > MANY:
            runs = self._runs(low, unsure, high, before)
            return sum(sums[end] - sums[begin] for begin, end in runs), self._views(runs)
        mark = 0
        found: list[Buffer] = []
        for row, ends_at in enumerate(ends[unsure:high].tolist(), unsure):  # what nearly every search does
            if ends_at > before:
                if low < row:
                    mark += sums[row] - sums[low]
                    found.append(file[begins[low] : begins[row] - 1])
                low = row + 1
        if low < high:
            mark += sums[high] - sums[low]
            found.append(file[begins[low] : begins[high] - 1])
        return mark, found

    def _views(self, runs: Iterable[tuple[int, int]]) -> list[Buffer]:
        """View the fragments, of which no copy is made before they are sent."""
        view, begins = memoryview(self.rows.file), self.rows.begins
        return [view[begins[begin] : begins[end] - 1] for begin, end in runs]

    def mark(self, low: int, unsure: int, high: int, before: float) -> int:
        """See Rows: of rows side by side it is a difference of two sums."""
        sums = self.rows.sums
        return sum(sums[end] - sums[begin] for begin, end in self._runs(low, unsure, high, before))

    def pairs(self, low: int, unsure: int, high: int, before: float) -> Iterator[Pair]:
        """See Rows: block by block."""
        for begin, end in self._runs(low, unsure, high, before):
            for at in range(begin, end, BLOCK):
                to = min(at + BLOCK, end)
                yield from zip(self.rows.starts[at:to].tolist(), self.rows.fragments(at, to), strict=True)

    def _runs(self, low: int, unsure: int, high: int, before: float) -> list[tuple[int, int]]:
        """Find what lies side by side among the rows that end in time and did not change since."""
        ends = enumerate(self.rows.ends[unsure:high].tolist(), unsure)
        if self.gone is not None and self.gone.find(1, low, high) >= 0:
            late = (row for row, ends_at in ends if ends_at > before)
            return _runs_without(sorted({*late, *_set_bytes(self.gone, low, high)}), low, high)
        return _runs_without((row for row, ends_at in ends if ends_at > before), low, high)

    def forwards(self, first: Pair, latest: float) -> Iterator[Row]:
        """Read on from the first row that is not before a place, up to a start."""
        low, high = self.rows.place(*first), bisect_right(self.rows.starts, latest)
        for at in range(low, high, BLOCK):
            yield from self._rows(at, min(at + BLOCK, high))

    def backwards(self, earliest: float, before: Pair) -> Iterator[Row]:
        """Read back from the last row before a place, down to a start."""
        low, high = bisect_left(self.rows.starts, earliest), self.rows.place(*before)
        for end in range(high, low, -BLOCK):
            yield from reversed(self._rows(max(end - BLOCK, low), end))

    def _rows(self, low: int, high: int) -> list[Row]:
        if self.gone is None:
            return self.rows.rows(low, high)
        return [row for span in spans(self.gone, low, high) for row in self.rows.rows(*span)]

    def ranks(self, bounds: Sequence[float]) -> list[int]:
        """Tell how many of the plans start before each of these instants."""
        before = [bisect_left(self.rows.starts, at) for at in bounds]
        return [row - self.gone.count(1, 0, row) for row in before] if self.gone else before

    def entries(self) -> Iterator[Entry]:
        """Hand out everything, in order."""
        blocks = (self._rows(at, min(at + BLOCK, self.length)) for at in range(0, self.length, BLOCK))
        return (Entry(*row) for block in blocks for row in block)

    def without(self, rows: Sequence[int]) -> "MappedPart":
        """Make the part without some more rows."""
        gone = bytearray(self.gone) if self.gone else bytearray(self.length)
        for row in rows:
            gone[row] = 1
        return self._replace(gone=gone)

    @property
    def length(self) -> int:
        """How many rows there are, those included that changed since."""
        return len(self.rows.starts)

    @property
    def size(self) -> int:
        """How many plans it has."""
        return self.length - (self.gone.count(1) if self.gone else 0)


def spans(gone: bytearray | None, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Cut a run of rows at those that are gone."""
    while low < high:
        at = gone.find(1, low, high) if gone else -1
        end = high if at < 0 else at
        if low < end:
            yield low, end
        low = end + 1


def _set_bytes(gone: bytearray, low: int, high: int) -> Iterator[int]:
    while (low := gone.find(1, low, high)) >= 0:
        yield low
        low += 1


def _runs_without(left_out: Iterable[int], low: int, high: int) -> list[tuple[int, int]]:
    runs = []
    for row in left_out:
        if low < row:
            runs.append((low, row))
        low = row + 1
    if low < high:
        runs.append((low, high))
    return runs
