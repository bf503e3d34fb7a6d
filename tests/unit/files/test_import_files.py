"""Reading files of activities: CSV and NDJSON as they are found in the wild."""

import gzip
import json
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from app.adapters.inbound.activity_files.columns import read_mapping
from app.adapters.inbound.activity_files.file_form import FileForm, Format
from app.adapters.inbound.activity_files.imported_file import CHUNK, ImportedFile
from app.adapters.inbound.activity_files.lines import LONGEST_ROW
from app.adapters.inbound.activity_files.rejects_file import LARGEST, RejectsFile, rejects_path
from app.adapters.inbound.activity_files.source import UsageMistakeError, open_source
from app.adapters.inbound.reading.activity_names import FieldNames
from app.application.import_activities import ActivityFileError, ImportedRow, RejectedRow
from app.domain.activities import Activity, ActivityRules
from app.domain.activity_ids import id_of_text
from tests.support.fixed_clock import FixedClock

DATA = Path(__file__).parents[2] / "data"
SAMPLE = Path(__file__).parents[3] / "sample" / "activities.csv"
HEADER = "type,occurred_at,user_id,value\n"
NOW = datetime(2026, 4, 1, tzinfo=UTC)
AT = datetime(2026, 1, 2, 10, tzinfo=UTC)
USUAL = FileForm()
ROW = "view,2026-01-02T10:00:00Z,ana,\n"


class Read:
    """A file that was read whole."""

    def __init__(self, path: Path, mapping: Sequence[str], form: FileForm, after: int, types: set[str]) -> None:
        rules = ActivityRules(types=frozenset(types)) if types else ActivityRules()
        with open_source(path) as source:
            file = ImportedFile(source, rules, FixedClock(NOW), FieldNames(read_mapping(mapping)), form)
            self.mark, self.format = file.import_.mark, file.format
            self.chunks = list(file.chunks(after))
            self.ignored = file.ignored
        self.rows: list[ImportedRow] = [row for chunk in self.chunks for row in chunk.rows]
        self.rejected: list[RejectedRow] = [row for chunk in self.chunks for row in chunk.rejected]

    @property
    def activities(self) -> list[Activity]:
        return [row.activity for row in self.rows]

    @property
    def users(self) -> list[str | None]:
        return [activity.user_id for activity in self.activities]

    @property
    def refusals(self) -> list[tuple[int, str]]:
        return [(row.line, row.code) for row in self.rejected]


def read(path: Path, *mapping: str, form: FileForm = USUAL, after: int = 0, types: set[str] | None = None) -> Read:
    return Read(path, mapping, form, after, types or set())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "activities.csv"


def test_the_sample_has_1000_rows_of_80_users_over_60_days() -> None:
    found = read(SAMPLE)

    assert (len(found.rows), found.rejected, found.ignored) == (1000, [], [])
    assert {activity.type for activity in found.activities} == {"view", "click", "purchase"}
    assert len(set(found.users)) == 80
    assert len({activity.occurred_at.date() for activity in found.activities}) == 60
    assert all((activity.value is not None) == (activity.type == "purchase") for activity in found.activities)


def test_every_field_is_read_by_each_of_its_names() -> None:
    found = read(DATA / "activities.csv")

    assert found.activities == [
        Activity(
            UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
            "purchase",
            AT,
            source="web",
            user_id="Zoë, 1",
            value=Decimal("12.50"),
            properties='{"note":"two\\nlines","colour":"red"}',
        ),
        Activity(UUID("01890a5d-ac96-774b-bcce-b302099a8058"), "view", AT),
    ]
    assert str(found.activities[0].value) == "12.50"
    assert found.ignored == ["Remark"]
    assert [row.line for row in found.rows] == [2, 4]


def test_an_empty_cell_is_a_field_that_is_absent(file: Path) -> None:
    file.write_text("id,type,occurred_at,source,user_id,value,properties,data.x\n,view,2026-01-02T10:00:00Z,,,,,\n")

    (activity,) = read(file).activities

    assert activity[3:] == (None,) * 6


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_told_by_the_header(file: Path, delimiter: str) -> None:
    row = delimiter.join(["view", "2026-01-02T10:00:00Z", '"a,b;c"', "7"])
    file.write_text(f"{HEADER.replace(',', delimiter)}{row}\n")

    (activity,) = read(file).activities

    assert (activity.user_id, activity.value) == ("a,b;c", Decimal(7))


def test_columns_may_be_mapped_to_fields_and_to_single_properties(file: Path) -> None:
    file.write_text("What,When,Who,Colour,data.size,rest\nview,2026-01-02T10:00:00Z,ana,red,L,1\n")

    found = read(file, "What=event_type", "When=timestamp", "Who=user_id", "Colour=properties.colour")

    (activity,) = found.activities
    assert (activity.type, activity.occurred_at, activity.user_id) == ("view", AT, "ana")
    assert json.loads(activity.properties or "") == {"colour": "red", "size": "L"}
    assert found.ignored == ["rest"]


def test_a_column_with_json_is_joined_with_single_properties(file: Path) -> None:
    file.write_text('type,occurred_at,properties,properties.b\nview,2026-01-02T10:00:00Z,"{""a"": 1.50}",2\n')

    (activity,) = read(file).activities

    assert activity.properties == '{"a":1.50,"b":"2"}'


def test_the_value_in_data_counts_as_it_does_at_the_door(file: Path) -> None:
    file.write_text('type,occurred_at,data\nbuy,2026-01-02T10:00:00Z,"{""value"": 9.90}"\n')

    (activity,) = read(file).activities

    assert str(activity.value) == "9.90"


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("nope=type", "no such column; the file has type, occurred_at, user_id, value"),
        ("user_id=nope", "expected COLUMN=FIELD, FIELD one of id, type"),
        ("user_id", "expected COLUMN=FIELD"),
        ("=type", "expected COLUMN=FIELD"),
        ("user_id=properties.", "expected COLUMN=FIELD"),
        ("user_id=type", "the columns 'type' and 'user_id' are both type"),
        ("type=source", "no column is type: name it with --map COLUMN=type"),
        ("occurred_at=source", "no column is occurred_at"),
    ],
)
def test_a_mapping_that_cannot_be_is_a_usage_mistake(file: Path, mapping: str, message: str) -> None:
    file.write_text(HEADER + ROW)

    with pytest.raises(UsageMistakeError) as caught:
        read(file, mapping)

    assert message in str(caught.value)


def test_a_column_is_mapped_once(file: Path) -> None:
    file.write_text(HEADER + ROW)

    with pytest.raises(UsageMistakeError, match="mapped twice"):
        read(file, "user_id=source", "user_id=properties.who")


def test_a_row_that_breaks_a_rule_of_the_door_is_rejected_with_its_line_and_reason(file: Path) -> None:
    rows = [
        "No Type,2026-01-02T10:00:00Z,,",
        "view,yesterday,,",
        "view,,,",
        'view,2026-01-02T10:00:00Z,,"12,5"',
        "view,2026-01-02T10:00:00Z,,NaN",
        "view,2036-01-02T10:00:00Z,,",
        "view,1969-12-31T23:59:59Z,,",
        "view",
        "view,2026-01-02T10:00:00Z,,,,x",
        "sold,2026-01-02T10:00:00Z,,",
        "view,2026-01-02T10:00:00Z,last,",
    ]
    file.write_text(HEADER + "\n".join(rows))

    found = read(file, types={"view"})

    assert found.users == ["last"]
    assert found.refusals == [
        (2, "invalid_type"),
        (3, "invalid_date_time"),
        (4, "missing_field"),
        (5, "wrong_type"),
        (6, "wrong_type"),
        (7, "occurs_in_the_future"),
        (8, "occurred_too_early"),
        (9, "missing_field"),
        (10, "wrong_number_of_cells"),
        (11, "unknown_type"),
    ]
    assert [row.text for row in found.rejected] == rows[:-1]
    assert all(row.reason for row in found.rejected)
    assert found.rejected[1].reason.startswith("occurred_at: expected a date-time")


def test_properties_that_are_no_object_are_rejected_with_their_place(file: Path) -> None:
    file.write_text(
        "type,occurred_at,properties\n"
        "view,2026-01-02T10:00:00Z,red\n"
        "view,2026-01-02T10:00:00Z,[1]\n"
        'view,2026-01-02T10:00:00Z,"{""a"":1,""a"":2}"\n'
    )

    found = read(file)

    assert found.refusals == [(2, "not_json"), (3, "not_an_object"), (4, "duplicate_key")]
    assert [row.reason.split(":")[0] for row in found.rejected] == ["properties", "properties", "properties.a"]


def test_bytes_that_are_no_utf8_reject_their_row_only(file: Path) -> None:
    file.write_bytes(HEADER.encode() + b"view,2026-01-02T10:00:00Z,Zo\xeb,\n" + ROW.encode())

    found = read(file)

    assert found.users == ["ana"]
    assert found.refusals == [(2, "invalid_utf8")]
    assert found.rejected[0].reason == "expected UTF-8, found 0xeb as byte 29 of the row"
    assert found.rejected[0].text == "view,2026-01-02T10:00:00Z,Zo\ufffd,"


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_part_of_it(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + (HEADER + ROW).replace("\n", "\r\n").encode())

    assert read(file).users == ["ana"]


def test_empty_lines_are_no_rows_but_count_as_lines(file: Path) -> None:
    file.write_text(HEADER + "\n" + ROW + "   \n\n" + "bad\n" + ROW.rstrip())

    found = read(file)

    assert [row.line for row in found.rows] == [3, 7]
    assert found.refusals == [(6, "missing_field")]
    assert found.chunks[0].rows_done == 3


def test_a_quote_that_is_never_closed_costs_its_line_only(file: Path) -> None:
    broken = 'view,2026-01-02T10:00:00Z,"ana,\n'
    rows = [ROW.replace("ana", f"user {number}") for number in range(3003)]
    file.write_text(HEADER + "".join([rows[0], broken, *rows[1:3001], broken, *rows[3001:]]))

    found = read(file)

    assert found.users == [f"user {number}" for number in range(3003)]
    assert found.refusals == [(3, "too_large"), (3004, "invalid_csv")]
    assert [row.line for row in found.rows[-3:]] == [3003, 3005, 3006]


def test_a_stray_quote_costs_its_line_only(file: Path) -> None:
    file.write_text(HEADER + 'view,2026-01-02T10:00:00Z,"ana"x,\n' + ROW + 'view,2026-01-02T10:00:00Z,"b""o""b",\n')

    found = read(file)

    assert found.users == ["ana", 'b"o"b']
    assert found.refusals == [(2, "invalid_csv")]


def test_a_row_that_is_too_long_is_rejected_and_kept_out_of_memory(file: Path) -> None:
    long = "v" * (3 * LONGEST_ROW)
    file.write_text(HEADER + long + "\n" + ROW + long + ROW)

    found = read(file)

    assert found.users == ["ana"]
    assert found.refusals == [(2, "too_large"), (4, "too_large")]
    assert all(len(row.text) == LONGEST_ROW for row in found.rejected)


def test_rows_without_an_id_get_one_that_follows_from_content_and_position(tmp_path: Path) -> None:
    for name, text in {"a.csv": HEADER + ROW * 3, "b.csv": HEADER + ROW * 3, "c.csv": HEADER + ROW * 4}.items():
        (tmp_path / name).write_text(text)

    a, b, c = (read(tmp_path / name) for name in ("a.csv", "b.csv", "c.csv"))

    assert a.activities == b.activities
    assert len({activity.activity_id for activity in a.activities + c.activities}) == 7
    assert a.activities[0].activity_id.version == 5


def test_a_position_counts_rejected_rows_so_that_ids_stay_when_the_rules_change(file: Path) -> None:
    file.write_text(HEADER + ROW.replace("view", "click") + ROW)

    strict, open_ = read(file, types={"view"}), read(file)

    assert strict.activities == open_.activities[1:]


@pytest.mark.parametrize("after", [0, 1, CHUNK - 1, CHUNK, CHUNK + 2, CHUNK + 5, CHUNK + 6])
def test_reading_goes_on_behind_the_rows_that_are_done(file: Path, after: int) -> None:
    rows = [f"view,2026-01-02T10:00:00Z,user {number},\n" for number in range(CHUNK + 5)]
    rows[2] = "bad\n"
    file.write_text(HEADER + "".join(rows))

    whole, rest = read(file), read(file, after=after)

    assert rest.rows == [row for row in whole.rows if row.line > after + 1]
    assert rest.rejected == [row for row in whole.rejected if row.line > after + 1]
    assert [chunk.rows_done for chunk in whole.chunks] == [CHUNK, CHUNK + 5]
    assert whole.chunks[-1].share == 1


def test_ndjson_is_read_as_the_door_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "activities.ndjson"
    rows = [
        '{"event_type":"buy","timestamp":"2026-01-02 10:00:00","data":{"value":1.50}}',
        "",
        '{"type":"view","occurred_at":"2026-01-02T10:00:00Z","user_id":"\\ud83d\\ude00"}',
        '{"type":"view"}',
        "not json",
        "[1]",
        '{"type":"view","occurred_at":"2026-01-02T10:00:00Z","value":NaN}',
        '{"type":"view","occurred_at":"2026-01-02T10:00:00Z","type":"view"}',
        '{"type":"view","occurred_at":"2026-01-02T10:00:00Z","properties":{"long":"' + "x" * LONGEST_ROW + '"}}',
        '{"type":"view","occurred_at":"2026-01-02T10:00:00Z","user_id":"last"}',
    ]
    file.write_text("\n".join(rows))

    found = read(file)

    assert [str(activity.value) for activity in found.activities] == ["1.50", "None", "None"]
    assert found.users == [None, "\N{GRINNING FACE}", "last"]
    assert found.refusals == [
        (4, "missing_field"),
        (5, "not_json"),
        (6, "not_an_object"),
        (7, "not_finite"),
        (8, "duplicate_key"),
        (9, "too_large"),
    ]


def test_keys_of_ndjson_may_be_mapped_too(tmp_path: Path) -> None:
    file = tmp_path / "activities.ndjson"
    file.write_text(
        '{"what":"view","occurred_at":"2026-01-02T10:00:00Z","hue":"red","data":{"a":1}}\n{"what":"view"}\n'
    )

    found = read(file, "what=type", "hue=properties.colour")

    assert [activity.type for activity in found.activities] == ["view"]
    assert found.activities[0].properties == '{"a":1,"colour":"red"}'
    assert found.refusals == [(2, "missing_field")]


@pytest.mark.parametrize(
    ("name", "text", "format_"),
    [
        ("a.csv", HEADER + ROW, Format.CSV),
        ("a.TSV.gz", (HEADER + ROW).replace(",", "\t"), Format.CSV),
        ("a.jsonl", '{"type":"view"}\n', Format.NDJSON),
        ("a.ndjson.gz", '{"type":"view"}\n', Format.NDJSON),
        ("a.txt", '\n {"type":"view"}\n', Format.NDJSON),
        ("a", HEADER + ROW, Format.CSV),
    ],
)
def test_the_format_is_told_by_the_name_and_else_by_the_content(
    tmp_path: Path, name: str, text: str, format_: Format
) -> None:
    (tmp_path / name).write_text(text)

    assert read(tmp_path / name).format is format_


def test_the_format_may_be_given(tmp_path: Path) -> None:
    file = tmp_path / "activities.csv"
    file.write_text('{"type":"view","occurred_at":"2026-01-02T10:00:00Z"}\n')

    assert len(read(file, form=FileForm(Format.NDJSON)).rows) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ('[{"type":"view"}]', "is a JSON array"),
        ('"type\n', "header"),
        ("type\rview\r", "header"),
    ],
)
def test_a_file_that_is_neither_is_a_usage_mistake(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "file").write_text(text)

    with pytest.raises(UsageMistakeError, match=message):
        read(tmp_path / "file")


def test_a_header_in_another_encoding_is_a_usage_mistake(file: Path) -> None:
    file.write_bytes((HEADER + ROW).replace("value", "größe").encode("cp1252"))

    with pytest.raises(UsageMistakeError, match=r"expected UTF-8, found 0xf6 .* --encoding says"):
        read(file)


def test_a_missing_file_and_a_folder_are_usage_mistakes(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(UsageMistakeError, match="cannot be read"):
            read(path)


def test_a_packed_file_is_unpacked_whatever_it_is_called_and_means_the_same(tmp_path: Path) -> None:
    packed, plain = tmp_path / "a.csv", tmp_path / "b.csv"
    plain.write_text(HEADER + ROW * 3)
    with packed.open("wb") as out:
        out.write(gzip.compress((HEADER + ROW).encode()) + gzip.compress((ROW * 2).encode()))

    assert read(packed).activities == read(plain).activities
    assert read(packed).mark == read(plain).mark


def test_a_packed_file_that_is_cut_off_is_told_before_anything_is_imported(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress((HEADER + "".join(f"view,{n},ana,\n" for n in range(9000))).encode())[:-200])

    with pytest.raises(ActivityFileError, match="cannot be read to its end"):
        read(file)


def test_a_file_that_somebody_writes_to_meanwhile_is_not_read_on(file: Path) -> None:
    file.write_text(HEADER + ROW * (CHUNK + 1))
    with open_source(file) as source:
        chunks = ImportedFile(source, ActivityRules(), FixedClock(), FieldNames()).chunks(0)
        next(chunks)
        with file.open("a") as writer:
            writer.write(ROW)

        with pytest.raises(ActivityFileError, match="has changed"):
            next(chunks)


def test_what_can_be_read_once_only_is_imported_all_the_same(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(HEADER + ROW * 2,))
    writer.start()

    found = read(pipe)

    writer.join()
    assert found.users == ["ana", "ana"]


def test_the_mark_follows_from_content_and_mapping(tmp_path: Path) -> None:
    for name, text in {"a.csv": HEADER + ROW, "b.csv": HEADER + ROW, "c.csv": HEADER + ROW * 2}.items():
        (tmp_path / name).write_text(text)

    a, b, c = (read(tmp_path / name).mark for name in ("a.csv", "b.csv", "c.csv"))

    assert a == b
    assert len({a, c, read(tmp_path / "a.csv", "user_id=source").mark}) == 3


def a_reject(line: int) -> RejectedRow:
    return RejectedRow(line, 'a "row"', "wrong_type", "wëird")


def written(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rejects_are_one_object_a_row_in_a_file_that_is_made_when_needed(tmp_path: Path) -> None:
    path = tmp_path / "rejects.ndjson"
    rejects = RejectsFile(path, LARGEST)
    rejects.forget_from(2)
    before = path.exists()

    rejects.add([a_reject(2)])
    rejects.add([a_reject(5)])

    assert before is False
    assert written(path) == [
        {"line": line, "reason": "wëird", "code": "wrong_type", "row": 'a "row"'} for line in (2, 5)
    ]


@pytest.mark.parametrize(("line", "kept"), [(3, [2]), (5, [2]), (6, [2, 5]), (100, [2, 5])])
def test_rejects_of_later_lines_and_a_torn_one_are_forgotten(tmp_path: Path, line: int, kept: list[int]) -> None:
    path = tmp_path / "rejects.ndjson"
    RejectsFile(path, LARGEST).add([a_reject(2), a_reject(5)])
    with path.open("a") as torn:
        torn.write('{"line": 6, "rea')

    RejectsFile(path, LARGEST).forget_from(line)

    assert [row["line"] for row in written(path)] == kept


def test_a_file_of_rejects_that_would_be_empty_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "rejects.ndjson"
    RejectsFile(path, LARGEST).add([a_reject(2)])

    RejectsFile(path, LARGEST).forget_from(2)

    assert not path.exists()


def test_rejects_overwrite_nothing_else(tmp_path: Path) -> None:
    precious = tmp_path / "precious.csv"
    precious.write_text(HEADER + ROW)

    for path in (precious, tmp_path):
        with pytest.raises(UsageMistakeError, match="holds no rejects"):
            RejectsFile(path, LARGEST)


def test_rejects_that_cannot_be_written_say_so(tmp_path: Path) -> None:
    rejects = RejectsFile(tmp_path / "missing" / "rejects.ndjson", LARGEST)

    with pytest.raises(ActivityFileError, match="name another with --rejects"):
        rejects.add([a_reject(2)])


def test_rejects_lie_beside_their_file(tmp_path: Path) -> None:
    assert rejects_path(tmp_path / "a.csv.gz") == tmp_path / "a.csv.gz.rejects.ndjson"
    assert rejects_path(Path("-")) == Path("import.rejects.ndjson")


def test_the_names_of_other_clients_are_columns_in_any_letters(file: Path) -> None:
    file.write_text("Event,TIME,distinct_id,messageId,Revenue,anonymousid\nview,1767348000,ana,order 17,9.90,v-1\n")

    (activity,) = read(file).activities

    assert (activity.type, activity.occurred_at, activity.user_id) == ("view", AT, "ana")
    assert (activity.activity_id, str(activity.value), activity.anonymous_id) == (
        id_of_text(None, "order 17"),
        "9.90",
        "v-1",
    )


def test_fields_of_ndjson_that_mean_nothing_become_properties_and_are_named(tmp_path: Path) -> None:
    path = tmp_path / "activities.ndjson"
    path.write_text(
        '{"event":"view","ts":1767348000000,"colour":"red"}\n{"event":"view","ts":"2026-01-02 10:00:00+00"}\n'
    )

    found = read(path)

    assert [activity.properties for activity in found.activities] == ['{"colour":"red"}', None]
    assert found.ignored == ["colour"]


def test_paths_of_ndjson_may_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / "activities.ndjson"
    path.write_text('{"event":"view","meta":{"at":1767348000},"context":{"page":{"url":"/a"}}}\n')

    (activity,) = read(path, "meta.at=occurred_at", "context.page.url=properties.url").activities

    assert (activity.occurred_at, activity.properties) == (AT, '{"url":"/a"}')


def test_a_user_that_is_none_is_none_in_a_file_too(file: Path) -> None:
    file.write_text(f"{HEADER}view,2026-01-02T10:00:00Z,undefined,\n")

    assert read(file).users == [None]
