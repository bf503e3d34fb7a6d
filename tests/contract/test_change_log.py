"""What ChangeLog promises."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest

from app.application.ports.catalog import Behind, ChangeLog, LeaseLostError, LoggedChange, LogPosition
from app.application.ports.system import LiveStateUnavailableError
from app.domain.plans import PlanId, SearchablePlan, searchable
from app.domain.reconciliation import ChangeKind
from tests.contract.conftest import Backend, Follower, RedisBackend, commit, entries, follow, news, sync, trim
from tests.support.builders import NOW, a_change, a_plan, a_zone
from tests.support.redis_server import RedisServer


def following(backend: Backend, provider: str = "demo") -> Any:
    """Follow, and stop following at the end of the block."""
    return aclosing(follow(backend.change_log(), provider))


async def everything_searchable(log: ChangeLog, provider: str = "demo") -> dict[PlanId, SearchablePlan]:
    return {plan.summary.plan_id: plan async for batch in log.searchable(provider) for plan in batch}


async def test_the_first_item_is_empty_and_what_was_before_it_is_not_told(backend: Backend):
    await sync(backend, a_change(a_plan(1)))

    async with following(backend) as follower:
        assert list(await anext(follower)) == []
        await sync(backend, a_change(a_plan(2)))

        assert [entry.plan_id for entry in await entries(follower, 1)] == [a_plan(2).plan_id]


async def test_a_change_is_told_within_a_second_with_all_that_search_needs(backend: Backend):
    plan = a_plan(timezone="Europe/Madrid", zones=(a_zone(price="15.00"), a_zone(price="20.10")))
    async with following(backend) as follower:
        await anext(follower)

        await sync(backend, a_change(plan, ChangeKind.RETURNED, ChangeKind.CHANGED))

        assert await entries(follower, 1) == [
            LoggedChange(
                provider="demo",
                sequence=1,
                plan_id=plan.plan_id,
                kinds=(ChangeKind.RETURNED, ChangeKind.CHANGED),
                run_id="run-1",
                at=NOW,
                searchable=searchable(plan),
            )
        ]


async def test_changes_are_told_in_their_order_and_numbered_without_gaps(backend: Backend):
    plans = [a_plan(number) for number in range(700)]
    async with following(backend) as follower:
        await anext(follower)

        await sync(backend, *(a_change(plan) for plan in plans[:300]))
        await sync(backend, *(a_change(plan) for plan in plans[300:]))

        told = await entries(follower, 700)
        assert [entry.plan_id for entry in told] == [plan.plan_id for plan in plans]
        assert [entry.sequence for entry in told] == list(range(1, 701))


async def test_changes_are_logged_in_the_order_they_were_staged_without_those_not_chosen(backend: Backend):
    async with following(backend) as follower, backend.leases().hold("demo") as lease:
        await anext(follower)
        changes = [a_change(a_plan(number), *("withdrawn", "changed")[number % 2 :]) for number in range(6)]

        await commit(backend.plan_catalog(), lease, *changes, kinds=[ChangeKind.WITHDRAWN])

        told = await entries(follower, 3)
        assert [entry.plan_id for entry in told] == [change.plan_id for change in changes[::2]]
        assert [entry.sequence for entry in told] == [1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [
        a_change(a_plan(), ChangeKind.WITHDRAWN),
        a_change(a_plan(sell_mode="offline")),
    ],
    ids=["withdrawn", "never online"],
)
async def test_a_change_that_does_not_touch_search_says_nothing_to_it(backend: Backend, change: Any):
    async with following(backend) as follower:
        await anext(follower)

        await sync(backend, change)

        assert [entry.searchable for entry in await entries(follower, 1)] == [None]
        assert await everything_searchable(backend.change_log()) == {}


async def test_a_plan_that_was_online_once_is_searchable_with_its_latest_values(backend: Backend):
    offline = a_plan(title="later", sell_mode="offline")

    await sync(backend, a_change(a_plan(title="first")))
    await sync(backend, a_change(offline, ChangeKind.WENT_OFFLINE, seen_online=True))
    await sync(backend, a_change(offline, ChangeKind.WITHDRAWN, seen_online=True))

    assert await everything_searchable(backend.change_log()) == {offline.key.plan_id: searchable(offline)}


async def test_all_searchable_plans_are_handed_out(backend: Backend):
    plans = {plan.plan_id: searchable(plan) for plan in (a_plan(number) for number in range(2500))}
    await sync(backend, *(a_change(a_plan(number)) for number in range(2500)))

    assert await everything_searchable(backend.change_log()) == plans
    assert await everything_searchable(backend.change_log(), "other") == {}


async def test_each_provider_has_a_log_of_its_own(backend: Backend):
    async with following(backend) as demo, following(backend, "other") as other:
        await anext(demo)
        await anext(other)

        await sync(backend, a_change(a_plan(provider="other")), provider="other")
        await sync(backend, a_change(a_plan()))

        assert [(entry.provider, entry.sequence) for entry in await entries(demo, 1)] == [("demo", 1)]
        assert [(entry.provider, entry.sequence) for entry in await entries(other, 1)] == [("other", 1)]


async def test_every_follower_is_told_everything(backend: Backend):
    async with following(backend) as one, following(backend) as two:
        await anext(one)
        await anext(two)
        reading = [asyncio.create_task(entries(follower, 3)) for follower in (one, two)]

        for number in range(3):
            await sync(backend, a_change(a_plan(number)))

        assert [[entry.sequence for entry in told] for told in await asyncio.gather(*reading)] == [[1, 2, 3]] * 2


async def test_a_silent_log_gives_a_sign_of_life(backend: Backend):
    async with following(backend) as follower:
        async with asyncio.timeout(10):
            items = [await anext(follower) for _ in range(4)]

        assert all(list(item) == [] for item in items)


async def test_a_refused_commit_is_not_told(backend: Backend):
    async with following(backend) as follower:
        await anext(follower)
        async with backend.leases().hold("demo") as old:
            pass
        async with backend.leases().hold("demo") as new:
            with pytest.raises(LeaseLostError):
                await commit(backend.plan_catalog(), old, a_change(a_plan(1)))
            await commit(backend.plan_catalog(), new, a_change(a_plan(2)))

        assert [entry.plan_id for entry in await entries(follower, 1)] == [a_plan(2).plan_id]


async def _lost(backend: Backend) -> None:
    backend.lose_everything()


async def _lost_and_refilled_less(backend: Backend) -> None:
    backend.lose_everything()
    await sync(backend, a_change(a_plan(1)))


async def _lost_and_refilled_as_far(backend: Backend) -> None:
    backend.lose_everything()
    await sync(backend, *(a_change(a_plan(number)) for number in range(3)))


async def _lost_and_refilled_further(backend: Backend) -> None:
    backend.lose_everything()
    await sync(backend, *(a_change(a_plan(number)) for number in range(9)))


async def _trimmed_past(backend: Backend) -> None:
    await sync(backend, *(a_change(a_plan(number)) for number in range(1200)))
    await trim(backend, log_kept=10)


@pytest.mark.parametrize(
    "happens", [_lost, _lost_and_refilled_less, _lost_and_refilled_as_far, _lost_and_refilled_further, _trimmed_past]
)
@pytest.mark.parametrize("again", range(3))  # the epochs of a log that was replaced are random: greater or smaller
async def test_a_follower_that_may_have_missed_something_is_told_so_once_and_goes_on(
    backend: Backend, happens: Callable[[Backend], Any], again: int
):
    await sync(backend, *(a_change(a_plan(number)) for number in range(3)))
    async with following(backend) as follower:
        await anext(follower)

        await happens(backend)

        assert isinstance(await news(follower), Behind)
        known = await backend.plan_catalog().known("demo")
        assert len(await everything_searchable(backend.change_log())) == len(known)
        await sync(backend, a_change(a_plan(f"next {again}")))
        assert [entry.plan_id for entry in await entries(follower, 1)] == [a_plan(f"next {again}").plan_id]


async def test_a_log_that_was_set_back_and_went_on_is_noticed(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(3)))
    set_back = backend.copied()
    async with following(backend) as follower:
        await anext(follower)
        await sync(backend, *(a_change(a_plan(f"lost {number}")) for number in range(2)))
        await entries(follower, 2)

        set_back()
        await sync(backend, *(a_change(a_plan(f"new {number}")) for number in range(4)))

        assert isinstance(await news(follower), Behind)
        await sync(backend, a_change(a_plan("next")))
        assert a_plan("next").plan_id in [entry.plan_id for entry in await entries(follower, 1)]


async def test_a_position_reads_on_unless_another_entry_stands_there(backend: Backend):
    await sync(backend, a_change(a_plan(1)))
    set_back = backend.copied()
    await sync(backend, a_change(a_plan(2)))
    log = backend.change_log()
    lost = (await anext(log.heads()))["demo"]
    assert lost
    set_back()
    await sync(backend, a_change(a_plan(3)))
    now = (await anext(log.heads()))["demo"]
    assert now
    await sync(backend, a_change(a_plan(4)))

    assert (now.epoch, now.sequence) == (lost.epoch, lost.sequence)
    behind = (await log.read({"demo": lost}))["demo"]
    assert isinstance(behind, Behind)
    assert not behind.trimmed
    assert behind.head == (await anext(log.heads()))["demo"]
    for position in (now, LogPosition(now.epoch, now.sequence)):  # the second is one that nobody named an entry for
        page = (await log.read({"demo": position}))["demo"]
        assert not isinstance(page, Behind)
        assert [entry.plan_id for entry in page.entries] == [a_plan(4).plan_id]
        assert (page.end, page.more) == (behind.head, False)


async def test_the_heads_of_all_are_told_first_and_then_those_that_moved(backend: Backend):
    names = [f"provider {number}" for number in range(130)]
    for name in names:
        await sync(backend, a_change(a_plan(provider=name)), provider=name)
    watch = backend.change_log().heads()

    assert sorted(await anext(watch)) == sorted(names)
    await sync(backend, a_change(a_plan(2, provider="provider 7")), provider="provider 7")
    await sync(backend, a_change(a_plan(provider="new")), provider="new")
    moved: set[str] = set()
    async with asyncio.timeout(5):
        while moved != {"provider 7", "new"}:
            moved |= (await anext(watch)).keys()
            assert moved <= {"provider 7", "new"}
    backend.lose_everything()
    gone: set[str] = set()
    async with asyncio.timeout(10):
        while gone != {*names, "new"}:
            told = await anext(watch)
            gone |= told.keys()
            assert set(told.values()) <= {None}
    await watch.aclose()  # type: ignore[attr-defined] # the adapters' iterators are generators


@pytest.mark.redis_server
async def test_news_that_got_lost_are_made_up_for(server: RedisServer, redis: RedisBackend):
    for number in range(250):
        await sync(redis, a_change(a_plan(provider=f"{number}")), provider=f"{number}")
    watch = redis.change_log().heads()
    await anext(watch)
    await sync(redis, a_change(a_plan(2, provider="249")), provider="249")
    with server.client() as operator:
        operator.delete("marquee:1:{news}:catalog")  # as if its writer had been killed before it told them

    async with asyncio.timeout(10):
        while "249" not in await anext(watch):
            pass
    await watch.aclose()  # type: ignore[attr-defined] # as above


async def test_a_plan_is_searchable_by_the_time_its_change_is_told(backend: Backend):
    async with following(backend) as follower:
        await anext(follower)
        writing = asyncio.create_task(sync(backend, *(a_change(a_plan(number)) for number in range(600))))

        told = await entries(follower, 1)

        found = await everything_searchable(backend.change_log())
        assert all(found[entry.plan_id] == entry.searchable for entry in told)
        await writing


class Index:
    """What an API process does: follow, load, apply; after a failure the same again."""

    def __init__(self, log: ChangeLog) -> None:
        self._log = log
        self.plans: dict[PlanId, SearchablePlan] = {}
        self.failures = 0

    async def keep_fresh(self) -> None:
        while True:
            try:
                await self._follow()
            except LiveStateUnavailableError:
                self.failures += 1
                await asyncio.sleep(0.05)

    async def _follow(self) -> None:
        first = True
        async for item in follow(self._log):
            if first or isinstance(item, Behind):
                self.plans |= await everything_searchable(self._log)
            else:
                self.plans |= {entry.plan_id: entry.searchable for entry in item if entry.searchable}
            first = False


async def test_loading_after_the_first_item_misses_no_change(backend: Backend):
    indexes = [Index(backend.change_log()) for _ in range(5)]
    tasks: list[asyncio.Task[None]] = []
    for number in range(50):
        if number % 10 == 5:
            tasks.append(asyncio.create_task(indexes[len(tasks)].keep_fresh()))
        await sync(backend, a_change(a_plan(number)))

    wanted = {a_plan(number).plan_id for number in range(50)}
    await _until(lambda: all(set(index.plans) == wanted for index in indexes))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_follower_that_is_cancelled_at_any_moment_ends(backend: Backend):
    await backend.plan_catalog().providers()
    for moment in range(60):
        index = Index(backend.change_log())
        task = asyncio.create_task(index.keep_fresh())
        for _ in range(moment):
            await asyncio.sleep(0)

        task.cancel()

        await asyncio.wait([task], timeout=2)
        assert task.cancelled()


@pytest.mark.redis_server
async def test_nothing_is_missed_while_the_server_is_killed_and_restarted(server: RedisServer, redis: RedisBackend):
    index = Index(redis.change_log())
    task = asyncio.create_task(index.keep_fresh())
    written = []
    for number in range(30):
        if number in (10, 20):
            server.kill()
            await asyncio.sleep(0.1)
            await asyncio.to_thread(server.start)
        change = a_change(a_plan(number))
        with suppress(LiveStateUnavailableError):
            async with redis.leases(ttl=0.05).hold("demo") as lease:
                await commit(redis.plan_catalog(), lease, change)
                written.append(change.plan_id)

    await _until(lambda: set(index.plans) == set(written))
    assert index.failures >= 2
    assert len(written) >= 28
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_a_server_that_stopped_or_fell_silent_is_told_soon(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    async with following(redis) as follower:
        await anext(follower)
        break_it(server)
        begun = time.monotonic()

        with pytest.raises(LiveStateUnavailableError):
            await _for_ever(follower)
        assert time.monotonic() - begun < 3
    async with following(redis) as anew:
        with pytest.raises(LiveStateUnavailableError):
            await anext(anew)
    with pytest.raises(LiveStateUnavailableError):
        await everything_searchable(redis.change_log())
    assert time.monotonic() - begun < 6


@pytest.mark.redis_server
async def test_a_server_that_restarts_empty_unnoticed_is_noticed(server: RedisServer, redis: RedisBackend):
    await sync(redis, *(a_change(a_plan(number)) for number in range(3)))
    index = Index(redis.change_log())
    task = asyncio.create_task(index.keep_fresh())
    await _until(lambda: len(index.plans) == 3)

    await asyncio.to_thread(server.restart_empty)
    await sync(redis, a_change(a_plan("new")))

    await _until(lambda: a_plan("new").plan_id in index.plans)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.redis_server
async def test_a_stream_that_was_emptied_by_hand_is_noticed(server: RedisServer, redis: RedisBackend):
    async with following(redis) as follower:
        await anext(follower)
        await sync(redis, *(a_change(a_plan(number)) for number in range(3)))
        with server.client() as operator:
            operator.xtrim("marquee:1:{p:demo}:log", maxlen=0, approximate=False)

        assert isinstance(await news(follower), Behind)


@pytest.mark.redis_server
async def test_the_log_is_bounded_once_it_is_stored(server: RedisServer, redis: RedisBackend):
    await sync(redis, *(a_change(a_plan(number)) for number in range(1200)))
    with server.client() as operator:
        assert operator.xlen("marquee:1:{p:demo}:log") == 1200

        await trim(redis, log_kept=100)

        assert 100 <= operator.xlen("marquee:1:{p:demo}:log") < 300


async def _for_ever(follower: Follower) -> None:
    async for _ in follower:
        pass


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 -- what is waited for lies outside of this process
            await asyncio.sleep(0.02)
