"""Which column of a CSV file is which field of an activity."""

import csv
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.adapters.inbound.activity_files.file_form import DELIMITERS, FileForm
from app.adapters.inbound.activity_files.lines import LONGEST_ROW
from app.adapters.inbound.activity_files.local_times import LocalTimes
from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.reading.activity_fields import EXPECTED
from app.adapters.inbound.reading.activity_names import CANONICAL, SINGLE, field_of
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError
from app.application.ports.activity_archive import EXPORT_COLUMNS

BY_SMALL_LETTERS = {name.lower(): field for name, field in CANONICAL.items()} | {"properties_json": "properties"}
"""Fields by names such as `messageId`: whoever writes headers does not care for capitals."""
REQUIRED = ("type", "occurred_at")
"""A file's past must not become now, so both must be there."""
Path = tuple[str, ...]
"""Names inside each other."""
_USUAL = FileForm()


def sniff_delimiter(header: str) -> str:
    """Choose the delimiter that cuts the header into the most columns; the comma, for one that cannot be cut."""

    def columns(delimiter: str) -> int:
        try:
            return len(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:  # a carriage return among the cells
            return 0

    return max(DELIMITERS, key=columns)


def _column_field(name: str) -> str | None:
    """Tell which field a column is; one with points in its name is a property inside others."""
    known = field_of(name.lower()) or BY_SMALL_LETTERS.get(name.lower())
    if known is not None and known.startswith(SINGLE):
        return SINGLE + name.partition(".")[2]
    return known or (SINGLE + name if "." in name.strip(".") else None)


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
    """How the cells of a row become a record.

    `width` is the number of columns; `fields` and `properties` say at which places there are which.
    """

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str], form: FileForm = _USUAL) -> None:
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
        self.width = len(names)
        self._form = form
        self._times = LocalTimes(form.zone)
        self._object = "data" if "data" in found else "properties"
        self.fields = [(place, field) for place, field in enumerate(found) if field and not field.startswith(SINGLE)]
        self.properties = [
            (place, _path(field, is_mapped=names[place] in mapping))
            for place, field in enumerate(found)
            if field.startswith(SINGLE)
        ]
        self.ignored = [name for name, field in zip(names, found, strict=True) if name and not field]
        """Columns that are no field."""

    def record(self, cells: list[str]) -> dict[str, Any]:
        """Make the record of a row, in canonical names; an empty cell is a field that is absent.

        Raises:
            RefusedRecordError: the row has not the shape of the header, or its properties are no JSON object.
        """
        cells = widened(cells, self.width)
        record: dict[str, Any] = {field: cells[place] for place, field in self.fields if cells[place]}
        if "value" in record:
            record["value"] = self._number(record["value"])
        if "occurred_at" in record:
            record["occurred_at"] = self._times.with_offset(record["occurred_at"])
        for name in (self._object, "origin"):
            if name in record:
                record[name] = object_of(record[name], name)
        for place, path in self.properties:
            if cells[place]:
                record[self._object] = put(record.get(self._object, {}), path, cells[place])
        return record

    def _number(self, cell: str) -> Decimal | str:
        number = self._form.number(cell)
        if number is None and self._form.would_be_number(cell):
            message = f"value: expected a number such as 12.50, found {cell[:64]!r} (--decimal-comma reads it)"
            raise RefusedRecordError(Problem("wrong_type", message))
        return cell if number is None else number


def widened(cells: list[str], width: int) -> list[str]:
    """Make a row as wide as the header: spreadsheets leave out empty cells at its end, or add some.

    Raises:
        RefusedRecordError: there is something in a cell without a column.
    """
    if len(cells) == width:
        return cells
    if any(cells[width:]):
        found = f"expected {width} cells as in the header, found {len(cells)}: a delimiter within a cell needs quotes"
        raise RefusedRecordError(Problem("wrong_number_of_cells", found))
    return [*cells[:width], *[""] * (width - len(cells))]


def put(box: dict[str, Any], path: Path, value: str) -> dict[str, Any]:
    """Put a value into an object, and objects around it; it stands in place of what is there."""
    inner = box
    for step in path[:-1]:
        if type(inner.get(step)) is not dict:
            inner[step] = {}
        inner = inner[step]
    inner[path[-1]] = value
    return box


def _path(field: str, *, is_mapped: bool) -> Path:
    """Read the points of a column's name as objects inside each other; a name that somebody mapped is one name."""
    name = field.removeprefix(SINGLE)
    steps = tuple(name.split("."))
    return (name,) if is_mapped or not all(steps) else steps


def object_of(cell: str, name: str) -> dict[str, Any]:
    """Read a cell with a JSON object.

    Raises:
        RefusedRecordError: it is none, or of a kind that is not taken.
    """
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
