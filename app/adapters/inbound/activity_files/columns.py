"""Which column of a CSV file is which field of an activity."""

import csv
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.adapters.inbound.activity_files.lines import LONGEST_ROW
from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.reading.activity_fields import EXPECTED
from app.adapters.inbound.reading.activity_names import CANONICAL, SINGLE, field_of
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError
from app.application.ports.activity_archive import EXPORT_COLUMNS

BY_SMALL_LETTERS = {name.lower(): field for name, field in CANONICAL.items()}
"""Fields by names such as `messageId`: whoever writes headers does not care for capitals."""
REQUIRED = ("type", "occurred_at")
"""A file's past must not become now, so both must be there."""
DELIMITERS = ",;\t"
NUMBER = re.compile(r"-?\d{1,100}(\.\d{1,100})?([eE][-+]?\d{1,4})?", re.ASCII)


def sniff_delimiter(header: str) -> str:
    """Choose the delimiter that cuts the header into the most columns; any, for one that cannot be cut."""

    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:  # a carriage return among the cells
            return 0

    return max(DELIMITERS, key=columns)


def _column_field(name: str) -> str | None:
    return field_of(name.lower()) or BY_SMALL_LETTERS.get(name.lower())


def read_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Read `column=field` pairs.

    Raises:
        UsageMistakeError: one is no such pair, or names no field, or a column stands twice.
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        column, _, name = (part.strip() for part in pair.rpartition("="))
        field = field_of(name)
        if not column or field is None:
            fields = ", ".join([*EXPECTED, "properties.NAME"])
            raise UsageMistakeError(f"--map {pair}: expected COLUMN=FIELD, FIELD one of {fields}")
        if column in mapping:
            raise UsageMistakeError(f"--map {pair}: the column {column!r} is mapped twice")
        mapping[column] = field
    return mapping


class Columns:
    """How the cells of a row become a record."""

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str]) -> None:
        names = [name.strip() for name in header]
        for column in mapping:
            if column not in names:
                raise UsageMistakeError(f"--map {column}=...: no such column; the file has {', '.join(names)}")
        found = [mapping.get(name, _column_field(name) or "") for name in names]
        self.are_of_an_export = tuple(names) == EXPORT_COLUMNS and not mapping
        """Whether they are those of `marquee export`: only there is `origin` a field."""
        if self.are_of_an_export:
            found[names.index("origin")] = "origin"
        _check(found, names)
        self._width = len(names)
        self._object = "data" if "data" in found else "properties"
        self._fields = [(place, field) for place, field in enumerate(found) if field and not field.startswith(SINGLE)]
        self._properties = [
            (place, field.removeprefix(SINGLE)) for place, field in enumerate(found) if field.startswith(SINGLE)
        ]
        self.ignored = [name for name, field in zip(names, found, strict=True) if not field]
        """Columns that are no field."""

    def record(self, cells: Sequence[str]) -> dict[str, Any]:
        """Make the record of a row, in canonical names; an empty cell is a field that is absent.

        Raises:
            RefusedRecordError: the row has not the shape of the header, or its properties are no JSON object.
        """
        if len(cells) != self._width:
            found = f"expected {self._width} cells as in the header, found {len(cells)}"
            raise RefusedRecordError(Problem("wrong_number_of_cells", found))
        record: dict[str, Any] = {field: cells[place] for place, field in self._fields if cells[place]}
        if "value" in record and NUMBER.fullmatch(record["value"]):
            record["value"] = Decimal(record["value"])
        for name in (self._object, "origin"):
            if name in record:
                record[name] = _object(record[name], name)
        if self._properties:
            self._add_properties(record, cells)
        return record

    def _add_properties(self, record: dict[str, Any], cells: Sequence[str]) -> None:
        named = {name: cells[place] for place, name in self._properties if cells[place]}
        if named:
            record[self._object] = record.get(self._object, {}) | named


def _object(cell: str, name: str) -> dict[str, Any]:
    try:
        return parse_record(cell.encode(), LONGEST_ROW)
    except NotJsonError as error:
        raise RefusedRecordError(Problem("not_json", f"{name}: {error}")) from None
    except RefusedRecordError as error:
        problems = [problem._replace(pointer=f"/{name}{problem.pointer}") for problem in error.problems]
        raise RefusedRecordError(*problems) from None


def _check(found: Sequence[str], names: Sequence[str]) -> None:
    one_name = ["properties" if field == "data" else field for field in found]
    for field in filter(None, one_name):
        if one_name.count(field) > 1:
            twice = " and ".join(repr(name) for name, its in zip(names, one_name, strict=True) if its == field)
            raise UsageMistakeError(
                f"the columns {twice} are both {field}: rename one of them, or name what it is with --map"
            )
    for field in REQUIRED:
        if field not in found:
            raise UsageMistakeError(
                f"no column is {field}: name it with --map COLUMN={field}; the file has {', '.join(names)}"
            )
