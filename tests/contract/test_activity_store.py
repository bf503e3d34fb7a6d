"""What ActivityStore, Stats and StatsKeeper promise, over memory, SQLite and PostgreSQL."""

import asyncio
import random
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.activity_types import SqlTypeBound
from app.adapters.outbound.sql.advisory_locks import AdvisoryLock
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.schema import activities as activities_table
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.activities import NotStorableError
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import Activity
from app.domain.stats import TypeCount, TypeRanking, TypeTotal, date_of
from app.domain.zone_rules import ZoneRules
from tests.support.activity_backends import ActivityBackend, Find, SqlActivityBackend, by_definition, figures, patiently
from tests.support.builders import NOW, an_activity
from tests.support.zone_files import VANCOUVER, VANCOUVER_OF_2025, VANCOUVER_OF_2026, compiled

MADRID, KATHMANDU = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu")


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


@pytest.fixture
def sql(activity_sql: SqlActivityBackend) -> SqlActivityBackend:
    return activity_sql


def some_activities(count: int, *, seed: int = 1, users: int = 20) -> list[Activity]:
    """Make up activities over the turn of a year."""
    chance = random.Random(seed)
    return [
        an_activity(
            seed * 1_000_000 + number,
            type_=chance.choice(["view", "click", "buy"]),
            at=datetime(2025, 12, 10, tzinfo=UTC) + timedelta(seconds=chance.randrange(40 * 86_400)),
            user=f"user-{chance.randrange(users)}" if chance.random() < 0.9 else None,
            value=str(Decimal(chance.randrange(-10_000, 10_000)).scaleb(-chance.randrange(5))),
            properties='{"page":"/"}',
        )
        for number in range(count)
    ]


async def test_what_is_stored_is_counted(backend: ActivityBackend) -> None:
    activities = some_activities(500)

    assert await backend.store().store(activities) == 500

    assert await figures(backend) == by_definition(activities)
    assert await backend.keeper().verify() is None


async def test_what_is_known_already_changes_nothing(backend: ActivityBackend) -> None:
    activities = some_activities(50)
    await backend.store().store(activities)

    again = await backend.store().store([*activities[10:], *some_activities(5, seed=2)])

    assert again == 5
    assert await figures(backend) == by_definition([*activities, *some_activities(5, seed=2)])


async def test_of_two_equal_ids_in_one_call_the_first_counts(backend: ActivityBackend) -> None:
    first, second = an_activity(1, type_="view", value="1"), an_activity(1, type_="buy", value="2")

    assert await backend.store().store([first, second]) == 1

    assert await backend.stats().totals() == [TypeTotal("view", 1, Decimal(1))]


async def test_nothing_is_stored_of_nothing(backend: ActivityBackend) -> None:
    assert await backend.store().store([]) == 0
    assert await backend.stats().totals() == []


async def test_a_late_activity_moves_a_first_day_with_all_its_cells(backend: ActivityBackend) -> None:
    store = backend.store()
    days = [an_activity(n, at=datetime(2026, 1, n, tzinfo=UTC)) for n in (20, 22, 29)]
    late = an_activity(99, at=datetime(2025, 12, 30, tzinfo=UTC))
    await store.store(days)

    await store.store([late])

    assert await figures(backend) == by_definition([*days, late])


@pytest.mark.parametrize("zone", [MADRID, KATHMANDU], ids=str)
async def test_days_are_those_of_the_time_zone(backend: ActivityBackend, zone: ZoneInfo) -> None:
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * n) for n in range(-200, 200)]
    activities = [an_activity(n + 1, at=at, user=f"user-{n % 7}") for n, at in enumerate(hours)]

    await backend.store(zone).store(activities)

    assert await figures(backend) == by_definition(activities, zone)
    assert await backend.keeper(zone).verify() is None


async def test_sums_are_exact_to_the_last_digit(backend: ActivityBackend) -> None:
    values = ["0.1", "0.2", "1e-24", "-0.3", "999999999999999999", "0.000000000000000000000001", "1E+3"]

    for number, value in enumerate(values, start=1):
        await backend.store().store([an_activity(number, value=value)])

    with localcontext(prec=100):
        expected = sum(map(Decimal, values), Decimal())
    assert await backend.stats().total("view") == TypeTotal("view", len(values), expected)
    assert await backend.keeper().verify() is None


async def test_several_callers_may_store_the_same_at_the_same_time(backend: ActivityBackend) -> None:
    activities = some_activities(600, users=10)
    parts = [activities[start : start + 150] for start in range(0, 600, 50)]

    stored = await asyncio.gather(*(patiently(backend, part) for part in parts))

    assert sum(stored) == 600
    assert await figures(backend) == by_definition(activities)
    assert await backend.keeper().verify() is None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_order_repetition_and_splitting_do_not_matter(backend: ActivityBackend, data: st.DataObject) -> None:
    activities = some_activities(40, users=4)
    sent = data.draw(st.permutations(activities))
    sent += data.draw(st.lists(st.sampled_from(activities), max_size=20))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    await backend.clear()
    workers = [backend.store() for _ in range(data.draw(st.integers(1, 3)))]

    for number, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(sent)], strict=True)):
        await workers[number % len(workers)].store(sent[begin:end])

    assert await figures(backend) == by_definition(activities)
    assert await backend.keeper().verify() is None


async def test_the_most_frequent_types_are_ranked_and_all_of_them_counted(backend: ActivityBackend) -> None:
    stats = backend.stats()
    assert await stats.ranking(8) == TypeRanking(0, 0, [])
    often = [an_activity(number, type_="often", value="0.10") for number in range(3)]
    await backend.store().store(
        [*often, an_activity(3, type_="b"), an_activity(4, type_="a"), an_activity(5, type_="c")]
    )

    assert await stats.ranking(2) == TypeRanking(
        4, 6, [TypeTotal("often", 3, Decimal("0.30")), TypeTotal("a", 1, Decimal())]
    )


async def test_totals_are_listed_by_name_and_found_one_by_one(backend: ActivityBackend) -> None:
    await backend.store().store([an_activity(1, type_="b"), an_activity(2, type_="a-b"), an_activity(3, type_="a.b")])

    assert [total.type for total in await backend.stats().totals()] == ["a-b", "a.b", "b"]
    assert await backend.stats().total("b") == TypeTotal("b", 1, Decimal())
    assert await backend.stats().total("never") is None


async def test_totals_are_listed_in_pages(backend: ActivityBackend) -> None:
    kinds = ["a", "a-b", "a.b", "a_b", "ab", "b"]
    await backend.store().store([an_activity(number, type_=kind) for number, kind in enumerate(kinds)])
    stats = backend.stats()

    pages = [await stats.totals(after, 2) for after in ("", "a-b", "a_b", "b", "a.", "zzz")]

    assert [[total.type for total in page] for page in pages] == [
        ["a", "a-b"],
        ["a.b", "a_b"],
        ["ab", "b"],
        [],
        ["a.b", "a_b"],
        [],
    ]
    assert [total.type for total in await stats.totals("a.b")] == ["a_b", "ab", "b"]


async def test_an_import_admits_new_types_while_there_is_room_beside_those_that_are_counted(
    sql: SqlActivityBackend,
) -> None:
    await sql.store().store([an_activity(1, type_="a"), an_activity(2, type_="b")])
    bound = SqlTypeBound(sql.database, 3)

    assert set(await bound.refused({"a"})) == set()
    assert len(await bound.refused({"a", "c", "d"})) == 1
    assert set(await bound.refused({"b", "e"})) == {"e"}
    await sql.store().store([an_activity(3, type_="e")])
    assert set(await bound.refused({"e"})) == set()


async def test_equal_counts_are_ranked_by_name_and_the_range_includes_both_ends(backend: ActivityBackend) -> None:
    at = [datetime(2026, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3, 4)]
    kinds = [("z", 0), ("b", 1), ("a", 1), ("c", 2), ("c", 2), ("z", 3)]
    await backend.store().store([an_activity(n, type_=t, at=at[day]) for n, (t, day) in enumerate(kinds)])

    top = await backend.stats().top_types(date(2026, 1, 2), date(2026, 1, 3), 2)

    assert top == [TypeCount("c", 2), TypeCount("a", 1)]


async def test_a_reset_empties_the_figures_and_a_rebuild_brings_them_back(backend: ActivityBackend) -> None:
    activities = some_activities(200)
    await backend.store().store(activities)

    await backend.keeper().reset()
    emptied = await backend.stats().totals()
    again = await backend.store().store(activities)
    difference = await backend.keeper().verify()
    rebuilt = await backend.keeper().rebuild()

    assert (emptied, again, rebuilt) == ([], 0, 200)
    assert difference is not None
    assert await figures(backend) == by_definition(activities)
    assert await backend.keeper().verify() is None


SPOILED = {
    "UPDATE type_totals SET count = count + 1 WHERE type = 'view'": "count of view",
    "UPDATE daily_totals SET count = 7 WHERE day = 20454": "count of view on 2026-01-01",
    "UPDATE daily_users SET users = 9 WHERE day = 20454": "users on 2026-01-01",
    "UPDATE retention_cells SET users = 9 WHERE granularity = 'week'": "retention of the week of 2025-12-29, 0 later",
    "UPDATE retention_cells SET users = 9 WHERE granularity = 'day'": "retention of the day of 2026-01-01, 0 later",
    "UPDATE visitors SET first_day = 20000": "days of user 'ana'",
    "DELETE FROM visitors": "days of user 'ana'",
    "INSERT INTO visitors (visitor, first_day, days) SELECT 'zoe', first_day, days FROM visitors": "days of user 'zoe'",
}


@pytest.mark.parametrize("spoil", SPOILED)
async def test_verify_names_the_figure_that_is_wrong(sql: SqlActivityBackend, spoil: str) -> None:
    await sql.store().store([an_activity(1, at=datetime(2026, 1, 1, tzinfo=UTC), value="1.5")])
    assert await sql.keeper().verify() is None

    await sql.database.write(lambda connection: connection.execute(text(spoil)))

    difference = await sql.keeper().verify()
    assert difference is not None
    assert difference.rollup == SPOILED[spoil]
    assert difference.kept != difference.folded
    await sql.keeper().rebuild()
    assert await sql.keeper().verify() is None


async def test_another_time_zone_counts_nothing_until_a_rebuild(sql: SqlActivityBackend) -> None:
    activities = some_activities(100)
    await sql.store(UTC).store(activities)

    with pytest.raises(HistoryUnavailableError, match="marquee stats rebuild"):
        await sql.store(KATHMANDU).store(some_activities(1, seed=3))
    difference = await sql.keeper(KATHMANDU).verify()
    await sql.keeper(KATHMANDU).rebuild()

    assert difference is not None
    assert (difference.rollup, difference.kept) == ("timezone", "UTC")
    assert await figures(sql) == by_definition(activities, KATHMANDU)
    assert await sql.store(KATHMANDU).store(some_activities(1, seed=3)) == 1


OLD = ZoneRules(VANCOUVER, "2025b", compiled(VANCOUVER_OF_2025))
NEW = ZoneRules(VANCOUVER, "2026b", compiled(VANCOUVER_OF_2026))
SUMMER = datetime(2026, 7, 5, 12, tzinfo=UTC)
BY_MIDNIGHT = datetime(2026, 12, 6, 7, 30, tzinfo=UTC)
"""Half past eleven in Vancouver's winter of 2025, half past midnight by the rules of 2026."""


def counting_by(sql: SqlActivityBackend, rules: ZoneRules) -> tuple[SqlActivityStore, SqlStatsKeeper]:
    """Make what a worker has whose tzdata has these rules."""
    zone = rules.zone
    return SqlActivityStore(sql.database, zone, rules), SqlStatsKeeper(sql.database, zone, rules)


async def users_by_day(sql: SqlActivityBackend) -> dict[int, int]:
    found = await sql.stats().daily_users(date(2026, 12, 5), date(2026, 12, 6))
    return {date_of(day).day: users for day, users in found.items() if users}


async def test_newer_rules_count_on_where_no_day_that_was_counted_differs(sql: SqlActivityBackend) -> None:
    old, _ = counting_by(sql, OLD)
    await old.store([an_activity(1, at=SUMMER)])
    new, keeper = counting_by(sql, NEW)
    assert await keeper.trouble() is None

    await new.store([an_activity(2, at=BY_MIDNIGHT)])

    assert await users_by_day(sql) == {6: 1}
    assert await keeper.trouble() is None
    assert await keeper.verify() is None


async def test_a_worker_with_older_rules_counts_by_the_newer_ones_and_says_so(sql: SqlActivityBackend) -> None:
    new, _ = counting_by(sql, NEW)
    await new.store([an_activity(1, at=SUMMER)])
    old, keeper = counting_by(sql, OLD)

    await old.store([an_activity(2, at=BY_MIDNIGHT)])

    assert await users_by_day(sql) == {6: 1}
    assert "newer than this process's" in (await keeper.trouble() or "")
    assert await keeper.verify() is None
    await keeper.rebuild()
    assert await users_by_day(sql) == {6: 1}


async def test_days_that_differ_are_counted_on_as_they_were_and_a_rebuild_is_said_to_be_due(
    sql: SqlActivityBackend,
) -> None:
    old, _ = counting_by(sql, OLD)
    await old.store([an_activity(1, at=BY_MIDNIGHT)])
    new, keeper = counting_by(sql, NEW)

    await new.store([an_activity(2, at=BY_MIDNIGHT, user="eva")])

    assert await users_by_day(sql) == {5: 2}
    trouble = await keeper.trouble() or ""
    assert trouble == await keeper.trouble()
    assert "from 2026-12-05 on" in trouble
    assert "marquee stats rebuild" in trouble
    assert await keeper.verify() is not None
    await keeper.rebuild()
    assert await keeper.trouble() is None
    assert await users_by_day(sql) == {6: 2}
    await old.store([an_activity(3, at=BY_MIDNIGHT, user="ada")])  # it goes by what is noted, and not by what it noted
    assert await users_by_day(sql) == {6: 3}


async def test_days_that_were_counted_before_rules_were_noted_are_said_to_be_looked_at_once(
    sql: SqlActivityBackend,
) -> None:
    zone = OLD.zone
    await SqlActivityStore(sql.database, zone).store([an_activity(1, at=SUMMER)])
    new, keeper = counting_by(sql, NEW)

    assert "marquee stats verify" in (await keeper.trouble() or "")
    await new.store([an_activity(2, at=SUMMER)])

    assert await keeper.trouble() is None
    assert await SqlStatsKeeper(sql.database, zone).trouble() is None


async def test_an_upgrade_says_nothing_of_days_of_utc_nor_of_none_at_all(sql: SqlActivityBackend) -> None:
    utc = ZoneRules("UTC", "2026b", compiled("UTC0"))
    _, nothing_yet = counting_by(sql, NEW)
    assert await nothing_yet.trouble() is None
    await sql.store(utc.zone).store([an_activity(1)])

    assert await counting_by(sql, utc)[1].trouble() is None
    assert "stats.timezone says" in (await nothing_yet.trouble() or "")


async def test_workers_with_other_rules_that_begin_at_once_count_alike(sql: SqlActivityBackend) -> None:
    stores = [counting_by(sql, rules)[0] for rules in (OLD, NEW, OLD, NEW)]

    activities = [an_activity(number, at=BY_MIDNIGHT, user=f"user-{number}") for number in range(40)]
    await asyncio.gather(*(store.store(activities[n::4]) for n, store in enumerate(stores)))

    assert list((await users_by_day(sql)).values()) == [40]


async def test_a_rebuild_and_workers_do_not_disturb_each_other(sql: SqlActivityBackend) -> None:
    activities = some_activities(2000)
    await sql.store().store(activities[:1000])

    async def work() -> None:
        for start in range(1000, 2000, 100):
            await patiently(sql, activities[start : start + 100])

    await asyncio.gather(work(), sql.keeper().rebuild(), work())

    assert await figures(sql) == by_definition(activities)
    assert await sql.keeper().verify() is None


async def test_what_a_database_has_no_form_for_is_not_storable_and_nothing_is_stored(sql: SqlActivityBackend) -> None:
    good = an_activity(1)
    bad = an_activity(2, user="a lone \ud800 surrogate" if sql.database.is_sqlite else "a nul \0 byte")

    with pytest.raises(NotStorableError):
        await sql.store().store([good, bad])

    assert await sql.stats().totals() == []
    assert await sql.store().store([good]) == 1


async def test_a_large_batch_is_stored_whole(sql: SqlActivityBackend) -> None:
    activities = some_activities(12_000, users=9_000)

    assert await sql.store().store(activities) == 12_000

    told: list[int] = []
    assert await sql.keeper().verify(told.append) is None
    assert told == [10_000]


async def test_everything_of_an_activity_is_kept(sql: SqlActivityBackend) -> None:
    at = NOW + timedelta(microseconds=1)
    activity = Activity(UUID(int=7), "buy", at, "web", "ana ñ 😀", Decimal("12.50"), '{"a":"\\u0000"}')

    await sql.store().store([activity])

    row = await sql.database.read(lambda connection: connection.execute(select(activities_table)).one())
    kept_id = row.id if isinstance(row.id, UUID) else UUID(bytes=row.id)
    assert (kept_id, row.type, row.source, row.user_id) == (activity.activity_id, "buy", "web", "ana ñ 😀")
    assert (str(row.value), row.properties) == ("12.50", activity.properties)
    assert timedelta(microseconds=row.occurred_at) == at - datetime(1970, 1, 1, tzinfo=UTC)


async def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    database = open_database("postgresql://nobody:secret-word@127.0.0.1:1/none", tmp_path, timeout=1)

    with pytest.raises(HistoryUnavailableError, match=r"127\.0\.0\.1:1/none") as told:
        await SqlStats(database).totals()

    assert "secret-word" not in str(told.value)
    await database.aclose()


async def test_a_file_that_is_no_database_is_told_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"this is no database, whatever its name says" * 100)
    database = open_database("embedded", tmp_path, timeout=1)

    with pytest.raises(HistoryUnavailableError, match="damaged"):
        await SqlStats(database).totals()

    await database.aclose()


async def test_the_embedded_file_is_ours_alone(tmp_path: Path) -> None:
    database = open_database("embedded", tmp_path / "data", timeout=1)
    await migrate(database)

    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "data").iterdir()}

    assert modes["history.sqlite3"] == 0o600
    assert set(modes.values()) == {0o600}
    await database.aclose()


async def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ValueError, match=r"service\.data_dir"):
        open_database("embedded", tmp_path / "file", timeout=1)


@pytest.mark.postgres
async def test_a_lock_that_somebody_holds_is_waited_for_no_longer_than_the_timeout(activity_databases: Find) -> None:
    url, directory = await asyncio.to_thread(activity_databases, "postgresql")
    one, other = open_database(url, directory, timeout=5), open_database(url, directory, timeout=0.5)
    keeper = SqlStatsKeeper(other, UTC)

    def hold(connection: Connection) -> float:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({AdvisoryLock.COUNTING.number})"))
        begun = time.monotonic()
        with pytest.raises(HistoryUnavailableError, match="locked by somebody else"):
            asyncio.run(keeper.reset())
        return time.monotonic() - begun

    assert await asyncio.to_thread(one.write_now, hold) < 3
    await one.aclose()
    await other.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgresql://host",
        "postgresql:///name",
        "postgresql://u:SEC@RET/PW@127.0.0.1/x",
        "postgresql://a b:x/:",
    ],
)
def test_a_url_that_would_show_parts_of_a_password_or_lacks_a_part_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match=r"database\.url is not understood") as told:
        open_database(url, tmp_path, timeout=1)

    assert "RET" not in str(told.value)
