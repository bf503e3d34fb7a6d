"""The rows of a CSV file (RFC 4180). A row that cannot be read costs no other: reading goes on with its second line."""

import csv
from collections.abc import Iterator
from typing import Any

from app.adapters.inbound.activity_files.lines import TOO_LONG, Lines, Row, is_cut, shown, undecodable
from app.adapters.inbound.reading.refusals import Problem
from app.domain.activities import LARGEST_ACTIVITY


class _RowTooLongError(Exception):
    pass


class CsvRows:
    """Reads rows, the header too; empty lines are no rows."""

    def __init__(self, lines: Lines, delimiter: str, longest: int = LARGEST_ACTIVITY) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._longest = longest
        self._line = 1
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
