"""Files as spreadsheets, databases and other programs write them: delimiters, encodings, times, numbers, columns."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.adapters.inbound.activity_files.columns import Columns, read_mapping
from app.adapters.inbound.activity_files.file_form import FileForm, Format, SaidOfFile, read_form
from app.adapters.inbound.activity_files.imported_file import ImportedFile
from app.adapters.inbound.activity_files.source import UsageMistakeError, open_source
from app.adapters.inbound.reading.activity_names import FieldNames
from app.application.import_activities import ActivityFileError
from app.domain.activities import Activity, ActivityRules
from tests.support.fixed_clock import FixedClock

HEADER = "type,occurred_at,user_id,value\n"
ROW = "view,2026-01-02T10:00:00Z,ana,\n"
AT = datetime(2026, 1, 2, 10, tzinfo=UTC)
CLOCK = FixedClock(datetime(2026, 4, 1, tzinfo=UTC))


def read(path: Path, form: FileForm | None = None, *mapping: str) -> tuple[list[Activity], list[tuple[int, str, str]]]:
    names = FieldNames(read_mapping(mapping))
    with open_source(path) as source:
        chunks = list(ImportedFile(source, ActivityRules(), CLOCK, names, form or FileForm()).chunks(0))
    rows = [row.activity for chunk in chunks for row in chunk.rows]
    return rows, [(row.line, row.code, row.reason) for chunk in chunks for row in chunk.rejected]


def form_of(**said: Any) -> FileForm:
    nothing = {"format": None, "delimiter": None, "encoding": None, "timezone": None, "decimal_comma": False}
    return read_form(SaidOfFile(**(nothing | said)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "activities.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_dialect_of_the_csv_module_is_read(file: Path, delimiter: str, quoting: Any, line_end: str) -> None:
    users = ["ana", "a,b;c|d\te", 'b"o"b', "two\nlines", "Zoë"]
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
        writer.writerow(["type", "occurred_at", "properties.user"])
        writer.writerows(["view", "2026-01-02T10:00:00Z", user] for user in users)

    found, refused = read(file)

    assert [json.loads(one.properties or "")["user"] for one in found] == users
    assert refused == []


def test_a_delimiter_may_be_given_by_its_name_or_itself(file: Path) -> None:
    file.write_text("type:occurred_at:user_id\nview:2026-01-02 10.00:ana\nview:1767348000:bob\n")

    found, refused = read(file, form_of(delimiter=":"))

    assert [one.user_id for one in found] == ["bob"]
    assert refused[0][:2] == (2, "invalid_date_time")
    assert [form_of(delimiter=given).delimiter for given in ("tab", "\\t", "semicolon", "|")] == ["\t", "\t", ";", "|"]


def test_the_first_line_of_a_spreadsheet_may_name_the_delimiter(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbfsep=;\r\ntype;occurred_at;user_id\r\nview;2026-01-02T10:00:00Z;"a,b"\r\n;;;\r\n')

    found, refused = read(file)

    assert [one.user_id for one in found] == ["a,b"]
    assert [(line, code) for line, code, _ in refused] == [(4, "missing_field")]


def test_a_file_with_nothing_but_its_delimiter_is_empty(file: Path) -> None:
    file.write_text("sep=;\n")

    with pytest.raises(UsageMistakeError, match="is empty"):
        read(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "cp850"])
def test_text_is_read_in_its_encoding(file: Path, encoding: str) -> None:
    rows = HEADER + "".join(ROW.replace("ana", f"Zoë {number}") for number in range(3_000))
    file.write_bytes(rows.encode(encoding))

    found, refused = read(file, form_of(encoding=encoding))

    assert [one.user_id for one in found] == [f"Zoë {number}" for number in range(3_000)]
    assert refused == []


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_utf_16_tells_itself_by_its_first_bytes(file: Path, order: str, *, packed: bool) -> None:
    content = ("\ufeff" + HEADER + ROW).replace("ana", "Žofie").encode(order)
    file.write_bytes(gzip.compress(content) if packed else content)

    found, _ = read(file)

    assert [one.user_id for one in found] == ["Žofie"]


def test_a_byte_that_is_no_character_of_the_encoding_costs_its_row(file: Path) -> None:
    file.write_bytes((HEADER + ROW).encode() + b"view,2026-01-02T10:00:00Z,b\x81d,\n" + ROW.encode())

    found, refused = read(file, form_of(encoding="cp1252"))

    assert len(found) == 2
    assert refused == [(3, "invalid_utf8", "expected UTF-8, found 0x81 as byte 28 of the row")]


def test_utf_16_that_is_torn_is_damaged(file: Path) -> None:
    file.write_bytes((HEADER + ROW).encode("utf-16")[:-1])

    with pytest.raises(ActivityFileError, match="cannot be read to its end"):
        read(file)


def test_times_without_an_offset_are_those_of_the_zone_that_is_named(file: Path) -> None:
    file.write_text("type,occurred_at\nview,2026-01-02 11:00:00\nview,2026-01-02T10:00:00Z\nview,1767348000\n")

    found, _ = read(file, form_of(timezone="Europe/Madrid"))

    assert [one.occurred_at for one in found] == [AT] * 3


def test_times_of_ndjson_are_those_of_the_zone_too(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"event":"view","time":"2026-01-02 11:00:00"}\n{"type":"view","occurred_at":1767348000}\n')

    found, _ = read(path, form_of(timezone="Europe/Madrid"))

    assert [one.occurred_at for one in found] == [AT] * 2


def test_numbers_may_have_a_decimal_comma(file: Path) -> None:
    cells = ["12,50", "1.234,5", "-7", "1.234.567", "12.50", "1,234.5"]
    file.write_text("type;occurred_at;value\n" + "".join(f"buy;2026-01-02T10:00:00Z;{cell}\n" for cell in cells))

    found, refused = read(file, form_of(decimal_comma=True))

    assert [one.value for one in found] == [Decimal("12.50"), Decimal("1234.5"), Decimal(-7), Decimal(1_234_567)]
    assert [(line, code) for line, code, _ in refused] == [(6, "wrong_type"), (7, "wrong_type")]


def test_a_decimal_comma_that_nobody_spoke_of_is_refused_with_the_way_out(file: Path) -> None:
    file.write_text('type,occurred_at,value\nbuy,2026-01-02T10:00:00Z,"12,50"\n')

    _, refused = read(file)

    assert "found '12,50'" in refused[0][2]
    assert refused[0][2].endswith("(--decimal-comma reads it)")


def test_rows_may_be_shorter_than_the_header_and_end_with_delimiters(file: Path) -> None:
    file.write_text("type,occurred_at,user_id,value,,\nview,2026-01-02T10:00:00Z\n" + ROW.strip() + ",,,\n")

    found, refused = read(file)

    assert [one.user_id for one in found] == [None, "ana"]
    assert refused == []


def test_a_cell_without_a_column_is_refused_with_what_was_expected(file: Path) -> None:
    file.write_text(HEADER + ROW + ROW.strip() + "more,5\n")

    _, refused = read(file)

    expected = "expected 4 cells as in the header, found 5: a delimiter within a cell needs quotes"
    assert refused == [(3, "wrong_number_of_cells", expected)]


def test_columns_with_points_are_properties_inside_each_other(file: Path) -> None:
    header = "type,occurred_at,properties.Colour,data.x,context.page.url,properties.size.eu,note"
    file.write_text(f"{header}\nview,2026-01-02T10:00:00Z,red,1,/a,42,n\nview,2026-01-02T10:00:00Z,,,,,\n")

    found, _ = read(file)

    assert json.loads(found[0].properties or "") == {
        "Colour": "red",
        "x": "1",
        "context": {"page": {"url": "/a"}},
        "size": {"eu": "42"},
    }
    assert found[1].properties is None


def test_a_column_of_json_and_those_of_single_properties_are_joined(file: Path) -> None:
    with file.open("w", newline="") as text:
        csv.writer(text).writerows(
            [
                ["type", "occurred_at", "properties_json", "properties.b.c"],
                ["view", "2026-01-02T10:00:00Z", '{"a": 1.50, "b": 7}', "x"],
                ["view", "2026-01-02T10:00:00Z", '{"a": 2}', ""],
            ]
        )

    found, _ = read(file)

    assert [one.properties for one in found] == ['{"a":1.50,"b":{"c":"x"}}', '{"a":2}']


def test_a_name_with_points_that_somebody_maps_is_one_name() -> None:
    columns = Columns(["type", "occurred_at", "x"], read_mapping(["x=properties.a.b"]))

    assert columns.record(["view", "2026-01-02", "1"])["properties"] == {"a.b": "1"}


def test_a_packed_file_may_be_filled_up_with_zeros(file: Path) -> None:
    file.write_bytes(gzip.compress((HEADER + ROW).encode()) + bytes(300_000))

    assert len(read(file)[0]) == 1


def test_a_byte_order_mark_before_ndjson_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"type":"view","occurred_at":"2026-01-02T10:00:00Z"}\n')

    assert len(read(path)[0]) == 1


def test_rows_of_several_lines_are_read_whichever_block_they_lie_in(file: Path) -> None:
    rows = [
        ("view", (AT + timedelta(seconds=n)).isoformat(), f"u\n{n}" if n % 5_000 == 0 else f"u{n}")
        for n in range(60_000)
    ]
    text = io.StringIO()
    csv.writer(text).writerows([("type", "occurred_at", "properties.u"), *rows])
    file.write_text(text.getvalue())

    found, refused = read(file)

    assert refused == []
    assert [json.loads(one.properties or "")["u"] for one in found] == [row[2] for row in rows]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"delimiter": "ab"}, "--delimiter 'ab': expected one character"),
        ({"delimiter": '"'}, "expected one character"),
        ({"encoding": "klingon"}, "--encoding 'klingon': expected a name such as utf-8"),
        ({"encoding": "base64"}, "expected a name such as utf-8"),
        ({"timezone": "Mars/Olympus"}, "--timezone 'Mars/Olympus': expected a name such as Europe/Madrid"),
        ({"timezone": "../etc/passwd"}, "expected a name such as Europe/Madrid"),
    ],
)
def test_what_cannot_be_is_a_usage_mistake(said: dict[str, str], message: str) -> None:
    with pytest.raises(UsageMistakeError) as caught:
        form_of(**said)

    assert message in str(caught.value)


def test_what_is_said_of_a_file_is_part_of_what_it_is_recognised_by(file: Path) -> None:
    file.write_text(HEADER + ROW)
    forms = [
        FileForm(),
        form_of(timezone="Europe/Madrid"),
        form_of(decimal_comma=True, delimiter="comma"),
        form_of(encoding="latin-1"),
    ]

    with open_source(file) as source:
        readings = [ImportedFile(source, ActivityRules(), CLOCK, FieldNames(), form).import_.reading for form in forms]

    assert readings == [
        "csv",
        "csv timezone=Europe/Madrid",
        "csv delimiter=comma decimal-comma",
        "csv encoding=iso8859-1",
    ]
    assert form_of(encoding="UTF8", timezone="UTC") == FileForm()
    assert form_of(format=Format.CSV, timezone="Asia/Kathmandu").zone == ZoneInfo("Asia/Kathmandu")
