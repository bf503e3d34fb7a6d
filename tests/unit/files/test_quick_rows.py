"""What is read a column at a time means what it means read row by row, and costs no row that is as usual."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.activity_files.columns import Columns
from app.adapters.inbound.activity_files.file_form import FileForm
from app.adapters.inbound.activity_files.imported_file import PIECE, ImportedFile
from app.adapters.inbound.activity_files.quick_rows import instants, read_rows
from app.adapters.inbound.activity_files.source import open_source
from app.adapters.inbound.reading.activity_names import FieldNames
from app.application.import_activities import ImportedRow, RejectedRow
from app.domain.activities import ActivityRules
from app.domain.activity_columns import ActivityColumns, microseconds
from tests.support.fixed_clock import FixedClock

NOW = datetime(2026, 4, 1, tzinfo=UTC)
HEADER = ("id", "type", "occurred_at", "source", "user_id", "anonymous_id", "value", "properties", "properties.hue")
USUAL = {
    "id": st.just("") | st.uuids().map(str),
    "type": st.sampled_from(["view", "buy"]),
    "occurred_at": st.sampled_from(
        ["2026-01-05T12:00:00Z", "2026-01-05 12:00:00.5", "2026-01-05 12:00:00+00", "2026-01-05T12:00:00+05:45"]
    ),
    "source": st.sampled_from(["", "web", "ñandú"]),
    "user_id": st.sampled_from(["", "ana", "Zoë, 1", 'b"o"b']),
    "anonymous_id": st.sampled_from(["", "v-1"]),
    "value": st.sampled_from(["", "1", "9.90", "-0.5", "1e3"]),
    "properties": st.sampled_from(["", "{}", '{"a": 1.50}', '{"hue":"blue","b":[1,{"c":null}]}']),
    "properties.hue": st.sampled_from(["", "red"]),
}
ODD = {
    "id": st.sampled_from(["order 17", "x" * 300, "01890A5D-AC96-774B-BCCE-B302099A8057"]),
    "type": st.sampled_from(["", "No Type", "identify", "alias", "series", "$identify", "purchase"]),
    "occurred_at": st.sampled_from(
        [
            "",
            "yesterday",
            "1767348000",
            "2026-01-05T24:00:00Z",
            "2026-02-30T00:00:00Z",
            "2036-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-05T12:00:00+02:75",
            "2026-01-05 12:00:00 UTC",
            "2026-03-29 02:30:00",
        ]
    ),
    "source": st.sampled_from(["x" * 256, "a\x1bb"]),
    "user_id": st.sampled_from(["undefined", "y" * 300, "\x9b"]),
    "anonymous_id": st.sampled_from(["null", "\x00"]),
    "value": st.sampled_from(["NaN", "12,5", "1e40", "abc", "1" * 19]),
    "properties": st.sampled_from(["red", "[1]", '{"a":1,"a":2}', '{"a":NaN}', '{"n":123456789012345678901}']),
    "properties.hue": st.just("bl\x00ue"),
}
FORMS = [FileForm(), FileForm(zone=ZoneInfo("Europe/Madrid")), FileForm(decimal_comma=True)]
ROWS = st.tuples(*(USUAL[name] for name in HEADER)).map(list)


@st.composite
def some_rows(draw: st.DrawFn) -> list[list[str]]:
    """Draw rows, some of them odd in a cell or two, or shorter or longer than the header."""
    rows = draw(st.lists(ROWS, min_size=1, max_size=6))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(HEADER) - 1))
        draw(st.sampled_from(rows))[place] = draw(ODD[HEADER[place]])
    if draw(st.booleans()):
        row = draw(st.sampled_from(rows))
        row[:] = draw(st.sampled_from([row[:3], row[:-1], [*row, ""], [*row, "x"]]))
    return rows


def one_by_one(file: ImportedFile) -> tuple[list[ImportedRow], list[RejectedRow]]:
    rows, rejected = [], []
    for batch in file._batches():
        taken = [batch.row(place) for place in range(len(batch))]
        good, bad = file._one_by_one(taken, 1, NOW)
        rows += list(good)
        rejected += bad
    return rows, rejected


def csv_of(rows: Sequence[Sequence[str]]) -> str:
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in (HEADER, *rows))


@settings(max_examples=300, deadline=None)
@given(rows=some_rows(), form=st.sampled_from(FORMS))
def test_rows_mean_the_same_however_they_are_read(rows: list[list[str]], form: FileForm) -> None:
    rules = ActivityRules(types=frozenset({"view", "buy", "identify", "alias"}))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(csv_of(rows).encode())
        with open_source(path) as source:
            file = ImportedFile(source, rules, FixedClock(NOW), FieldNames(), form)
            chunks = list(file.chunks(0))
            expected, refused = one_by_one(file)

    assert [row for chunk in chunks for row in chunk.rows] == expected
    assert [row for chunk in chunks for row in chunk.rejected] == refused


@given(rows=st.lists(ROWS.filter(lambda row: row[0] == ""), min_size=1, max_size=20))
def test_usual_rows_are_read_a_column_at_a_time(rows: list[list[str]]) -> None:
    columns = Columns(HEADER, {})

    assert read_rows(rows, columns, FileForm(), frozenset(), partial(bytes, 16 * len(rows))) is not None


def test_rows_beside_one_that_is_odd_are_read_as_well(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    odd = {PIECE + 3: "Bad", 2 * PIECE: "identify"}
    lines = [f"{odd.get(number, 'view')},2026-01-05T12:00:00Z,user {number}" for number in range(3 * PIECE)]
    file.write_text("type,occurred_at,user_id\n" + "\n".join(lines))

    with open_source(file) as source:
        (chunk,) = ImportedFile(source, ActivityRules(), FixedClock(NOW), FieldNames()).chunks(0)

    assert [row.line for row in chunk.rejected] == [PIECE + 5]
    assert isinstance(chunk.rows.activities, ActivityColumns)
    assert [row.activity.user_id for row in chunk.rows] == [f"user {n}" for n in range(3 * PIECE) if n != PIECE + 3]


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-01-05 10:00:00", "Europe/Madrid", "2026-01-05T09:00:00"),
        ("2026-07-05T10:00:00.25", "Europe/Madrid", "2026-07-05T08:00:00.250000"),
        ("2026-03-29 02:30:00", "Europe/Madrid", "2026-03-29T01:30:00"),
        ("2025-10-26 02:30:00", "Europe/Madrid", "2025-10-26T00:30:00"),
        ("2026-01-05 10:00:00+00", "Europe/Madrid", "2026-01-05T10:00:00"),
        ("2026-01-05 10:00:00Z", "Asia/Kathmandu", "2026-01-05T10:00:00"),
        ("2026-01-05 10:00", "Asia/Kathmandu", "2026-01-05T04:15:00"),
    ],
)
def test_times_without_an_offset_are_those_of_the_zone(text: str, zone: str, expected: str) -> None:
    at = datetime.fromisoformat(expected).replace(tzinfo=UTC)

    assert instants([text], ZoneInfo(zone)) == [microseconds(at)]
