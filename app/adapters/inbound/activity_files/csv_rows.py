"""The rows of a CSV file (RFC 4180). A row that cannot be read costs no other: reading goes on with its second line.

A block of lines in which every line is a row is read at once; where a row has several lines, or cannot be read, the
rows of the block are read one by one.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from app.adapters.inbound.activity_files.lines import (
    TOO_LONG,
    Lines,
    Row,
    RowBatch,
    batch_of,
    is_cut,
    shown,
    undecodable,
)
from app.adapters.inbound.reading.refusals import Problem
from app.domain.activities import LARGEST_ACTIVITY

MOST_BYTES = 4
"""Of a character in UTF-8."""


class _RowTooLongError(Exception):
    pass


class CsvRows:
    """Reads rows, the header too; empty lines are no rows."""

    def __init__(self, lines: Lines, delimiter: str, longest: int = LARGEST_ACTIVITY, first_line: int = 1) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._longest = longest
        self._line = first_line
        self._taken: list[bytes] = []
        """The lines of the row in hand."""
        self._undecodable = False

    def __iter__(self) -> Iterator[Row]:
        """Hand out the rows in order."""
        reader = self._reader()
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _RowTooLongError:
                yield self._refused(TOO_LONG)
                reader = self._reader()
            except csv.Error as error:
                yield self._refused(Problem("invalid_csv", f"not well-formed CSV: {error}"))
                reader = self._reader()
            else:
                if row := self._row(cells):
                    yield row

    def batches(self, most: int) -> Iterator[RowBatch]:
        """Hand out the same rows, up to so many together."""
        while True:
            batch = None if self._lines.has_returned else self._plain_batch()
            if batch is not None:
                yield from (batch.part(begin, begin + most) for begin in range(0, len(batch), most))
                continue
            rows = iter(self)
            first = next(rows, None)
            if first is None:
                return
            some = islice(rows, most - 1) if self._lines.has_returned else ()
            yield batch_of(list(chain([first], self._while_returned(some))))

    def _while_returned(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            if not self._lines.has_returned:
                return

    def _plain_batch(self) -> RowBatch | None:
        """Read a block in which every line is a row; give any other back. None where one by one is to be read."""
        block = self._lines.read_block()
        found = self._plain_rows(block) if block else None
        if found is None:
            self._lines.give_back_block(block)
            return None
        cells, texts = found
        lines: Sequence[int] = range(self._line, self._line + len(texts))
        self._line += len(texts)
        if min(map(len, cells)) < 2:  # empty lines are no rows  # noqa: PLR2004 - a cell at the most
            kept = [place for place, text in enumerate(texts) if text.strip()]
            lines, texts = [lines[place] for place in kept], [texts[place] for place in kept]
            cells = [cells[place] for place in kept]
        return RowBatch(lines, texts, cells, {}) if texts else None

    def _plain_rows(self, block: bytes) -> tuple[list[list[str]], list[str]] | None:
        try:
            texts = block.decode().split("\n")
            if not texts[-1]:
                texts.pop()
            cells = list(csv.reader(texts, delimiter=self._delimiter, strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        if len(cells) != len(texts) or max(map(len, texts)) > self._longest // MOST_BYTES:
            return None
        return cells, [text.rstrip("\r") for text in texts] if b"\r" in block else texts

    def _reader(self) -> Any:
        return csv.reader(self._texts(), delimiter=self._delimiter, strict=True)

    def _texts(self) -> Iterator[str]:
        taken, size = self._taken, 0
        while line := self._lines.read():
            size = size + len(line) if taken else len(line)
            taken.append(line)
            if size > self._longest or is_cut(line):
                raise _RowTooLongError
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self._undecodable = True
                yield line.decode(errors="replace")

    def _row(self, cells: list[str]) -> Row | None:
        """Make the row of what was taken; None of an empty line."""
        line, taken, undecoded = self._line, self._taken, self._undecodable
        content = taken[0] if len(taken) == 1 else b"".join(taken)
        self._line += len(taken)
        taken.clear()
        self._undecodable = False
        if not content.strip():
            return None
        return Row(line, shown(content), cells, undecodable(content) if undecoded else None)

    def _refused(self, problem: Problem) -> Row:
        """Refuse the first line of what was taken, and give the others back."""
        first, *others = self._taken
        self._lines.give_back(others)
        row = Row(self._line, shown(first), [], problem)
        self._line += 1
        self._taken.clear()
        self._undecodable = False
        return row
