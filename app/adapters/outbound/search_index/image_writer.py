"""Writing an index file: what did not change is copied from the file before, run by run (ADR 0090)."""

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate, chain, repeat
from operator import sub
from typing import BinaryIO, NamedTuple

from app.adapters.outbound.search_index.image_format import (
    ALIGNMENT,
    AT_ONCE,
    CHECKSUM,
    FORMAT,
    LENGTH,
    MAGIC,
    PREAMBLE,
    ClassHead,
    ImageHead,
    encode_head,
)
from app.adapters.outbound.search_index.index_image import IndexImage, first_of_key
from app.adapters.outbound.search_index.mapped_rows import MappedPart, MappedRows, spans
from app.adapters.outbound.search_index.plan_chunks import MARK_MASK, Buffer, Entry, mark_of
from app.adapters.outbound.search_index.plan_index import PlanIndex
from app.application.ports.catalog import LogPosition

Key = Callable[[bytes], bytes]
"""Tells the sixteen bytes of the id with which a fragment begins."""
HELD = 256 << 10
"""Bytes that are held before they are written."""
NOWHERE = 0xFFFFFFFF
"""The row that a row has become which is in the new file no more."""


class Imprint(NamedTuple):
    """What is said of the plans in a file."""

    rendering: str
    written_at: float
    """POSIX seconds."""
    positions: Mapping[str, LogPosition]


def write_image(index: PlanIndex, imprint: Imprint, key: Key, file: BinaryIO) -> int:
    """Write an index as a file that `open_image` maps, and tell its size; about a second for a million plans."""
    output = _Output(file)
    details = _Details(index.image)
    classes, new = _classes(index, output, details, key)
    heads = [one.write_columns() for one in classes]
    places = len(details.offsets) - 1, output.column(details.offsets), output.place()
    for buffer in details.buffers():
        output.write(buffer)
    moved = array("I", chain.from_iterable(one.moved for one in classes))
    keys, rows = _keys(index.image, moved, new, key)
    positions = {name: (one.epoch, one.sequence, one.entry) for name, one in imprint.positions.items()}
    table = output.column(keys), output.column(rows)
    output.end(encode_head(ImageHead(imprint.written_at, imprint.rendering, positions, heads, places, table)))
    return output.at


class _Output:
    """A file that grows, and what is to be known of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._checksum = 0
        self._held: list[Buffer] = []
        self._held_bytes = 0
        self.at = 0
        self.write(PREAMBLE.pack(MAGIC, FORMAT))

    def write(self, buffer: Buffer) -> None:
        """Write it on: what is small together with what follows, what is large in portions."""
        self.at += len(buffer)
        self._held.append(buffer)
        self._held_bytes += len(buffer)
        if self._held_bytes > HELD:
            self._flush()

    def _flush(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        with memoryview(held[0] if len(held) == 1 else b"".join(held)) as view:
            for at in range(0, len(view), AT_ONCE):
                portion = view[at : at + AT_ONCE]
                self._checksum = zlib.crc32(portion, self._checksum)
                self._file.write(portion)

    def place(self) -> int:
        """Go on at the next multiple of ALIGNMENT, and tell where that is."""
        self.write(bytes(-self.at % ALIGNMENT))
        return self.at

    def column(self, numbers: "array[int] | array[float]") -> int:
        """Write numbers, and tell where they begin."""
        begin = self.place()
        self.write(memoryview(numbers).cast("B"))
        return begin

    def end(self, head: bytes) -> None:
        """Write the head and what stands behind it."""
        self.write(head + LENGTH.pack(len(head)))
        self._flush()
        self.write(CHECKSUM.pack(self._checksum))
        self._flush()


class _Details:
    """Each different one once. Those of the file before keep their numbers, unless most of them are used no more."""

    def __init__(self, before: IndexImage | None) -> None:
        self.before = before if before and len(before.details.offsets) <= 2 * len(before.keys) + 1_000 else None
        self.offsets = array("Q", self.before.details.offsets if self.before else [0])
        self._added: list[bytes] = []
        self._numbers: dict[bytes, int] = {}

    def numbers(self, rows: MappedRows, low: int, high: int) -> Iterable[int]:
        """Number those of some rows of the file before."""
        numbers = rows.details[low:high]
        return numbers if self.before else map(self.number, map(rows.all_details.read, numbers))

    def number(self, packed: bytes) -> int:
        """Number one."""
        number = self._numbers.get(packed)
        if number is None:
            number = self._numbers[packed] = len(self.offsets) - 1
            self._added.append(packed)
            self.offsets.append(self.offsets[-1] + len(packed))
        return number

    def buffers(self) -> Iterator[Buffer]:
        """Hand all of them out, in the order of their numbers."""
        if self.before:
            table = self.before.details
            yield table.packed[: table.offsets[-1]]
        yield b"".join(self._added)


class _Class:
    """The new rows of one class of duration: written fragments, and columns that are still to be written."""

    def __init__(self, base: int, mapped: MappedPart | None, output: _Output, details: _Details) -> None:
        """Take the number of the first row, counted over all classes."""
        self._base = base
        self._mapped = mapped
        self._output = output
        self._details = details
        self._starts, self._ends, self._marks = array("d"), array("d"), array("Q")
        self._begins, self._numbers = array("Q"), array("I")
        self.moved = array("I")
        """By row of the file before: the number of the row that it has become, or NOWHERE."""

    @property
    def end(self) -> int:
        """The number of the next row, counted over all classes."""
        return self._base + len(self._starts)

    def fill(self, changed: Iterable[Entry]) -> Iterator[int]:
        """Write the rows that stay and those that changed, in order; hand out the numbers of the latter as they go."""
        at, mapped = 0, self._mapped
        for entry in changed:
            place = mapped.rows.place(entry.starts_at, entry.fragment) if mapped else 0
            if place > at:
                self._copy(at, place)
                at = place
            yield self.end
            self._add(entry)
        if mapped:
            self._copy(at, mapped.length)
        self._begins.append(self._output.at)

    def _add(self, entry: Entry) -> None:
        at = self._output.at
        self._starts.append(entry.starts_at)
        self._ends.append(entry.ends_at)
        self._marks.append(mark_of(entry))
        self._begins.append(at)
        self._numbers.append(self._details.number(entry.details))
        self._output.write(entry.fragment + b",")

    def _copy(self, low: int, high: int) -> None:
        """Copy a run of rows of the file before, but for those that are gone."""
        if self._mapped is None:
            return
        for begin, end in spans(self._mapped.gone, low, high):
            self.moved.extend(repeat(NOWHERE, begin - low))
            self.moved.extend(range(self.end, self.end + end - begin))
            self._copy_rows(self._mapped.rows, begin, end)
            low = end
        self.moved.extend(repeat(NOWHERE, high - low))

    def _copy_rows(self, rows: MappedRows, low: int, high: int) -> None:
        first, behind = rows.begins[low], rows.begins[high]
        move = (self._output.at - first).__add__
        self._starts.frombytes(rows.starts[low:high].cast("B"))
        self._ends.frombytes(rows.ends[low:high].cast("B"))
        self._marks.extend(rows.marks(low, high))
        self._begins.extend(map(move, rows.begins[low:high]))
        self._numbers.extend(self._details.numbers(rows, low, high))
        self._output.write(memoryview(rows.file)[first:behind])

    def write_columns(self) -> ClassHead | None:
        """Write the columns, and tell where they are."""
        if not self._starts:
            return None
        durations = array("d", map(sub, self._ends, self._starts))
        sums = array("Q", map(MARK_MASK.__and__, accumulate(self._marks, initial=0)))
        columns = (self._starts, self._ends, sums, self._begins, self._numbers)
        places = [self._output.column(column) for column in columns]
        return ClassHead(min(durations), max(durations), len(durations), places)


def _classes(index: PlanIndex, output: _Output, details: _Details, key: Key) -> tuple[list[_Class], dict[bytes, int]]:
    """Write all rows; tell which numbers those of the overlay got, by the plan's id."""
    classes: list[_Class] = []
    new: dict[bytes, int] = {}
    base = 0
    for mapped, overlay in zip(index.mapped, index.overlay, strict=True):
        one = _Class(base, mapped, output, details)
        changed = list(overlay.entries()) if overlay else []
        new.update(zip((key(entry.fragment) for entry in changed), one.fill(changed), strict=True))
        classes.append(one)
        base = one.end
    return classes, new


def _keys(
    image: IndexImage | None, moved: "array[int]", new: dict[bytes, int], key: Key
) -> tuple["array[int]", "array[int]"]:
    """Make the new table: keys that stay get the new numbers of their rows, new ones are put between them."""
    before = image.keys if image else array("Q")
    numbers = array("I", map(moved.__getitem__, image.rows if image else ()))
    at = -1
    with suppress(ValueError):  # there is no other
        while image:
            at = numbers.index(NOWHERE, at + 1)
            found, lie = image.located(image.rows[at])
            numbers[at] = new.pop(key(lie.fragment(found.row)))
    keys, rows, low = array("Q"), array("I"), 0
    for first, number in sorted((first_of_key(plan), number) for plan, number in new.items()):
        high = bisect_left(before, first, low)
        keys.extend(before[low:high])
        rows.extend(numbers[low:high])
        keys.append(first)
        rows.append(number)
        low = high
    keys.extend(before[low:])
    rows.extend(numbers[low:])
    return keys, rows
