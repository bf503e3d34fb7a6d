"""A CSV or NDJSON file as a series of activities, judged by the rules of the door."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import PurePath
from typing import Any
from uuid import UUID

import uuid_utils

from app.adapters.inbound.activity_files.columns import Columns, sniff_delimiter
from app.adapters.inbound.activity_files.csv_rows import CsvRows
from app.adapters.inbound.activity_files.exported_records import is_exported_line, read_record, read_records
from app.adapters.inbound.activity_files.file_form import FileForm, Format
from app.adapters.inbound.activity_files.lines import LONGEST_ROW, Lines, Row, RowBatch, in_batches, ndjson_rows
from app.adapters.inbound.activity_files.local_times import LocalTimes
from app.adapters.inbound.activity_files.quick_rows import read_rows
from app.adapters.inbound.activity_files.source import Source, UsageMistakeError
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError
from app.application.import_activities import ActivityFile, Chunk, ImportedRow, ImportedRows, RejectedRow
from app.application.ports.imports import NewImport
from app.application.ports.system import Clock
from app.domain.activities import LARGEST_ACTIVITY, Activity, ActivityRefusedError, ActivityRules
from app.domain.activity_columns import ActivityColumns, instant_of

CHUNK = 50_000
"""Rows that are stored together: the more there are, the seldomer a visitor is looked up; half a second's work."""
CHUNK_CHARACTERS = 8 * 1024**2
"""Fewer, when they are long."""
PIECE = 500
"""Rows that are read one by one when one of them is not as usual."""


ENDINGS = {".csv": Format.CSV, ".tsv": Format.CSV, ".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON}

NO_TIME = Problem("missing_field", "occurred_at: expected a date-time, for a file's past is not now; found nothing")

DELIMITER_HINT = re.compile(r'"?sep=([^"\r\n])"?\s*').fullmatch
"""The first line by which some spreadsheets tell the delimiter."""

Record = dict[str, Any]

_USUAL = FileForm()


class ImportedFile(ActivityFile):
    """A source, and how its rows are read.

    Raises:
        UsageMistakeError: it cannot be read like this.
        ActivityFileError: it is damaged.
    """

    def __init__(
        self,
        source: Source,
        rules: ActivityRules,
        clock: Clock,
        names: FieldNames,
        form: FileForm = _USUAL,
    ) -> None:
        self._source = source
        self._form = form
        source.encoding = form.encoding
        self._rules = rules
        self._clock = clock
        self._names = names
        self._noticed = Reading(names)
        """Of NDJSON: what was noticed so far."""
        with source.damage_told():
            self.format = form.format or tell_format(source)
            self._columns = self._read_header() if self.format is Format.CSV else None
        self._digest = source.digest()
        self._namespace = uuid_utils.UUID(hex=self._digest)

    @property
    def ignored(self) -> list[str]:
        """Name the columns that are no field, and are left out; of NDJSON fields that became properties, so far."""
        return self._columns.ignored if self._columns else list(self._noticed.ignored)

    @property
    def import_(self) -> NewImport:
        """See ActivityFile. Another mapping or format reads other activities from the same content."""
        mapping = ",".join(f"{column}={field}" for column, field in sorted(self._names.mapping.items()))
        reading = " ".join(filter(None, (self.format, mapping, *self._form.said())))
        return NewImport(f"{self._digest} {reading}", self._source.name, reading)

    def chunks(self, after: int) -> Iterator[Chunk]:
        """See ActivityFile."""
        with self._source.damage_told():
            done = 0
            for batch in self._batches():
                done += len(batch)
                if done > after:
                    self._source.check_unchanged()
                    new = min(len(batch), done - after)
                    yield self._chunk(batch.part(len(batch) - new, len(batch)), done)

    def _chunk(self, batch: RowBatch, done: int) -> Chunk:
        now, first = self._clock.now(), done - len(batch) + 1
        activities = self._quickly(batch, first, now)
        if activities is not None:
            rows, rejected = ImportedRows(batch.lines, batch.texts, activities), []
        else:
            begins = range(0, len(batch), PIECE)
            pieces = [self._piece(batch.part(begin, begin + PIECE), first + begin, now) for begin in begins]
            rows = ImportedRows.joined([piece for piece, _ in pieces])
            rejected = [row for _, some in pieces for row in some]
        return Chunk(batch.lines[0], rows, rejected, done, self._source.share())

    def _piece(self, batch: RowBatch, first: int, now: datetime) -> tuple[ImportedRows, list[RejectedRow]]:
        """Read a few rows: each column at once, else each field at once, else each row by itself."""
        activities = self._quickly(batch, first, now)
        if activities is None:
            taken = [batch.row(place) for place in range(len(batch))]
            made = self._activities(taken, first, now)
            if not made:
                return self._one_by_one(taken, first, now)
            activities = ActivityColumns.of(made)
        return ImportedRows(batch.lines, batch.texts, activities), []

    def _quickly(self, batch: RowBatch, first: int, now: datetime) -> ActivityColumns | None:
        """Read rows a column at a time, as `_activity` reads each; None when any of them takes a closer look."""
        if self._columns is None or batch.problems:
            return None
        numbers = range(first, first + len(batch))
        new_ids = partial(self._new_ids, numbers)
        found = read_rows(batch.cells, self._columns, self._form, self._names.no_users, new_ids)
        if found is None:
            return None
        earliest, latest = min(found.occurred_at), max(found.occurred_at)
        types, sources = set(found.types), set(found.sources)
        return found if self._rules.allow_all(types, sources, instant_of(earliest), instant_of(latest), now) else None

    def _new_ids(self, numbers: Iterable[int]) -> bytes:
        namespace = self._namespace
        return b"".join([uuid_utils.uuid5(namespace, str(number)).bytes for number in numbers])

    def _one_by_one(self, taken: list[Row], first: int, now: datetime) -> tuple[ImportedRows, list[RejectedRow]]:
        rows, rejected = [], []
        for number, row in enumerate(taken, first):
            try:
                rows.append(ImportedRow(row.line, row.text, self._activity(row, number, now)))
            except RefusedRecordError as error:
                rejected.append(RejectedRow(row.line, row.text, error.problems[0].code, _words(error.problems)))
            except NotJsonError as error:
                rejected.append(RejectedRow(row.line, row.text, "not_json", str(error)))
            except ActivityRefusedError as error:
                rejected.append(RejectedRow(row.line, row.text, error.code, f"{error.field}: {error}"))
        return ImportedRows.of(rows), rejected

    def _activities(self, taken: list[Row], first: int, now: datetime) -> list[Activity]:
        """Read rows at once, as `_activity` reads each; nothing when one of them cannot be used."""
        if any(row.problem for row in taken):
            return []
        try:
            sent = read_records([self._record(row) for row in taken], self._reading()) or []
        except (RefusedRecordError, NotJsonError):
            return []
        if any(one.occurred_at is None for one in sent):
            return []
        number = count(first)
        activities = [one.complete(partial(self._id, next(number)), now) for one in sent]
        return [] if self._rules.broken_by(activities, now) else activities

    def _record(self, row: Row) -> Record:
        if self._columns:
            return self._columns.record(row.cells)
        most = LONGEST_ROW if is_exported_line(row.text) else LARGEST_ACTIVITY
        record = parse_record(row.text.encode(), most)
        return record if self._form.zone is UTC else self._localized(record)

    def _localized(self, record: Record) -> Record:
        """Give a time without an offset that of the zone; times inside of other objects are left as they are."""
        place, *inner = self._names.place_of(record, "occurred_at")
        if not inner and isinstance(record.get(place), str):
            record[place] = LocalTimes(self._form.zone).with_offset(record[place])
        return record

    def _reading(self) -> Reading:
        """Begin to read some rows. Cells have their fields already, and what was noticed of them is not asked for."""
        return Reading(self._names.unmapped) if self._columns else self._noticed

    def _activity(self, row: Row, number: int, now: datetime) -> Activity:
        if row.problem:
            raise RefusedRecordError(row.problem)
        sent = read_record(self._record(row), self._reading())
        if sent.occurred_at is None:
            raise RefusedRecordError(NO_TIME)
        activity = Activity(sent.activity_id or self._id(number), sent.type, sent.occurred_at, *sent[3:])
        self._rules.check(activity, now)
        return activity

    def _id(self, number: int) -> UUID:
        """Make the id of a row that has none: UUIDv5 over the content and the row's number, in half the usual time."""
        return UUID(int=uuid_utils.uuid5(self._namespace, str(number)).int)

    def _batches(self) -> Iterator[RowBatch]:
        lines = Lines(self._source.content())
        if self.format is Format.NDJSON:
            return in_batches(ndjson_rows(lines), CHUNK, CHUNK_CHARACTERS)
        is_export = self._columns is not None and self._columns.are_of_an_export
        rows = CsvRows(lines, self._delimiter, LONGEST_ROW if is_export else LARGEST_ACTIVITY, self._skip_hint(lines))
        next(iter(rows))
        return rows.batches(CHUNK)

    def _skip_hint(self, lines: Lines) -> int:
        """Pass the line in which a spreadsheet names the delimiter, if it is there; tell which line comes next."""
        if self._hint:
            lines.read()
        return 2 if self._hint else 1

    def _read_header(self) -> Columns:
        first = next(ndjson_rows(Lines(self._source.content())), None)
        if first is None:
            raise UsageMistakeError(f"{self._source.name} is empty: expected a header and rows")
        hint = DELIMITER_HINT(first.text) if first.line == 1 else None
        self._hint = hint is not None
        lines = Lines(self._source.content())
        self._skip_hint(lines)
        header_line = first if hint is None else next(ndjson_rows(lines), first)
        self._delimiter = self._form.delimiter or (hint[1] if hint else sniff_delimiter(header_line.text))
        lines = Lines(self._source.content())
        line = self._skip_hint(lines)
        header = next(iter(CsvRows(lines, self._delimiter, first_line=line)), None)
        if header is None:
            raise UsageMistakeError(f"{self._source.name} is empty: expected a header and rows")
        if header.problem:
            raise UsageMistakeError(
                f"the header of {self._source.name} cannot be read: {header.problem.message}; "
                "--encoding says in which encoding a file is"
            )
        return Columns(header.cells, self._names.mapping, self._form)


def tell_format(source: Source) -> Format:
    """Tell the format by the file's name, else by its content.

    Raises:
        UsageMistakeError: it is a JSON array.
    """
    name = PurePath(source.name.lower().removesuffix(".gz"))
    if name.suffix in ENDINGS:
        return ENDINGS[name.suffix]
    begin = source.content().read(1024).lstrip()
    if begin.startswith(b"["):
        raise UsageMistakeError(f"{source.name} is a JSON array: expected NDJSON, one object a line, or CSV")
    return Format.NDJSON if begin.startswith(b"{") else Format.CSV


def _words(problems: Iterable[Problem]) -> str:
    """Say what is wrong and where; most messages name the field themselves."""
    return "; ".join(_word(problem.message, problem.pointer[1:].replace("/", ".")) for problem in problems)


def _word(message: str, place: str) -> str:
    return message if not place or message.startswith(f"{place}:") else f"{place}: {message}"
