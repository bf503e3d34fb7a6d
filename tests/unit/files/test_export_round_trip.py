"""What is exported is imported as it was stored: every field of every activity, whatever stands in it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.activity_files.file_form import FileForm, Format
from app.adapters.inbound.activity_files.imported_file import ImportedFile
from app.adapters.inbound.activity_files.source import open_source
from app.adapters.inbound.export_files.portions import FileFormat, activities_as_lines
from app.adapters.inbound.reading.activity_names import FieldNames
from app.application.export_activities import ExportActivities
from app.application.import_activities import RejectedRow
from app.domain.activities import PLACEHOLDERS, RESERVED_TYPES, STATEMENTS, Activity, ActivityRules
from app.domain.activity_spans import ActivitySpan
from tests.fakes.activity_archive import MemoryActivityArchive
from tests.support.builders import NOW, an_activity
from tests.support.fixed_clock import FixedClock

PLAIN = st.characters(exclude_categories=["Cs", "Cc"])
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
IDS = st.text(PLAIN, min_size=1, max_size=20) | st.sampled_from(["=1", "-", '"', "a,b", "\u2028", *PLACEHOLDERS])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ORIGINS = st.fixed_dictionaries({"id": TEXT}, optional={"publishable": st.just(value=True), "received_at": TEXT})


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


ACTIVITIES = st.builds(
    Activity,
    activity_id=st.uuids(),
    type=st.sampled_from(["view", "a.b-c_1", "identify", "alias", *STATEMENTS, *RESERVED_TYPES]),
    occurred_at=st.datetimes(EPOCH, NOW.replace(tzinfo=None), timezones=st.just(UTC)),
    source=st.none() | IDS,
    user_id=st.none() | IDS,
    value=st.none() | st.decimals(-(10**17), 10**17, allow_nan=False, places=6),
    properties=st.none() | st.dictionaries(TEXT, JSON, max_size=3).map(compact),
    anonymous_id=st.none() | IDS,
    origin=st.none() | ORIGINS.map(compact),
)


async def round_trip(activities: Sequence[Activity], format_: FileFormat) -> tuple[list[Activity], list[RejectedRow]]:
    archive = ExportActivities(MemoryActivityArchive(activities, rows=1000))
    portions = activities_as_lines(archive, ActivitySpan(), format_, escape_formulas=False)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "exported"
        file.write_bytes(b"".join([one.content async for one in portions]))
        with open_source(file) as source:
            rows = ImportedFile(source, ActivityRules(), FixedClock(), FieldNames(), FileForm(Format(format_)))
            chunks = [*rows.chunks(0)]
    return [row.activity for one in chunks for row in one.rows], [row for one in chunks for row in one.rejected]


def by_id(activities: Sequence[Activity]) -> list[Activity]:
    return sorted(activities, key=lambda one: one.activity_id)


@pytest.mark.parametrize("format_", [FileFormat.NDJSON, FileFormat.CSV])
@settings(max_examples=60, deadline=None)
@given(activities=st.lists(ACTIVITIES.filter(lambda one: not _is_said_now(one)), min_size=1, max_size=8))
async def test_whatever_was_stored_comes_back(format_: FileFormat, activities: list[Activity]) -> None:
    once = [*{one.activity_id: one for one in activities}.values()]

    imported, rejected = await round_trip(once, format_)

    assert rejected == []
    assert [_comparable(one) for one in by_id(imported)] == [_comparable(one) for one in by_id(once)]


def _is_said_now(one: Activity) -> bool:
    """Tell what no store can have: with both ids, a record `identify` is stored as the statement."""
    return one.type == "identify" and one.user_id is not None and one.anonymous_id is not None


def _comparable(one: Activity) -> tuple[object, ...]:
    value = None if one.value is None else f"{one.value + 0:f}" if one.value else "0"
    loaded = [None if text is None else json.loads(text) for text in (one.properties, one.origin)]
    return (*one._replace(value=None, properties=None, origin=None), value, *loaded)


@pytest.mark.parametrize("format_", [FileFormat.NDJSON, FileFormat.CSV])
async def test_an_activity_as_large_as_the_door_takes_comes_back(format_: FileFormat) -> None:
    large = an_activity(properties=compact({"text": '"' * 32_700}))

    imported, rejected = await round_trip([large], format_)

    assert (imported, rejected) == ([large], [])


@pytest.mark.parametrize("format_", [FileFormat.NDJSON, FileFormat.CSV])
async def test_digits_come_back_as_they_were(format_: FileFormat) -> None:
    values = ["0.10", "-0.50", "0." + "1" * 24, "999999999999999999", "100"]
    stored = [an_activity(number, value=value) for number, value in enumerate(values)]

    imported, _ = await round_trip(stored, format_)

    assert [str(one.value) for one in imported] == values


async def test_records_of_others_are_no_export_because_of_an_origin(tmp_path: Path) -> None:
    file = tmp_path / "others.ndjson"
    record = {
        "type": "view",
        "id": str(UUID(int=1)),
        "occurred_at": "2026-01-05T12:00:00Z",
        "origin": {"type": "Point"},
    }
    statement = {"occurred_at": "2026-01-05T12:00:00Z", "type": "$identify", "user_id": "u", "anonymous_id": "a"}
    file.write_text(f"{compact(record)}\n{compact(statement)}\n")

    with open_source(file) as source:
        (chunk,) = ImportedFile(source, ActivityRules(), FixedClock(), FieldNames()).chunks(0)

    assert [row.activity.origin for row in chunk.rows] == [None]
    assert [row.code for row in chunk.rejected] == ["invalid_type"]
