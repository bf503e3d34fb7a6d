"""Activities are counted by values, of which so many are told apart: over SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.period_stats import SqlPeriodStats
from app.adapters.outbound.sql.schema import stats_counted
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.period_stats import DimensionQuestion, FigureIncompleteError
from app.domain.activities import Activity
from app.domain.dimensions import DimensionTotals
from app.domain.stats import Granularity
from app.domain.usual_rollups import ROLLUPS
from tests.support.activity_backends import ActivityBackend, SqlActivityBackend, by_definition, figures
from tests.support.builders import an_activity

DAY = date(2026, 1, 5)
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
SOURCE = DimensionQuestion("source", DAY, DAY)


def sold(number: int, source: str | None, properties: str | None = None) -> Activity:
    return an_activity(number, type_="buy", at=AT, value="2.50", properties=properties)._replace(source=source)


@pytest.fixture
def sql(activity_sql: SqlActivityBackend) -> SqlActivityBackend:
    return activity_sql


class Bounded:
    """A store with room for two values of each dimension."""

    def __init__(self, sql: SqlActivityBackend, *dimensions: str, most: int = 2) -> None:
        self.sql = sql
        self.rollups = (*ROLLUPS, DimensionTotals(dimensions or ("source",), most))
        self.keeper = SqlStatsKeeper(sql.database, UTC, rollups=self.rollups)
        self.periods = SqlPeriodStats(sql.database)

    def store(self) -> SqlActivityStore:
        return SqlActivityStore(self.sql.database, UTC, rollups=self.rollups)

    async def counts(self, asked: DimensionQuestion = SOURCE) -> dict[str | None, int]:
        rows = await self.periods.by_value(asked, 1_000)
        return {"(others)" if row.value.is_other else row.value.text: row.total[0] for row in rows}


async def test_values_are_counted_by_day_and_type(activity_backend: ActivityBackend) -> None:
    activities = [
        sold(1, "web", '{"page":"/","price":1.50}'),
        sold(2, "web", '{"page":"/plans"}'),
        sold(3, None, '{"page":null}'),
        an_activity(4, at=AT, properties='{"p\\u0061ge":"/"}'),
    ]

    await activity_backend.store().store(activities)

    assert await figures(activity_backend) == by_definition(activities)
    assert await activity_backend.keeper().verify() is None


async def test_what_finds_no_room_counts_together(sql: SqlActivityBackend) -> None:
    bounded = Bounded(sql)
    store = bounded.store()

    await store.store([sold(1, "a"), sold(2, "b"), sold(3, None)])
    await store.store([sold(4, "c"), sold(5, "a"), sold(6, "d")])
    await bounded.store().store([sold(7, "c")])

    assert await bounded.counts() == {"(others)": 3, "a": 2, "b": 1, None: 1}
    assert await bounded.keeper.verify() is None


async def test_a_rebuild_admits_the_most_frequent_values(sql: SqlActivityBackend) -> None:
    bounded = Bounded(sql, "properties.page")
    pages = DimensionQuestion("properties.page", DAY, DAY)
    store = bounded.store()
    await store.store([sold(number, "web", f'{{"page":"/{number}"}}') for number in range(4)])
    await store.store([sold(number, "web", '{"page":"/3"}') for number in range(10, 15)])
    assert await bounded.counts(pages) == {"(others)": 7, "/0": 1, "/1": 1}

    await bounded.keeper.rebuild()
    await store.store([sold(20, "web", '{"page":"/3"}'), sold(21, "web", '{"page":"/new"}')])

    assert await bounded.counts(pages) == {"/3": 7, "(others)": 3, "/0": 1}
    assert await bounded.keeper.verify() is None


async def test_several_workers_admit_no_more_than_there_is_room_for(sql: SqlActivityBackend) -> None:
    bounded = Bounded(sql, most=10)
    stores = [bounded.store() for _ in range(4)]

    async def work(which: int) -> None:
        for begin in range(0, 60, 5):
            some = [sold(which * 1_000 + number, f"source-{number}") for number in range(begin, begin + 5)]
            await stores[which].store(some)

    await asyncio.gather(*map(work, range(4)))

    counts = await bounded.counts()
    assert len(counts) == 11
    assert sum(counts.values()) == 4 * 60
    assert all(count == 4 for value, count in counts.items() if value != "(others)")
    assert await bounded.keeper.verify() is None


async def test_values_that_no_database_has_a_form_for_are_the_others(sql: SqlActivityBackend) -> None:
    bounded = Bounded(sql, "properties.page")
    pages = ["a\\u0000b", "\\ud800", "x" * 201]

    await bounded.store().store([sold(number, None, f'{{"page":"{page}"}}') for number, page in enumerate(pages)])

    assert await bounded.counts(DimensionQuestion("properties.page", DAY, DAY)) == {"(others)": 3}
    assert await bounded.keeper.verify() is None


async def test_a_dimension_that_is_configured_later_is_said_to_be_incomplete(sql: SqlActivityBackend) -> None:
    before, after = Bounded(sql), Bounded(sql, "source", "properties.page")
    pages = DimensionQuestion("properties.page", DAY, DAY)
    await before.store().store([sold(1, "web", '{"page":"/"}')])
    assert await before.keeper.trouble() is None

    await after.store().store([sold(2, "web", '{"page":"/"}')])

    assert "dimension_totals; run `marquee stats rebuild`" in (await after.keeper.trouble() or "")
    assert await after.counts() == {"web": 2}
    with pytest.raises(FigureIncompleteError, match=r"properties\.page does not count all activities"):
        await after.counts(pages)
    await after.keeper.rebuild()
    assert await after.keeper.trouble() is None
    assert await after.counts(pages) == {"/": 2}
    assert await before.keeper.trouble() is None


async def test_figures_that_an_upgrade_adds_are_said_to_be_incomplete(sql: SqlActivityBackend) -> None:
    bounded = Bounded(sql)
    await bounded.store().store([sold(1, "web")])
    await sql.database.write(lambda connection: connection.execute(update(stats_counted).values(figures="{}")))

    assert "hourly_totals" in (await bounded.keeper.trouble() or "")
    for question in (
        bounded.periods.hours([0], "buy"),
        bounded.periods.active(Granularity.MONTH, 0, 1),
        sql.stats().cells(Granularity.MONTH, 0, 1, 1),
        bounded.periods.users_between(0, 1, "buy"),
    ):
        with pytest.raises(FigureIncompleteError):
            await question
    await bounded.keeper.reset()
    assert await bounded.keeper.trouble() is None
    assert await bounded.counts() == {}
