"""A CSV or NDJSON file as a series of activities, judged by the rules of the door."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import count, islice
from pathlib import PurePath
from typing import Any
from uuid import UUID

import uuid_utils

from app.adapters.inbound.activity_files.columns import Columns, sniff_delimiter
from app.adapters.inbound.activity_files.csv_rows import CsvRows
from app.adapters.inbound.activity_files.exported_records import is_exported_line, read_record, read_records
from app.adapters.inbound.activity_files.lines import LONGEST_ROW, Lines, Row, ndjson_rows
from app.adapters.inbound.activity_files.source import Source, UsageMistakeError
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError
from app.application.import_activities import ActivityFile, Chunk, ImportedRow, RejectedRow
from app.application.ports.imports import NewImport
from app.application.ports.system import Clock
from app.domain.activities import LARGEST_ACTIVITY, Activity, ActivityRefusedError, ActivityRules

CHUNK = 10_000
"""Rows that are stored together."""
CHUNK_CHARACTERS = 8 * 1024**2
"""Fewer, when they are long."""


class Format(StrEnum):
    """The format of a file."""

    CSV = "csv"
    NDJSON = "ndjson"


ENDINGS = {".csv": Format.CSV, ".tsv": Format.CSV, ".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON}

NO_TIME = Problem("missing_field", "occurred_at: expected a date-time, for a file's past is not now; found nothing")

Record = dict[str, Any]


class ImportedFile(ActivityFile):
    """A source, and how its rows are read.

    Raises:
        UsageMistakeError: it cannot be read like this.
        ActivityFileError: it is damaged.
    """

    def __init__(
        self, source: Source, rules: ActivityRules, clock: Clock, names: FieldNames, format_: Format | None
    ) -> None:
        self._source = source
        self._rules = rules
        self._clock = clock
        self._names = names
        self._noticed = Reading(names)
        """Of NDJSON: what was noticed so far."""
        with source.damage_told():
            self.format = format_ or tell_format(source)
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
        how = ",".join(f"{column}={field}" for column, field in sorted(self._names.mapping.items()))
        reading = f"{self.format} {how}".rstrip()
        return NewImport(f"{self._digest} {reading}", self._source.name, reading)

    def chunks(self, after: int) -> Iterator[Chunk]:
        """See ActivityFile."""
        with self._source.damage_told():
            rows = islice(self._rows(), after, None)
            while taken := list(_take(rows)):
                after += len(taken)
                self._source.check_unchanged()
                yield self._chunk(taken, after)

    def _chunk(self, taken: list[Row], done: int) -> Chunk:
        now = self._clock.now()
        activities = self._activities(taken, done - len(taken) + 1, now)
        if activities:
            rows = [ImportedRow(row.line, row.text, activity) for row, activity in zip(taken, activities, strict=True)]
            return Chunk(taken[0].line, rows, [], done, self._source.share())
        rows, rejected = [], []
        for number, row in enumerate(taken, done - len(taken) + 1):
            try:
                rows.append(ImportedRow(row.line, row.text, self._activity(row, number, now)))
            except RefusedRecordError as error:
                rejected.append(RejectedRow(row.line, row.text, error.problems[0].code, _words(error.problems)))
            except NotJsonError as error:
                rejected.append(RejectedRow(row.line, row.text, "not_json", str(error)))
            except ActivityRefusedError as error:
                rejected.append(RejectedRow(row.line, row.text, error.code, f"{error.field}: {error}"))
        return Chunk(taken[0].line, rows, rejected, done, self._source.share())

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
        return parse_record(row.text.encode(), most)

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

    def _rows(self) -> Iterator[Row]:
        lines = Lines(self._source.content())
        if self.format is Format.NDJSON:
            return ndjson_rows(lines)
        is_export = self._columns is not None and self._columns.are_of_an_export
        rows = iter(CsvRows(lines, self._delimiter, LONGEST_ROW if is_export else LARGEST_ACTIVITY))
        next(rows)
        return rows

    def _read_header(self) -> Columns:
        first = next(ndjson_rows(Lines(self._source.content())), None)
        if first is None:
            raise UsageMistakeError(f"{self._source.name} is empty: expected a header and rows")
        self._delimiter = sniff_delimiter(first.text)
        header = next(iter(CsvRows(Lines(self._source.content()), self._delimiter)))
        if header.problem:
            raise UsageMistakeError(f"the header of {self._source.name} cannot be read: {header.problem.message}")
        return Columns(header.cells, self._names.mapping)


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


def _take(rows: Iterator[Row]) -> Iterator[Row]:
    size = 0
    for row in islice(rows, CHUNK):
        yield row
        size += len(row.text)
        if size > CHUNK_CHARACTERS:
            return


def _words(problems: Iterable[Problem]) -> str:
    """Say what is wrong and where; most messages name the field themselves."""
    return "; ".join(_word(problem.message, problem.pointer[1:].replace("/", ".")) for problem in problems)


def _word(message: str, place: str) -> str:
    return message if not place or message.startswith(f"{place}:") else f"{place}: {message}"
