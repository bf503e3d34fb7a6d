"""Delivering in a worker process: each endpoint for itself, through whatever is away, until it is told to end."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from structlog.testing import capture_logs

from app.adapters.inbound.worker.leased_loop import BUG_PAUSE
from app.adapters.inbound.worker.webhook_loop import WebhookLoop
from app.application.ports.system import HistoryUnavailableError
from app.domain.backoff import Backoff
from app.domain.webhooks import Endpoint, EndpointId
from tests.fakes.leases import MemoryLeases
from tests.fakes.store import MemoryStore
from tests.fakes.webhook_deliveries import MemoryWebhookLog
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints
from tests.support.running_loops import running
from tests.support.waiting import eventually
from tests.support.webhook_world import WebhookWorld


class Unreadable(MemoryWebhookEndpoints):
    """An adapter with a bug that one row shows."""

    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        if endpoint_id == UUID(int=1):
            raise TypeError("a row that nobody can read")
        return await super().find(endpoint_id)


class Locked(MemoryWebhookEndpoints):
    """Somebody has locked the row of one for long."""

    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        if endpoint_id == UUID(int=1):
            raise HistoryUnavailableError("the database is locked by somebody else")
        return await super().find(endpoint_id)


class SlowlyUnreadable(Unreadable):
    """It takes longer than a term until the bug shows."""

    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        await asyncio.sleep(0.1)
        return await super().find(endpoint_id)


class SlowToBeFound(MemoryWebhookEndpoints):
    """As slow as a receiver that does not answer."""

    async def find(self, endpoint_id: EndpointId) -> Endpoint | None:
        if endpoint_id == UUID(int=1):
            await asyncio.sleep(3600)
        return await super().find(endpoint_id)


class Unprunable(MemoryWebhookLog):
    """A log with a bug that shows twice."""

    bugs = 2

    async def prune(self, before: datetime, limit: int) -> int:
        if self.bugs:
            self.bugs -= 1
            raise TypeError("a row that nobody can read")
        return await super().prune(before, limit)


class World(WebhookWorld):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.live = MemoryStore()

    def loop(
        self,
        *,
        term: float = 30.0,
        grace: float = 0.2,
        ttl: float = 0.3,
        now: Callable[[], float] | None = None,
    ) -> WebhookLoop:
        made = WebhookLoop(
            tell_activities=self.tell_activities,
            deliver=self.deliver,
            log=self.log,
            leases=MemoryLeases(self.live, ttl=ttl),
            keep=timedelta(days=30),
            interval=0.01,
            retry=Backoff(0.01, longest=10.0),
            term=term,
            grace=grace,
        )
        if now:
            made.now = now
        return made

    async def until_delivered(self, number: int = 1) -> None:
        async with asyncio.timeout(10):
            while set(await self.states(number)) != {"delivered"}:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.005)


async def test_what_is_due_is_delivered_soon_by_one_process_at_a_time() -> None:
    world = World()
    await world.with_endpoint()
    async with running(world.loop(), world.loop()):
        for _ in range(3):
            await world.tell("a", "b")
            await world.until_delivered()
        assert [lease.provider for lease in world.live.leases] == [WebhookLoop.lease]

    assert len(world.sender.ids) == len(set(world.sender.ids)) == 6


async def test_when_it_ends_another_takes_over() -> None:
    world = World()
    await world.with_endpoint()
    async with running(world.loop(), world.loop()) as (first, _):
        await world.tell("a")
        await world.until_delivered()
        first.cancel()
        await asyncio.wait([first], timeout=1)
        assert first.cancelled()
        await world.tell("a")
        await world.until_delivered()


async def test_an_endpoint_that_is_slow_does_not_hold_up_another() -> None:
    world = World()
    await world.with_endpoint(1)
    await world.with_endpoint(2)
    world.sender.takes = 3600
    async with running(world.loop()):
        await world.tell("a", to=1)
        await eventually(lambda: world.sender.sent)
        world.sender.takes = 0
        await world.tell("a", to=2)
        await world.until_delivered(2)

    assert await world.states(1) == ["pending"]


async def test_what_is_in_hand_may_end_when_the_process_is_to_end() -> None:
    world = World()
    await world.with_endpoint()
    await world.tell("a", "a")
    world.sender.takes = 0.1
    async with running(world.loop(grace=2)):
        await eventually(lambda: world.sender.sent)

    assert await world.states() == ["delivered", "pending"]


async def test_the_lease_is_given_back_after_a_while_between_two_batches() -> None:
    world = World()
    await world.with_endpoint()
    await world.tell(*["a"] * 50)
    world.sender.takes = 0.005
    fences: set[int] = set()
    async with running(world.loop(term=0.03)):
        async with asyncio.timeout(10):
            while set(await world.states()) != {"delivered"}:
                fences |= {lease.fence for lease in world.live.leases}
                await asyncio.sleep(0.005)

    assert len(fences) > 2
    assert world.sender.ids == [f"plan-{number}" for number in range(1, 51)]


async def test_stores_that_are_away_are_waited_for_and_told_once_and_their_return_too() -> None:
    world = World()
    await world.with_endpoint()
    with capture_logs() as lines:
        async with running(world.loop(term=0.05)) as (task,):
            for store in (world.live, world.store):
                store.unavailable = "gone"
                await asyncio.sleep(0.3)
                store.unavailable = None
                await world.tell("a")
                await world.until_delivered()
            assert not task.done()

    assert [line["log_level"] for line in lines] == ["warning", "info"] * 2


async def test_a_store_that_goes_away_in_the_middle_ends_the_round_and_loses_nothing() -> None:
    world = World()
    await world.with_endpoint()
    await world.tell("a", "b")

    def away() -> None:
        world.store.unavailable = "gone"

    world.sender.meanwhile = away
    async with running(world.loop()):
        await eventually(lambda: world.store.unavailable)
        world.sender.meanwhile = lambda: None
        await asyncio.sleep(0.05)
        world.store.unavailable = None
        await world.until_delivered()


async def test_a_bug_at_one_endpoint_leaves_it_alone_and_the_others_go_on() -> None:
    world = World(kept_in=Unreadable)
    await world.with_endpoint(1)
    await world.with_endpoint(2)
    ticks = [0.0]
    with capture_logs() as lines:
        async with running(world.loop(now=lambda: ticks[0])):
            await world.tell("a", to=1)
            for _ in range(3):
                await world.tell("a", to=2)
                await world.until_delivered(2)
                await asyncio.sleep(0.03)
            assert len(lines) == 1
            ticks[0] = BUG_PAUSE / 10
            await asyncio.sleep(0.03)
            assert len(lines) == 1

    assert lines[0]["log_level"] == "error"


async def test_an_endpoint_whose_row_is_locked_cuts_off_no_attempt_at_another() -> None:
    world = World(kept_in=Locked)
    await world.with_endpoint(1)
    await world.with_endpoint(2)
    world.sender.takes = 0.3
    await world.tell("a", to=1)
    await world.tell("a", to=2)
    async with running(world.loop(grace=0.01)):
        await world.until_delivered(2)

    assert len(world.sender.sent) == 1


async def test_a_bug_at_one_endpoint_that_shows_at_the_end_of_a_term_ends_nothing_either() -> None:
    world = World(kept_in=SlowlyUnreadable)
    await world.with_endpoint(1)
    await world.with_endpoint(2)
    await world.tell("a", to=1)
    with capture_logs() as lines:
        async with running(world.loop(term=0.03)) as (task,):
            await asyncio.sleep(0.3)
            await world.tell("a", to=2)
            await world.until_delivered(2)
            assert not task.done()

    assert [line["log_level"] for line in lines] == ["error"]


async def test_a_bug_of_the_round_itself_costs_a_rest_and_not_the_worker() -> None:
    world = World()
    await world.with_endpoint()
    loop = world.loop()
    loop.log, loop.bug_pause = Unprunable(world.store), 0.05
    with capture_logs() as lines:
        async with running(loop):
            await world.tell("a")
            await world.until_delivered()

    told = [(line["log_level"], line["event"]) for line in lines]
    assert told == [("error", WebhookLoop.waits)] * 2 + [("info", WebhookLoop.goes_on)]
    assert lines[0]["exc_info"] is True


async def test_one_that_is_slow_at_the_end_of_a_term_does_not_hold_up_the_others() -> None:
    world = World(kept_in=SlowToBeFound)
    await world.with_endpoint(1)
    await world.with_endpoint(2)
    await world.tell("a", to=1)
    async with running(world.loop(term=0.05, ttl=5)):
        await asyncio.sleep(0.2)  # well behind the end of the term, and the slow one goes on for long
        for _ in range(3):
            await world.tell("a", to=2)
            await world.until_delivered(2)

        assert await world.states(1) == ["pending"]
        assert [lease.fence for lease in world.live.leases] == [1]


async def test_what_ended_long_ago_is_forgotten() -> None:
    world = World()
    await world.with_endpoint()
    await world.tell("a", "b")
    await world.round()
    world.clock.move(31 * 86_400)
    await world.tell("c")

    async with running(world.loop()):
        await eventually(lambda: len(world.store.deliveries) == 1)
        await world.until_delivered()
