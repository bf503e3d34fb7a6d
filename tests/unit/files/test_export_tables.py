"""Exports as rows: what lines and Parquet say of plans, figures and activities."""

import csv
import io
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.inbound.export_files.parquet import NoParquetError, ParquetFile, check_parquet
from app.adapters.inbound.export_files.portions import FileFormat, activities_as_lines, as_portions
from app.adapters.inbound.export_files.tables import ACTIVITY_COLUMNS, PLAN_COLUMNS, STATS_COLUMNS, Columns
from app.application.export_activities import ExportActivities
from app.application.export_stats import DayFigure
from app.application.ports.catalog import CatalogPlan
from app.domain.activity_spans import ActivitySpan
from tests.fakes.activity_archive import MemoryActivityArchive
from tests.support.builders import NOW, a_change, a_plan, a_zone, an_activity

pyarrow_parquet = pytest.importorskip("pyarrow.parquet")

FIGURES = [
    DayFigure(date(2026, 1, 5), None, None, None, 7),
    DayFigure(date(2026, 1, 5), "purchase", 3, Decimal("-0.10"), None),
]


async def batches(things: Sequence[Any]) -> AsyncGenerator[Sequence[Any], None]:
    for thing in things:
        yield [thing]


async def written(columns: Columns[Any], things: Sequence[Any], format_: FileFormat, **more: bool) -> bytes:
    return b"".join([one.content async for one in as_portions(columns, batches(things), format_, **more)])


def rows_of(content: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow_parquet.read_table(io.BytesIO(content)).to_pylist()
    return rows


def a_found_plan(title: str = "Camela") -> CatalogPlan:
    plan = a_plan("9", title=title, zones=(a_zone(price="15.00"), a_zone(price="20.10")))
    return CatalogPlan(plan, a_change(plan).known)


async def test_figures_are_lines_without_what_is_absent() -> None:
    lines = (await written(STATS_COLUMNS, FIGURES, FileFormat.NDJSON)).splitlines()

    assert lines[0] == b'{"date":"2026-01-05","users":7}'
    assert lines[1] == b'{"date":"2026-01-05","type":"purchase","count":3,"sum":-0.10}'


async def test_figures_are_cells_and_numbers_are_left_alone() -> None:
    content = await written(STATS_COLUMNS, FIGURES, FileFormat.CSV, escape_formulas=True)

    assert content == b"date,type,count,sum,users\n2026-01-05,,,,7\n2026-01-05,purchase,3,-0.10,\n"


@pytest.mark.parametrize(("escaped", "title"), [(True, "'=1+1"), (False, "=1+1")])
async def test_text_of_a_formula_is_escaped_when_asked(escaped: bool, title: str) -> None:
    content = await written(PLAN_COLUMNS, [a_found_plan("=1+1")], FileFormat.CSV, escape_formulas=escaped)

    [row] = csv.DictReader(io.StringIO(content.decode()))
    assert (row["title"], row["min_price"], row["max_price"]) == (title, "15.00", "20.10")
    assert (row["in_feed"], row["city"], row["starts_at"][-1]) == ("true", "", "Z")


async def test_a_plan_says_in_parquet_what_its_line_says() -> None:
    found = a_found_plan()

    line = json.loads(await written(PLAN_COLUMNS, [found], FileFormat.NDJSON), parse_float=str)
    [row] = rows_of(await written(PLAN_COLUMNS, [found], FileFormat.PARQUET))

    said = {name: value for name, value in row.items() if value is not None}
    assert said.pop("starts_at") == datetime.fromisoformat(line.pop("starts_at"))
    assert {name for name in said if name.endswith("_at")} == {name for name in line if name.endswith("_at")}
    assert {name: value for name, value in said.items() if name[-3:] != "_at"} == {
        name: value for name, value in line.items() if name[-3:] != "_at"
    }


async def test_activities_are_rows_of_parquet_with_every_digit() -> None:
    stored = [an_activity(n + 1, at=NOW, value="1.50" if n else None, properties='{"a":1}') for n in range(10)]
    export = ExportActivities(MemoryActivityArchive(stored))

    portions = [
        one async for one in activities_as_lines(export, ActivitySpan(), FileFormat.PARQUET, escape_formulas=False)
    ]
    rows = rows_of(b"".join(one.content for one in portions))

    assert sum(one.number for one in portions) == 10
    assert [row["id"] for row in rows] == [str(one.activity_id) for one in stored]
    assert [rows[0]["value"], rows[1]["value"], rows[1]["properties"]] == [None, "1.50", '{"a":1}']
    assert rows[0]["occurred_at"] == NOW.astimezone(UTC)


def test_rows_are_written_as_soon_as_there_are_enough() -> None:
    file = ParquetFile(STATS_COLUMNS, rows=2)

    parts = [file.add(FIGURES[:1]), file.add(FIGURES), file.add([]), file.finish()]

    assert [bool(part) for part in parts] == [True, True, False, True]
    assert [row["users"] for row in rows_of(b"".join(parts))] == [7, 7, None]


def test_a_file_without_rows_has_its_columns() -> None:
    table = pyarrow_parquet.read_table(io.BytesIO(ParquetFile(ACTIVITY_COLUMNS).finish()))

    assert table.column_names == [column.name for column in ACTIVITY_COLUMNS]


def test_one_line_says_so_when_parquet_cannot_be_written() -> None:
    with pytest.raises(NoParquetError, match=r"Parquet needs no_such_arrow, which .*\[parquet\]"):
        check_parquet("no_such_arrow")
