"""Records of CSV (RFC 4180): a row each, by the names of the header."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.adapters.outbound.providers.mapped.line_records import lines_of
from app.adapters.outbound.providers.mapped.paths import BrokenRecord, Record, Records
from app.adapters.outbound.providers.mapped.utf_8_file import ByteReader
from app.application.ports.providers import FeedRefusedError

MAX_ROW_LINES = 200
"""A row with a cell of several lines; an opening quote without its end costs no more than its own line."""
MAX_COLUMNS = 1_000
DELIMITERS = ",;\t|"

_SOURCE = 8_000


class _NoRowError(ValueError):
    """What begins in a line is no row."""


@dataclass(slots=True)
class CsvRecords(Records):
    """Reads one document, once."""

    file: ByteReader
    where: str
    columns: Sequence[str] = ()
    """Of a document without a header."""
    delimiter: str | None = None
    quote: str | None = '"'
    _lines: Iterator[bytes] = field(init=False)
    _ahead: list[bytes] = field(default_factory=list)
    _number: int = 0
    """The lines taken so far."""

    def __post_init__(self) -> None:
        self._lines = lines_of(self.file, self.where)

    @property
    def unknown(self) -> int:
        """As the Protocol says: each row is a record, or a broken one."""
        return 0

    @property
    def end(self) -> Any:
        """As the Protocol says: nothing stands around rows."""
        return None

    def __iter__(self) -> Iterator[Record | BrokenRecord]:
        """As the Protocol says."""
        names = self.columns or self._header()
        header = repr((names, self.delimiter)).encode() + b"\n"
        while (line := self._take()) is not None:
            if not line.strip():
                continue
            begins = self._number
            taken = [line]
            try:
                cells = self._row(taken, len(names))
            except _NoRowError as error:
                self._give_back(taken[1:])
                yield BrokenRecord(str(error), begins, _text(line))
                continue
            node = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
            raw = b"".join(taken)
            yield Record(node, begins, partial(_text, raw), raw=header + raw)

    def _header(self) -> list[str]:
        line = self._take()
        while line is not None and not line.strip():
            line = self._take()
        if line is None:
            raise FeedRefusedError(f"{self.where}: expected a header with the names of columns, found nothing")
        if line.lstrip().startswith((b"<", b"{", b"[")):
            raise FeedRefusedError(f"{self.where}: expected the header of a CSV document, found XML, HTML or JSON")
        if self.delimiter is None:
            self.delimiter = _delimiter(line)
        taken = [line]
        try:
            names = [name.strip() for name in self._row(taken, None)]
        except _NoRowError as error:
            raise FeedRefusedError(f"{self.where}: expected a header with the names of columns: {error}") from None
        if twice := sorted({name for name in names if name and names.count(name) > 1}):
            raise FeedRefusedError(f"{self.where}: expected each column once, found {twice[0]!r} twice")
        return names

    def _row(self, taken: list[bytes], width: int | None) -> list[str]:
        """Read the row that begins with the line taken; appends the further lines that it takes."""
        reader = csv.reader(
            self._continued(taken),
            delimiter=self.delimiter or DELIMITERS[0],
            quotechar=self.quote,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            strict=True,
        )
        try:
            cells = next(reader)
        except (csv.Error, UnicodeDecodeError, StopIteration) as error:
            raise _NoRowError(f"expected a row of CSV: {error or 'nothing stands there'}") from None
        if len(cells) > MAX_COLUMNS:
            raise _NoRowError(f"expected at most {MAX_COLUMNS:,} cells, found {len(cells):,}")
        while width is not None and len(cells) > width and not cells[-1]:
            cells.pop()
        if width is not None and len(cells) != width:
            raise _NoRowError(f"expected {width} cells as in the header, found {len(cells)}")
        return cells

    def _continued(self, taken: list[bytes]) -> Iterator[str]:
        yield taken[0].decode()
        while len(taken) < MAX_ROW_LINES and (line := self._take()) is not None:
            taken.append(line)
            yield line.decode()

    def _take(self) -> bytes | None:
        line = self._ahead.pop() if self._ahead else next(self._lines, None)
        self._number += line is not None
        return line

    def _give_back(self, lines: list[bytes]) -> None:
        self._ahead.extend(reversed(lines))
        self._number -= len(lines)


def _delimiter(header: bytes) -> str:
    """Choose the sign that stands most often in the header, the comma when none does."""
    text = header.decode("utf-8", "replace")
    return max(DELIMITERS, key=text.count)


def _text(line: bytes) -> str:
    return line[:_SOURCE].decode("utf-8", "replace").rstrip("\r\n")
