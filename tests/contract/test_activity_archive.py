"""What ActivityArchive promises, over memory, SQLite and PostgreSQL: all write the same lines."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.sql.activity_archive import SqlActivityArchive
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.application.list_activities import ListActivities
from app.application.ports.activity_archive import (
    EXPORT_COLUMNS,
    ActivityArchive,
    ActivityPosition,
    LineForm,
    UnknownPlaceError,
    WantedActivities,
)
from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan
from tests.fakes.activity_archive import MemoryActivityArchive
from tests.support.builders import NOW, an_activity
from tests.support.postgres import postgres_database

ALL = ActivitySpan()
ODD = "a\"b\\c',\u00e9\u20ac\U0001f600\u2028;=1\n\t"
PLAIN_ODD = "=a\"b\\c', \u00e9\u20ac\U0001f600\u2028;"
"""Without control characters, as ids of users are."""


class Backend(Protocol):
    @property
    def archive(self) -> ActivityArchive: ...
    async def store(self, *activities: Activity) -> None: ...
    async def aclose(self) -> None: ...


class Memory:
    def __init__(self) -> None:
        self.archive = self._kept = MemoryActivityArchive(days=1)

    async def store(self, *activities: Activity) -> None:
        known = {one.activity_id for one in self._kept.stored}
        self._kept.stored += [one for one in activities if one.activity_id not in known]

    async def aclose(self) -> None:
        pass


class Sql:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.archive: ActivityArchive = SqlActivityArchive(database, time_limit=0)
        self._store = SqlActivityStore(database, UTC)

    async def store(self, *activities: Activity) -> None:
        await self._store.store(activities)

    async def aclose(self) -> None:
        await self._database.aclose()


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, Path]]]:
    with ExitStack() as stack:
        yield _Made(stack, tmp_path_factory)


class _Made(dict[str, tuple[str, Path]]):
    """Databases that are made and migrated when first asked for."""

    def __init__(self, stack: ExitStack, paths: pytest.TempPathFactory) -> None:
        super().__init__()
        self._stack, self._paths = stack, paths

    def __missing__(self, kind: str) -> tuple[str, Path]:
        url = "embedded" if kind == "sqlite" else self._stack.enter_context(postgres_database())
        self[kind] = made = url, self._paths.mktemp(kind)
        asyncio.run(_migrate(*made))
        return made


async def _migrate(url: str, directory: Path) -> None:
    database = open_database(url, directory, timeout=5)
    await migrate(database)
    await database.aclose()


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "memory":
        yield Memory()
        return
    found = request.getfixturevalue("databases")
    database = open_database(*await asyncio.to_thread(found.__getitem__, request.param), timeout=5)
    await database.write(
        lambda connection: [connection.execute(table.delete()) for table in reversed(metadata.sorted_tables)]
    )
    made = Sql(database)
    yield made
    await made.aclose()


async def text_of(archive: ActivityArchive, form: LineForm = LineForm.NDJSON, span: ActivitySpan = ALL) -> str:
    """Read everything, and see that what is said of its number is so."""
    texts, after = [], ""
    while found := await archive.next_slice(span, after):
        lines = await archive.lines(span, found, form)
        assert lines.number == lines.text.count("\n")
        texts.append(lines.text)
        after = found.end
    return "".join(texts)


async def newest(archive: ActivityArchive, wanted: WantedActivities, most: int, limit: int = 2) -> list[Activity]:
    """List pages until there are enough, or no more."""
    listed: list[Activity] = []
    for _ in range(100):
        page = await ListActivities(archive)(wanted, limit)
        listed += page.activities
        if page.next is None:
            break
        wanted = replace(wanted, before=page.next)
    return listed[:most]


def sorted_lines(text: str) -> list[str]:
    return sorted(text.split("\n"))


def odd_activities() -> list[Activity]:
    """Every kind of activity that there is."""
    quoted = json.dumps({ODD: [ODD, 1, None], "n": 0}, ensure_ascii=False, separators=(",", ":"))
    usual = [
        an_activity(1, user=None),
        an_activity(2, source=PLAIN_ODD, user=PLAIN_ODD, value="-0.50", properties=quoted),
        an_activity(3, at=datetime(1970, 1, 1, tzinfo=UTC), value="1E+3", properties="{}"),
        an_activity(4, at=datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), value="0." + "1" * 24),
        an_activity(5, at=datetime(2024, 2, 29, 12, 0, 0, 7, tzinfo=UTC), value="999999999999999999"),
        an_activity(6, type_="funnel", user="+1", source="-x"),
        an_activity(10, user="anonymous"),
    ]
    first = usual[0]
    return [
        *usual,
        first._replace(activity_id=UUID(int=7), type="$identify", user_id="@u", anonymous_id=PLAIN_ODD),
        first._replace(activity_id=UUID(int=8), type="$alias", user_id="u", anonymous_id="v", origin='{"id":"x\\"y"}'),
        first._replace(activity_id=UUID(int=9), type="$group", user_id="u", origin='{"publishable":true}'),
    ]


@pytest.mark.parametrize("form", LineForm)
async def test_every_store_writes_the_same_lines(backend: Backend, form: LineForm) -> None:
    await backend.store(*odd_activities())

    text = await text_of(backend.archive, form)

    assert sorted_lines(text) == sorted_lines(await text_of(MemoryActivityArchive(odd_activities(), rows=100), form))


async def test_lines_of_json_say_what_was_stored(backend: Backend) -> None:
    await backend.store(*odd_activities())

    text = await text_of(backend.archive)

    found = {one["id"]: one for one in (json.loads(line, parse_float=Decimal) for line in text.split("\n") if line)}
    for activity in odd_activities():
        said = found[str(activity.activity_id)]
        assert (said["type"], said.get("user_id")) == (activity.type, activity.user_id)
        assert datetime.fromisoformat(said["occurred_at"]) == activity.occurred_at
        assert said.get("value") == activity.value
        assert said.get("properties") == (json.loads(activity.properties) if activity.properties else None)


async def test_formulas_are_escaped_on_request_and_numbers_never(backend: Backend) -> None:
    await backend.store(an_activity(1, user="=1+1", source="@x", value="-3.50"), an_activity(2, user="a=b", source="+"))

    plain = await text_of(backend.archive, LineForm.CSV)
    escaped = await text_of(backend.archive, LineForm.CSV_FOR_SPREADSHEETS)

    rows = {row[0][-1]: dict(zip(EXPORT_COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(escaped))}
    assert (rows["1"]["user_id"], rows["1"]["source"], rows["1"]["value"]) == ("'=1+1", "'@x", "-3.50")
    assert (rows["2"]["user_id"], rows["2"]["source"]) == ("a=b", "'+")
    assert escaped.replace("'", "") == plain


async def test_a_span_holds_its_beginning_and_not_its_end(backend: Backend) -> None:
    hours = [an_activity(number, at=NOW + timedelta(hours=number)) for number in range(60)]
    await backend.store(*hours)
    span = ActivitySpan(NOW + timedelta(hours=5), NOW + timedelta(hours=50))

    text = await text_of(backend.archive, span=span)

    assert text.count("\n") == 45
    assert f"{UUID(int=5)}" in text
    assert f"{UUID(int=50)}" not in text


async def test_what_was_stored_at_the_beginning_is_in_one_slice_and_what_comes_behind_follows(backend: Backend) -> None:
    await backend.store(*(an_activity(number, at=NOW + timedelta(days=number)) for number in range(10)))
    first = await backend.archive.next_slice(ALL, "")
    assert first

    lines = await backend.archive.lines(ALL, first, LineForm.NDJSON)
    await backend.store(an_activity(11, at=NOW + timedelta(days=40)))
    texts, after = [lines.text], first.end
    while found := await backend.archive.next_slice(ALL, after):
        texts.append((await backend.archive.lines(ALL, found, LineForm.NDJSON)).text)
        after = found.end

    ids = [json.loads(line)["id"] for line in "".join(texts).splitlines()]
    assert sorted(ids) == sorted(str(UUID(int=number)) for number in (*range(10), 11))
    assert (await backend.archive.lines(ALL, first, LineForm.NDJSON)).text == lines.text


async def test_the_same_slice_is_read_as_activities(backend: Backend) -> None:
    await backend.store(*odd_activities())
    found: list[Activity] = []
    after = ""
    while wanted := await backend.archive.next_slice(ALL, after):
        found += await backend.archive.activities(ALL, wanted)
        after = wanted.end

    assert sorted(found) == sorted(odd_activities())
    values = {one.activity_id: one.value for one in found}
    assert str(values[UUID(int=2)]) == "-0.50"


async def test_nothing_is_in_an_empty_store(backend: Backend) -> None:
    assert await text_of(backend.archive) == ""
    assert (await backend.archive.newest(WantedActivities(ALL), 5)).activities == []


@pytest.mark.parametrize("place", ["x", "activities_2026_01", "-1"])
async def test_a_place_of_another_store_is_told(backend: Backend, place: str) -> None:
    with pytest.raises(UnknownPlaceError, match="no place in this database"):
        await backend.archive.next_slice(ALL, place)


async def test_large_activities_make_small_slices(backend: Backend) -> None:
    large = '{"text":"' + "\u00e9" * 30_000 + '"}'
    await backend.store(*(an_activity(number, properties=large) for number in range(120)))

    counts, after = [], ""
    while found := await backend.archive.next_slice(ALL, after):
        counts.append((await backend.archive.lines(ALL, found, LineForm.NDJSON)).number)
        after = found.end

    assert sum(counts) == 120
    assert max(counts) <= 60


async def test_the_newest_come_first_whatever_the_order_of_arrival(backend: Backend) -> None:
    hours = [an_activity(number, at=NOW - timedelta(hours=number * 7 % 24)) for number in range(24)]
    await backend.store(*hours)

    found = await newest(backend.archive, WantedActivities(ALL), 5)

    assert found == sorted(hours, key=lambda one: one.occurred_at, reverse=True)[:5]


async def test_a_user_and_a_type_are_looked_for(backend: Backend) -> None:
    await backend.store(an_activity(1, user="a"), an_activity(2, user="b"), an_activity(3, user="a", type_="buy"))

    assert [
        [one.activity_id.int for one in await newest(backend.archive, wanted, 5)]
        for wanted in (
            WantedActivities(ALL, user_id="a"),
            WantedActivities(ALL, type="view"),
            WantedActivities(ALL, user_id="a", type="buy"),
            WantedActivities(ALL, before=ActivityPosition(NOW, UUID(int=2))),
        )
    ] == [[3, 1], [2, 1], [3], [1]]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 7), user=st.sampled_from([None, "u0", "u1"]))
async def test_pages_of_any_size_list_everything_once(backend: Backend, limit: int, user: str | None) -> None:
    activities = [
        an_activity(number, at=NOW - timedelta(hours=number * 13 % 100), user=f"u{number % 3}") for number in range(30)
    ]
    await backend.store(*activities)

    listed = await newest(backend.archive, WantedActivities(ALL, user_id=user), 100, limit)

    expected = sorted(activities, key=lambda one: (one.occurred_at, one.activity_id), reverse=True)
    assert listed == [one for one in expected if user in (None, one.user_id)]
