"""A mapped index file: parts to search in, and a plan's place by its id."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from mmap import mmap
from pathlib import Path
from struct import calcsize
from typing import Any, NamedTuple

from app.adapters.outbound.search_index.image_format import COLUMNS, LONGER, ClassHead, ImageHead, map_file, read_head
from app.adapters.outbound.search_index.mapped_rows import MappedDetails, MappedPart, MappedRows
from app.adapters.outbound.search_index.plan_chunks import Entry
from app.application.ports.catalog import LogPosition
from app.application.ports.index_file import IndexFileError, IndexFileFacts


class Located(NamedTuple):
    """Where a plan lies in a file."""

    number: int
    """Of its class of duration."""
    row: int


class IndexImage(NamedTuple):
    """What a file says. Reading takes no lock, for no file is changed that has its name."""

    head: ImageHead
    parts: list[MappedPart | None]
    """By class of duration."""
    details: MappedDetails
    keys: "memoryview[int]"
    rows: "memoryview[int]"
    """Of each key, counted over all classes."""
    file: mmap

    @property
    def facts(self) -> IndexFileFacts:
        """Tell what is known of it."""
        return IndexFileFacts(datetime.fromtimestamp(self.head.written_at, UTC), len(self.keys), len(self.file))

    @property
    def positions(self) -> Mapping[str, LogPosition]:
        """Tell up to where it has each provider's change log."""
        return {name: LogPosition(*position) for name, position in self.head.positions.items()}

    def locate(self, key: bytes, key_of: Callable[[bytes], bytes]) -> Located | None:
        """Find the plan with the sixteen bytes of this id; `key_of` tells those of a fragment."""
        first = first_of_key(key)
        at = bisect_left(self.keys, first)
        while at < len(self.keys) and self.keys[at] == first:
            found, rows = self.located(self.rows[at])
            if key_of(rows.fragment(found.row)) == key:
                return found
            at += 1
        return None

    def read(self, found: Located) -> Entry:
        """Read the plan that lies there."""
        part = self.parts[found.number]
        if part is None:
            raise IndexError(found)
        return part.rows.entry(found.row)

    def located(self, row: int) -> tuple[Located, MappedRows]:
        """Find a row by its number, counted over all classes."""
        for number, part in enumerate(self.parts):
            if part is not None:
                if row < part.length:
                    return Located(number, row), part.rows
                row -= part.length
        raise IndexError(row)


def first_of_key(key: bytes) -> int:
    """Take what the keys are sorted by: the first eight bytes of an id."""
    return int.from_bytes(key[:8], "big")


def open_image(path: Path, rendering: str) -> IndexImage:
    """Map an index file, once its checksum and its versions are found to be right.

    Raises:
        FileNotFoundError: there is none.
        IndexFileError: it is damaged, of another version, or cannot be read; says so and names it.
    """
    file = map_file(path)
    head = read_head(file, path)
    if head.rendering != rendering:
        raise IndexFileError(f"the index file {path} holds answers of another version of Marquee")
    view = memoryview(file)
    count, offsets, packed = head.details
    details = MappedDetails(_column(view, "Q", offsets, count + 1), view[packed:])
    parts = [_part(file, view, details, one) if one else None for one in head.classes]
    size = sum(part.length for part in parts if part)
    keys, rows = head.keys
    return IndexImage(head, parts, details, _column(view, "Q", keys, size), _column(view, "I", rows, size), file)


def _part(file: mmap, view: memoryview, details: MappedDetails, one: ClassHead) -> MappedPart:
    lengths = [one.length + (number in LONGER) for number in range(len(COLUMNS))]
    columns = map(partial(_column, view), COLUMNS, one.columns, lengths)
    starts, ends, sums, begins, numbers = columns
    rows = MappedRows(starts, ends, sums, begins, numbers, file, details)
    return MappedPart(one.shortest, one.longest, rows)


def _column(view: memoryview, kind: str, begin: int, length: int) -> "memoryview[Any]":
    section: Any = view[begin : begin + calcsize(kind) * length]
    column: memoryview[Any] = section.cast(kind)
    return column
