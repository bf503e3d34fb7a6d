"""Rows of CSV as most files have them, read a column at a time straight into columns of activities.

Whatever is not as simple as that is left to `imported_file.py`, which reads records one by one and says what everything
means. What is read here means the same there; `tests/unit/files/test_quick_rows.py` compares them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from app.adapters.formats.iso_8601 import OFFSET
from app.adapters.inbound.activity_files.columns import Columns, Path, object_of, put, widened
from app.adapters.inbound.activity_files.file_form import FileForm
from app.adapters.inbound.activity_files.local_times import LocalTimes
from app.adapters.inbound.intake.quick_columns import (
    EPOCH,
    MICROSECOND,
    UnusualError,
    check_types,
    objects,
    texts,
    uuids,
)
from app.adapters.inbound.reading.refusals import NotJsonError, RefusedRecordError
from app.adapters.inbound.reading.sent_instants import sent_instant
from app.domain.activities import LONGEST_SOURCE, LONGEST_USER_ID, is_countable
from app.domain.activity_columns import ActivityColumns

QUICK = frozenset({"id", "type", "occurred_at", "source", "user_id", "anonymous_id", "value", "properties"})
"""Fields that are read here; cells of others must be empty."""
_ZEROS = {ord(digit): "0" for digit in "123456789"}
_is_usual_shape = re.compile(r"0000-00-00[T ]00:00:00(?:\.0{1,6})?(?:Z|[-+]00:?00|[-+]00)?").fullmatch
_is_offset = re.compile(rf"Z|{OFFSET}|[-+](?:[01]\d|2[0-3])", re.ASCII).fullmatch


def read_rows(
    cells: Sequence[list[str]],
    columns: Columns,
    form: FileForm,
    no_users: frozenset[str],
    new_ids: Callable[[], bytes],
) -> ActivityColumns | None:
    """Read rows, at least one; None when any of them takes a closer look. `new_ids` makes ids for all of them."""
    try:
        return _read(_by_field(cells, columns), form, no_users, new_ids)
    except (UnusualError, ValueError, OverflowError, PydanticCustomError, RefusedRecordError, NotJsonError):
        return None


class _Given(NamedTuple):
    """The cells of some rows."""

    fields: Mapping[str, Sequence[str]]
    single: Sequence[tuple[Path, Sequence[str]]]
    """By the path of a property."""


def _by_field(cells: Sequence[list[str]], columns: Columns) -> _Given:
    width = columns.width
    if set(map(len, cells)) != {width}:
        cells = [widened(row, width) for row in cells]
    by_place = list(zip(*cells, strict=True))
    found = {field: by_place[place] for place, field in columns.fields}
    if any(any(column) for field, column in found.items() if field not in QUICK):
        raise UnusualError
    return _Given(found, [(path, by_place[place]) for place, path in columns.properties])


def _read(given: _Given, form: FileForm, no_users: frozenset[str], new_ids: Callable[[], bytes]) -> ActivityColumns:
    found = given.fields
    types = found["type"]
    check_types(types)
    users, visitors = (_texts(found.get(name), len(types), LONGEST_USER_ID) for name in ("user_id", "anonymous_id"))
    if not (no_users.isdisjoint(users) and no_users.isdisjoint(visitors)):
        raise UnusualError
    ids = found.get("id")
    return ActivityColumns(
        uuids(ids) if ids is not None and any(ids) else new_ids(),
        types,
        instants(found["occurred_at"], form.zone),
        _texts(found.get("source"), len(types), LONGEST_SOURCE),
        users,
        _numbers(found.get("value"), len(types), form),
        _properties(found.get("properties"), given.single, len(types)),
        visitors,
        [None] * len(types),
    )


def instants(column: Sequence[str], zone: tzinfo) -> list[int]:
    """Read instants as microseconds since 1970; those without an offset are of the clock of `zone`.

    Raises:
        PydanticCustomError, ValueError: one is none.
    """
    shapes = set("\n".join(column).translate(_ZEROS).split("\n"))
    if not all(map(_is_usual_shape, shapes)):
        return [_microseconds(sent_instant(text)) for text in LocalTimes(zone).told(column)]
    endings = {text[19:].lstrip(".0123456789") for text in column}
    if "24" in {text[11:13] for text in column}:
        raise UnusualError  # some Pythons read it
    if "" in endings:
        if zone is not UTC or len(endings) > 1:
            return [_microseconds(sent_instant(text)) for text in LocalTimes(zone).told(column)]
        return [(datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // MICROSECOND for text in column]
    if not all(map(_is_offset, endings)):
        raise UnusualError
    return [(datetime.fromisoformat(text) - EPOCH) // MICROSECOND for text in column]


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _texts(column: Sequence[str] | None, number: int, most: int) -> Sequence[str | None]:
    """Read texts; an empty cell is a field that is absent."""
    if column is None:
        return [None] * number
    return texts([text or None for text in column] if "" in column else column, most)


def _numbers(column: Sequence[str] | None, number: int, form: FileForm) -> Sequence[Decimal | None]:
    if column is None:
        return [None] * number
    read: dict[str, Decimal | None] = {text: _countable(form.number(text)) for text in set(column) if text}
    read[""] = None
    return [read[text] for text in column]


def _countable(number: Decimal | None) -> Decimal:
    if number is None or not is_countable(number):
        raise UnusualError
    return number


def _properties(
    given: Sequence[str] | None, single: Sequence[tuple[Path, Sequence[str]]], number: int
) -> Sequence[str | None]:
    """Write the objects of properties; those that stand in columns of their own come last in them."""
    if given is None and not single:
        return [None] * number
    boxes: list[dict[str, Any] | None] = [
        object_of(cell, "properties") if cell else None for cell in given or [""] * number
    ]
    for path, column in single:
        for place, cell in enumerate(column):
            if cell:
                boxes[place] = put(boxes[place] or {}, path, cell)
    return objects(boxes)
