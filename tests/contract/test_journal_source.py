"""What JournalSource promises: the log read in order, and trimmed behind what everybody has stored."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from app.application.ports.catalog import Behind, CatalogPlan, LogPage, LogPosition
from app.application.ports.history import JournalEntry, JournalSource
from app.application.ports.system import LiveStateUnavailableError
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind
from tests.contract.conftest import Backend, RedisBackend, sync, trim
from tests.support.builders import NOW, a_change, a_plan, a_zone
from tests.support.redis_server import RedisServer

NOWHERE = LogPosition(1, 0)


async def beginning(source: JournalSource, provider: str = "demo") -> LogPosition:
    head = await source.head(provider)
    assert head is not None
    return LogPosition(head.epoch, 0)


async def read(source: JournalSource, provider: str, after: LogPosition) -> LogPage[JournalEntry] | Behind:
    """Read one log alone."""
    return (await source.read({provider: after}))[provider]


async def read_all(source: JournalSource, after: LogPosition, provider: str = "demo") -> list[JournalEntry]:
    found: list[JournalEntry] = []
    more = True
    while more:
        page = await read(source, provider, after)
        assert not isinstance(page, Behind)
        assert page.end.sequence == after.sequence + len(page.entries)
        found += page.entries
        after, more = page.end, page.more
    return found


async def everything(source: JournalSource, provider: str = "demo") -> dict[PlanId, CatalogPlan]:
    return {plan.plan.plan_id: plan async for batch in source.everything(provider) for plan in batch}


async def test_a_provider_never_seen_has_no_log(backend: Backend):
    source = backend.journal_source()

    assert await source.head("demo") is None
    assert isinstance(await read(source, "demo", NOWHERE), Behind)
    assert await everything(source) == {}
    await source.stored({"demo": NOWHERE})


async def test_an_entry_tells_all_that_was_committed(backend: Backend):
    plan = a_plan(timezone="Europe/Madrid", zones=(a_zone(price="15.00"), a_zone(capacity=10**30)))
    gone = a_change(plan, ChangeKind.WITHDRAWN)
    change = a_change(plan, ChangeKind.RETURNED, ChangeKind.CHANGED)
    await sync(backend, change, gone)
    source = backend.journal_source()

    assert await read_all(source, await beginning(source)) == [
        JournalEntry("demo", change.plan_id, change.kinds, "run-1", NOW, change.known, plan),
        JournalEntry("demo", gone.plan_id, gone.kinds, "run-1", NOW, gone.known, None),
    ]


async def test_the_log_is_read_on_from_any_position_to_its_head(backend: Backend):
    plans = [a_plan(number) for number in range(730)]
    await sync(backend, *map(a_change, plans))
    source = backend.journal_source()
    start = await beginning(source)

    for after in (0, 1, 199, 729, 730):
        found = await read_all(source, LogPosition(start.epoch, after))
        assert [entry.plan_id for entry in found] == [plan.plan_id for plan in plans[after:]]
    head = await source.head("demo")
    assert head
    assert (head.epoch, head.sequence) == (start.epoch, 730)


async def test_one_read_is_a_transactions_worth_of_one_log_or_of_many(backend: Backend):
    names = [f"provider-{number}" for number in range(20)]
    await sync(backend, *(a_change(a_plan(number)) for number in range(1200)))
    for name in names:
        await sync(backend, *(a_change(a_plan(number, provider=name)) for number in range(60)), provider=name)
    source = backend.journal_source()

    alone = await read(source, "demo", await beginning(source))
    beginnings = {name: await beginning(source, name) for name in ("demo", *names)}
    together = await source.read({**beginnings, "nobody": NOWHERE})

    assert not isinstance(alone, Behind)
    assert 500 <= len(alone.entries) <= 1000
    assert isinstance(together["nobody"], Behind)
    pages = [together[name] for name in ("demo", *names)]
    sizes = [len(page.entries) for page in pages if not isinstance(page, Behind)]
    assert len(sizes) == 21
    assert min(sizes) > 20
    assert sum(sizes) <= 1000
    assert all(page.more for page in pages if not isinstance(page, Behind))


@pytest.mark.redis_server
async def test_of_large_plans_fewer_are_read_at_a_time(redis: RedisBackend):
    zones = tuple(a_zone(f"{number * 7919 % 99_991}", name=f"{number * 104_729 % 1_000_003}") for number in range(4000))
    await sync(redis, *(a_change(a_plan(number, zones=zones)) for number in range(120)))
    source = redis.journal_source()

    found = await read(source, "demo", await beginning(source))

    assert not isinstance(found, Behind)
    assert 20 <= len(found.entries) <= 60


async def test_what_does_not_lead_on_is_told(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(3)))
    source = backend.journal_source()
    epoch = (await beginning(source)).epoch

    assert await read_all(source, LogPosition(epoch, 3)) == []
    assert isinstance(await read(source, "demo", LogPosition(epoch, 4)), Behind)
    assert isinstance(await read(source, "demo", LogPosition(epoch + 1, 3)), Behind)
    assert isinstance(await read(source, "demo", LogPosition(epoch - 1, 2)), Behind)
    backend.lose_everything()
    assert isinstance(await read(source, "demo", LogPosition(epoch, 3)), Behind)
    await sync(backend, *(a_change(a_plan(number)) for number in range(5)))
    assert isinstance(await read(source, "demo", LogPosition(epoch, 3)), Behind)


async def test_another_entry_at_the_same_place_is_noticed_and_a_cut_told_from_it(backend: Backend):
    await sync(backend, a_change(a_plan(1)))
    set_back = backend.copied()
    await sync(backend, a_change(a_plan(2)))
    source = backend.journal_source(log_kept=10)
    lost = await source.head("demo")
    assert lost
    set_back()
    shorter = await read(source, "demo", lost)
    await sync(backend, *(a_change(a_plan(f"new {number}")) for number in range(1200)))

    longer = await read(source, "demo", lost)
    for behind in (shorter, longer):
        assert isinstance(behind, Behind)
        assert not behind.trimmed
        assert behind.oldest == LogPosition(lost.epoch, 0)
    await trim(backend, log_kept=10)
    cut = await read(source, "demo", LogPosition(lost.epoch, 2, "of which nobody can tell any more"))
    assert isinstance(cut, Behind)
    assert cut.trimmed
    assert cut.oldest is not None
    assert cut.oldest.sequence > 1000
    assert [entry.run_id for entry in await read_all(source, cut.oldest)] != []


async def test_the_entry_that_a_position_names_is_kept(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    source = backend.journal_source(log_kept=1)
    page = await read(source, "demo", await beginning(source))
    assert not isinstance(page, Behind)

    await source.stored({"demo": page.end})
    await trim(backend, log_kept=1)

    head = await source.head("demo")
    assert head
    assert head.entry
    assert await read_all(source, head) == []


async def test_the_state_of_every_plan_is_handed_out_withdrawn_and_offline_ones_too(backend: Backend):
    plans = [a_plan(number, sell_mode=("online", "offline")[number % 2]) for number in range(1100)]
    await sync(backend, *map(a_change, plans))
    gone = [a_change(plan, "withdrawn") for plan in plans[:10]]
    await sync(backend, *gone)
    known = {plan.plan_id: a_change(plan).known for plan in plans}
    known |= {change.plan_id: change.known for change in gone}

    found = await everything(backend.journal_source())

    assert found == {plan.plan_id: CatalogPlan(plan, known[plan.plan_id]) for plan in plans}


async def test_a_commit_alone_trims_nothing(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    source = backend.journal_source(log_kept=10)

    assert len(await read_all(source, await beginning(source))) == 1500


async def test_what_is_stored_is_trimmed_but_for_the_newest_entries(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    source = backend.journal_source(log_kept=200)
    start = await beginning(source)

    await trim(backend, log_kept=200)

    assert isinstance(await read(source, "demo", LogPosition(start.epoch, 900)), Behind)
    assert len(await read_all(source, LogPosition(start.epoch, 1300))) == 200


async def test_what_is_not_stored_is_never_trimmed(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    source = backend.journal_source(log_kept=10)
    start = await beginning(source)

    for stored in (0, 1, 100, 700, 701, 1400):
        await source.stored({"demo": LogPosition(start.epoch, stored)})

        assert len(await read_all(source, LogPosition(start.epoch, stored))) == 1500 - stored


async def test_the_slowest_of_those_who_store_decides(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    journal = backend.journal_source(log_kept=10)
    webhooks = backend.journal_source(consumer="webhooks", log_kept=10)
    start = await beginning(journal)

    await webhooks.stored({"demo": LogPosition(start.epoch, 300)})
    await journal.stored({"demo": LogPosition(start.epoch, 1500)})
    assert len(await read_all(webhooks, LogPosition(start.epoch, 300))) == 1200

    await webhooks.stored({"demo": LogPosition(start.epoch, 1500)})
    assert isinstance(await read(webhooks, "demo", LogPosition(start.epoch, 300)), Behind)


async def test_who_stored_another_log_has_stored_nothing_of_this_one(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    journal = backend.journal_source(log_kept=10)
    webhooks = backend.journal_source(consumer="webhooks", log_kept=10)
    start = await beginning(journal)

    await webhooks.stored({"demo": LogPosition(start.epoch + 1, 1500)})
    await journal.stored({"demo": LogPosition(start.epoch, 1500)})

    assert len(await read_all(journal, start)) == 1500


async def test_each_provider_has_a_log_of_its_own(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(1500)))
    await sync(backend, a_change(a_plan(provider="other")), provider="other")
    source = backend.journal_source(log_kept=10)
    other = await beginning(source, "other")

    await trim(backend, log_kept=10)

    assert len(await read_all(source, other, "other")) == 1
    assert len(await everything(source, "other")) == 1


async def test_reading_beside_a_sync_sees_no_gap(backend: Backend):
    await sync(backend, a_change(a_plan("first")))
    source = backend.journal_source(log_kept=10)
    start = await beginning(source)
    writing = asyncio.create_task(sync(backend, *(a_change(a_plan(number)) for number in range(1000))))
    found = 0

    while not writing.done() or found < 1001:
        page = await read(source, "demo", LogPosition(start.epoch, found))
        assert not isinstance(page, Behind)
        found += len(page.entries)
        await source.stored({"demo": LogPosition(start.epoch, found)})
        await asyncio.sleep(0)

    assert found == 1001


@pytest.mark.redis_server
async def test_a_full_server_is_given_room_by_what_is_stored(server: RedisServer, redis: RedisBackend):
    await sync(redis, *(a_change(a_plan(number)) for number in range(1500)))
    with server.client() as operator:
        operator.config_set("maxmemory", 1)

        await trim(redis, log_kept=10)

        assert operator.xlen("marquee:1:{p:demo}:log") < 300
        operator.config_set("maxmemory", 0)


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_a_server_that_stopped_or_fell_silent_is_told_soon(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    break_it(server)

    for attempt in _each_method(redis.journal_source()):
        begun = time.monotonic()
        with pytest.raises(LiveStateUnavailableError):
            await attempt
        assert time.monotonic() - begun < 3


def _each_method(source: JournalSource) -> Iterator[Awaitable[object]]:
    yield source.head("demo")
    yield source.read({"demo": NOWHERE})
    yield everything(source)
    yield source.stored({"demo": NOWHERE})
