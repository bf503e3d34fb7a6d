"""Redis that loses everything: the journal in a database brings all of it back, and who follows the log hears of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from app.application.restore_catalog import Restoration
from app.domain.time_window import TimeWindow
from tests.support.builders import a_plan
from tests.support.history_backends import HistoryBackend, SqlHistory, postgres_history, sqlite_history
from tests.support.redis_server import RedisServer, redis_server_binary
from tests.support.restore_world import RestoreWorld, a_few_syncs, lose_redis
from tests.support.search_index import tag_of
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.redis_server,
    pytest.mark.skipif(redis_server_binary() is None, reason="needs a Valkey or Redis server"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with sqlite_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with postgres_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@pytest.fixture(params=["sqlite", "postgresql"])
async def installation(request: pytest.FixtureRequest, server: RedisServer) -> AsyncIterator[RestoreWorld]:
    history: HistoryBackend = request.getfixturevalue(request.param)
    history.clear()
    lose_redis(server)
    made = RestoreWorld(server, history)
    yield made
    await made.aclose()


async def test_an_emptied_redis_has_every_plan_again_past_ones_included(installation: RestoreWorld) -> None:
    await a_few_syncs(installation)
    before = await installation.everything()
    assert sum(not plan.known.in_feed for plan in before.values()) == 450

    lose_redis(installation.server)
    done = await installation.restore()

    assert done == [Restoration("demo", restored=650, present=0)]
    assert await installation.everything() == before
    assert await installation.restore.if_lost() == []
    report = await installation.sync_with(*(a_plan(number, title="new") for number in range(100, 200)))
    assert dict(report.changes) == {"withdrawn": 100}


async def test_an_api_process_started_after_it_finds_all_and_one_that_ran_is_told(installation: RestoreWorld) -> None:
    await a_few_syncs(installation)
    async with installation.an_api_process() as old:
        await eventually(lambda: old.size == 600)

        lose_redis(installation.server)
        async with installation.an_api_process() as young:
            await eventually(lambda: young.ready)
            assert young.size == 0
            await installation.restore.if_lost()

            await eventually(lambda: young.size == 600)
            assert tag_of(young) == tag_of(old)
            assert young.find(TimeWindow()) == old.find(TimeWindow())


async def test_under_a_running_service_the_journal_notices_by_itself_and_repeats_nothing(
    installation: RestoreWorld,
) -> None:
    await a_few_syncs(installation)
    before = await installation.everything()
    journal = installation.history.plan_journal()

    lose_redis(installation.server)
    await installation.journal_changes()

    assert await installation.everything() == before
    assert installation.restored == [Restoration("demo", restored=650, present=0)]
    states = await journal.states(a_plan(0).key.plan_id, 10)
    assert [state.kinds for state in states] == [("withdrawn",), ("listed",)]
    assert await journal.positions() == {"demo": await installation.source.head("demo")}
    assert await installation.journal_changes() == 0


async def test_a_sync_between_the_loss_and_the_journal_costs_no_plan(installation: RestoreWorld) -> None:
    await a_few_syncs(installation)

    lose_redis(installation.server)
    await installation.sync_with(*(a_plan(number, sell_mode="offline", title="x") for number in range(200, 250)))
    await installation.journal_changes()

    async with installation.an_api_process() as young:
        await eventually(lambda: young.size == 600)
        assert sum(plan.title == "x" for plan in young.find(TimeWindow())) == 50


async def test_what_is_journaled_is_trimmed_and_the_history_is_whole(installation: RestoreWorld) -> None:
    for number in range(8):
        await installation.sync_with(*(a_plan(item, title=f"{number}") for item in range(150)))
        await installation.journal_changes()

    with installation.server.client() as operator:
        assert 10 <= operator.xlen("marquee:1:{p:demo}:log") < 10 + 200
    states = await installation.history.plan_journal().states(a_plan(149).key.plan_id, 100)
    assert [state.found.plan.title for state in states] == list("76543210")


async def test_several_journals_at_once_write_each_change_once(installation: RestoreWorld, server: RedisServer) -> None:
    others = [RestoreWorld(server, installation.history) for _ in range(3)]
    everybody = [installation, *others]
    for number in range(4):
        await installation.sync_with(*(a_plan(item, title=f"{number}") for item in range(300)))
        await asyncio.gather(*(one.journal_changes() for one in everybody))
    await installation.journal_changes()

    journal = installation.history.plan_journal()
    for item in (0, 150, 299):
        states = await journal.states(a_plan(item).key.plan_id, 100)
        assert [state.found.plan.title for state in states] == list("3210")
    for other in others:
        await other.aclose()
