"""What PlanCatalog and CatalogUpdate promise."""

import asyncio
import json
import random
import time
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import available_timezones

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from app.adapters.formats.stored_plan import pack_plan, unpack_plan
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.plan_codec import pack_known, pack_searchable, unpack_known, unpack_searchable
from app.application.ports.catalog import CatalogPlan, LeaseLostError, ProviderState
from app.application.ports.providers import FeedMark
from app.application.ports.system import Lease, LiveStateUnavailableError
from app.domain.plans import (
    Place,
    Plan,
    PlanDetails,
    PlanKey,
    PlanStatus,
    SellMode,
    UtcOffsets,
    Zone,
    searchable,
)
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange
from tests.contract.conftest import ALL_KINDS, Backend, RedisBackend, commit, entries, follow, sync
from tests.support.builders import NOW, a_change, a_plan, a_zone
from tests.support.redis_server import RedisServer


async def test_nothing_is_known_of_a_provider_never_seen(backend: Backend):
    catalog = backend.plan_catalog()

    assert await catalog.providers() == []
    assert await catalog.state("demo") == ProviderState()
    assert await catalog.known("demo") == {}
    assert await catalog.find(a_plan().plan_id) is None


async def test_what_stands_of_some_plans_is_told_whether_search_finds_them_or_not(backend: Backend):
    online, offline = a_plan(1), a_plan(2, sell_mode="offline")
    await sync(backend, a_change(online), a_change(offline), a_change(a_plan(3)))

    found = await backend.plan_catalog().told("demo", [online.plan_id, offline.plan_id, a_plan(4).plan_id])

    assert found == {online.plan_id: searchable(online), offline.plan_id: searchable(offline)}
    assert await backend.plan_catalog().told("demo", []) == {}
    assert await backend.plan_catalog().told("other", [online.plan_id]) == {}


async def test_a_committed_plan_is_known_and_found_as_it_was(backend: Backend):
    plan = a_plan(zones=(a_zone("186", price="75.00"), a_zone("186", price="0.00", capacity=0)), organizer="2")
    change = a_change(plan)

    await sync(backend, change)

    catalog = backend.plan_catalog()
    assert await catalog.known("demo") == {plan.plan_id: change.known}
    assert await catalog.find(plan.plan_id) == CatalogPlan(plan, change.known)
    assert await catalog.providers() == ["demo"]


async def test_a_withdrawn_plan_keeps_its_last_state(backend: Backend):
    plan = a_plan()
    withdrawal = a_change(plan, ChangeKind.WITHDRAWN)

    await sync(backend, a_change(plan))
    await sync(backend, withdrawal)

    assert await backend.plan_catalog().find(plan.plan_id) == CatalogPlan(plan, withdrawal.known)


async def test_an_offline_plan_is_kept_as_well(backend: Backend):
    plan = a_plan(sell_mode="offline")

    await sync(backend, a_change(plan))

    found = await backend.plan_catalog().find(plan.plan_id)
    assert found is not None
    assert found.plan == plan


async def test_what_is_staged_is_visible_to_nobody(backend: Backend):
    catalog = backend.plan_catalog()
    async with backend.leases().hold("demo") as lease:
        update = catalog.update(lease, "run-1", NOW)

        await update.stage([a_change()])

        assert await catalog.known("demo") == {}
        await update.aclose()
        await update.aclose()
    assert await catalog.known("demo") == {}
    assert await catalog.providers() == []


async def test_only_changes_of_the_chosen_kinds_are_written(backend: Backend):
    listed, changed = a_change(a_plan(1)), a_change(a_plan(2), ChangeKind.CHANGED, ChangeKind.WENT_OFFLINE)
    withdrawn = a_change(a_plan(3), ChangeKind.WITHDRAWN)

    async with backend.leases().hold("demo") as lease:
        await commit(
            backend.plan_catalog(),
            lease,
            listed,
            changed,
            withdrawn,
            kinds=[ChangeKind.LISTED, ChangeKind.WENT_OFFLINE],
        )

    assert set(await backend.plan_catalog().known("demo")) == {listed.plan_id, changed.plan_id}


async def test_no_kinds_write_nothing(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        await commit(backend.plan_catalog(), lease, a_change(), kinds=[])

    assert await backend.plan_catalog().known("demo") == {}


async def test_a_commit_forgets_what_was_staged(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        update = backend.plan_catalog().update(lease, "run-1", NOW)
        await update.stage([a_change(a_plan(1)), a_change(a_plan(2), ChangeKind.WITHDRAWN)])
        await update.commit([ChangeKind.LISTED])
        await update.commit(ALL_KINDS)
        await update.stage([a_change(a_plan(3))])
        await update.commit(ALL_KINDS)
        await update.aclose()

    assert set(await backend.plan_catalog().known("demo")) == {a_plan(1).plan_id, a_plan(3).plan_id}


async def test_more_changes_than_one_batch_holds_are_all_written(backend: Backend):
    many_zones = tuple(a_zone(str(number)) for number in range(60))
    changes = [a_change(a_plan(number, zones=many_zones)) for number in range(450)]

    await sync(backend, *changes)

    known = await backend.plan_catalog().known("demo")
    assert known == {change.plan_id: change.known for change in changes}


async def test_plans_are_counted_by_provider_each_once(backend: Backend):
    await sync(backend, *(a_change(a_plan(number)) for number in range(3)))
    await sync(backend, a_change(a_plan(1), ChangeKind.WITHDRAWN), a_change(a_plan(2, title="new"), ChangeKind.CHANGED))

    assert await backend.plan_catalog().counts(["demo", "other"]) == [3, 0]


def with_offsets_of(change: PlanChange, starts: int, ends: int, *, rules: str) -> PlanChange:
    return replace(change, known=replace(change.known, offsets=UtcOffsets(starts, ends, rules)))


async def test_everything_is_handed_out_with_the_offsets_that_it_was_written_with(backend: Backend):
    told = with_offsets_of(a_change(a_plan(1)), -7200, -3600, rules="2025b")
    draft = with_offsets_of(a_change(a_plan(2, sell_mode="offline")), 3600, 3600, rules="2026a")
    older = a_change(a_plan(3, timezone="Europe/Madrid"))  # as it was written before offsets were noted
    unknown = a_change(a_plan(4, sell_mode="offline"))
    await sync(backend, told, draft, older, unknown)
    await sync(backend, with_offsets_of(a_change(a_plan(1), ChangeKind.WITHDRAWN), -7200, -3600, rules="2025b"))

    batches = [batch async for batch in backend.plan_catalog().everything("demo")]

    found = {plan.plan.key.item_id: plan for batch in batches for plan in batch}
    assert {item: plan.known.offsets for item, plan in found.items()} == {
        "1": UtcOffsets(-7200, -3600, "2025b"),
        "2": UtcOffsets(3600, 3600, "2026a"),
        "3": UtcOffsets(7200, 7200, ""),
        "4": None,
    }
    assert not found["1"].known.in_feed
    assert [batch async for batch in backend.plan_catalog().everything("other") if batch] == []


async def test_search_is_told_the_instants_of_the_offsets_and_not_those_of_this_process(backend: Backend):
    change = with_offsets_of(a_change(a_plan(starts="21:00", ends="22:00")), -7200, -3600, rules="2025b")

    await sync(backend, change)

    [[found]] = [batch async for batch in backend.change_log().searchable("demo") if batch]
    assert [found.starts_at.hour, found.ends_at.hour] == [23, 23]


async def test_which_rules_a_provider_follows_is_remembered(backend: Backend):
    state = ProviderState(newest_rules="2026f", settled_rules="2026a")
    async with backend.leases().hold("demo") as lease:
        await backend.plan_catalog().remember(lease, state)

    assert await backend.plan_catalog().state("demo") == state


async def test_an_older_lease_cannot_commit(backend: Backend):
    catalog = backend.plan_catalog()
    before, after = a_change(a_plan(title="new")), a_change(a_plan(title="old"), ChangeKind.CHANGED)
    async with backend.leases().hold("demo") as old:
        update = catalog.update(old, "run-1", NOW)
        await update.stage([after])
    async with backend.leases().hold("demo") as new:
        await commit(catalog, new, before)
        follower = follow(backend.change_log())
        await anext(follower)

        with pytest.raises(LeaseLostError):
            await update.commit(ALL_KINDS)

        await commit(catalog, new, a_change(a_plan(2)))
        assert [entry.sequence for entry in await entries(follower, 1)] == [2]
        found = await catalog.find(after.plan_id)
        assert found is not None
        assert found.plan.title == "new"
        await update.aclose()
        await follower.aclose()  # type: ignore[attr-defined] # the adapters' iterators are generators


async def test_a_refused_commit_names_no_provider(backend: Backend):
    with pytest.raises(LeaseLostError):
        await commit(backend.plan_catalog(), Lease("demo", 7), a_change())

    assert await backend.plan_catalog().providers() == []


async def test_an_older_lease_cannot_remember(backend: Backend):
    catalog = backend.plan_catalog()
    async with backend.leases().hold("demo") as old:
        await catalog.remember(old, ProviderState(proposed="old"))
    async with backend.leases().hold("demo"):
        with pytest.raises(LeaseLostError):
            await catalog.remember(old, ProviderState(proposed="late"))

    assert await catalog.state("demo") == ProviderState(proposed="old")


async def test_a_lease_from_before_everything_was_lost_cannot_write(backend: Backend):
    catalog = backend.plan_catalog()
    async with backend.leases().hold("demo") as old:
        backend.lose_everything()
        with pytest.raises(LeaseLostError):
            await commit(catalog, old, a_change())

        async with backend.leases().hold("demo"):
            with pytest.raises(LeaseLostError):
                await commit(catalog, old, a_change())


async def test_the_state_is_remembered_and_replaced_whole(backend: Backend):
    catalog = backend.plan_catalog()
    state = ProviderState(FeedMark('W/"é"', "Mon, 05 Jan 2026 12:00:00 GMT", "abc"), NOW, "signature", full_at=NOW)

    async with backend.leases().hold("demo") as lease:
        await catalog.remember(lease, state)
        assert await catalog.state("demo") == state
        await catalog.remember(lease, ProviderState())

    assert await catalog.state("demo") == ProviderState()


async def test_providers_are_apart_and_sorted_whatever_their_names(backend: Backend):
    names = ["zoo", "a}b{c:known", "ünïcode 🎭", "demo"]
    for name in names:
        await sync(backend, a_change(a_plan(provider=name, title=name)), provider=name)

    catalog = backend.plan_catalog()
    assert await catalog.providers() == sorted(names)
    for name in names:
        plan_id = a_plan(provider=name).plan_id
        found = await catalog.find(plan_id)
        assert set(await catalog.known(name)) == {plan_id}
        assert found is not None
        assert found.plan.title == name


async def test_a_number_beyond_64_bits_costs_nobody_the_sync(backend: Backend):
    plan = a_plan(zones=(a_zone(capacity=10**30),))

    await sync(backend, a_change(plan))

    found = await backend.plan_catalog().find(plan.plan_id)
    assert found is not None
    assert found.plan == plan


# What only Redis can do wrong


async def _each_method_fails(redis: RedisBackend) -> list[str]:
    catalog = redis.plan_catalog()
    lease = Lease("demo", 1)
    messages = []
    for attempt in (
        catalog.providers,
        lambda: catalog.state("demo"),
        lambda: catalog.remember(lease, ProviderState()),
        lambda: catalog.known("demo"),
        lambda: catalog.find(a_plan().plan_id),
        lambda: commit(catalog, lease, a_change()),
    ):
        begun = time.monotonic()
        with pytest.raises(LiveStateUnavailableError) as caught:
            await attempt()
        assert time.monotonic() - begun < 3
        messages.append(str(caught.value))
    return messages


@pytest.mark.redis_server
async def test_a_stopped_server_is_told_soon_and_by_name(server: RedisServer, redis: RedisBackend):
    await redis.plan_catalog().providers()
    server.kill()

    messages = await _each_method_fails(redis)

    assert all(str(server.socket) in message and "start it" in message for message in messages)


@pytest.mark.redis_server
async def test_a_silent_server_is_told_soon(server: RedisServer, redis: RedisBackend):
    await redis.plan_catalog().providers()
    server.pause()

    messages = await _each_method_fails(redis)

    assert all("does not answer in time" in message for message in messages)


@pytest.mark.redis_server
async def test_a_server_that_comes_back_is_used_again_with_all_it_had(server: RedisServer, redis: RedisBackend):
    await sync(redis, a_change(a_plan(1)))
    server.kill()
    with pytest.raises(LiveStateUnavailableError):
        await redis.plan_catalog().known("demo")
    server.start()

    await sync(redis, a_change(a_plan(2)))

    assert set(await redis.plan_catalog().known("demo")) == {a_plan(1).plan_id, a_plan(2).plan_id}


@pytest.mark.redis_server
async def test_a_full_server_takes_nothing_and_says_what_to_do(server: RedisServer, redis: RedisBackend):
    await sync(redis, a_change(a_plan(1)))
    async with redis.leases().hold("demo") as lease:
        with server.client() as operator:
            operator.config_set("maxmemory", 1)

            with pytest.raises(LiveStateUnavailableError, match="memory is full"):
                await commit(redis.plan_catalog(), lease, a_change(a_plan(2)))

            operator.config_set("maxmemory", 0)

        assert set(await redis.plan_catalog().known("demo")) == {a_plan(1).plan_id}
        await commit(redis.plan_catalog(), lease, a_change(a_plan(3)))


@pytest.mark.redis_server
async def test_a_replica_is_told_as_such(server: RedisServer, redis: RedisBackend):
    async with redis.leases().hold("demo") as lease:
        with server.client() as operator:
            operator.replicaof("127.0.0.1", 1)

            with pytest.raises(LiveStateUnavailableError, match="replica"):
                await commit(redis.plan_catalog(), lease, a_change())

            operator.replicaof("NO", "ONE")


@pytest.mark.redis_server
async def test_a_server_that_forgot_our_scripts_gets_them_again(server: RedisServer, redis: RedisBackend):
    await sync(redis, a_change(a_plan(1)))
    with server.client() as operator:
        operator.script_flush()

    await sync(redis, a_change(a_plan(2)))

    assert len(await redis.plan_catalog().known("demo")) == 2


@pytest.mark.redis_server
async def test_a_password_is_in_no_message(server: RedisServer):
    with server.client() as operator:
        operator.config_set("requirepass", "right-secret")
    silent = f"unix://:right-secret@{server.socket}"
    for url in (
        f"unix://{server.socket}",
        f"unix://:wrong-secret@{server.socket}",
        f"unix://{server.socket}?password=wrong-secret",
        "redis://user:refused-secret@127.0.0.1:1/0",
        "redis+cluster://user:refused-secret@127.0.0.1:1",
    ):
        client = connect(url, timeout=1)
        with pytest.raises(LiveStateUnavailableError) as caught:
            await RedisPlanCatalog(client).known("demo")
        assert "secret" not in str(caught.value)
        assert ("127.0.0.1:1" if "refused" in url else "user and password") in str(caught.value)
        await client.aclose()

    right = connect(silent, timeout=1)
    assert await RedisPlanCatalog(right).known("demo") == {}
    await right.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "http://:secret@host",
        "redis://:secret/rest@host:6379",
        "redis://host:secret",
        "redis+cluster://:secret@host/3",
        "unix+cluster:///secret",
        "redis://host?socket_timeout=60&password=secret",
        "secret",
        "",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_repeating_it(url: str):
    with pytest.raises(ValueError, match=r"redis\.url") as caught:
        connect(url, timeout=1)

    assert "secret" not in str(caught.value)


@pytest.mark.redis_server
async def test_a_killed_server_has_a_prefix_of_the_changes_each_with_its_log_entry(
    server: RedisServer, redis: RedisBackend
):
    catalog = redis.plan_catalog()
    written = 0
    for attempt in range(5):
        changes = [a_change(a_plan(f"{attempt}-{number}")) for number in range(1500)]
        async with redis.leases(ttl=0.1).hold("demo") as lease:
            writing = asyncio.create_task(commit(catalog, lease, *changes))
            await asyncio.sleep(random.uniform(0.005, 0.08))
            server.kill()
            with suppress(LiveStateUnavailableError):
                await writing
        server.start()
        await asyncio.sleep(0.15)

        known = await catalog.known("demo")
        with server.client() as operator:
            logged = [entry[b"id"] for _, entry in operator.xrange("marquee:1:{p:demo}:log")]
        there = [change.plan_id.bytes for change in changes if change.plan_id in known]
        assert there == [change.plan_id.bytes for change in changes][: len(there)]
        assert logged[written:] == there
        assert len(logged) == len(known)
        written = len(logged)


# The codec

_texts = st.text(max_size=40)
_wall_clocks = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 -- wall clocks
    lambda time: time.replace(fold=0)  # a plan has fields of its own for it
)
_prices = st.decimals(allow_nan=False, allow_infinity=False)
_zones = st.builds(Zone, _texts, st.integers(), _prices, _texts, st.booleans())


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    starts = draw(_wall_clocks)
    plan = Plan(
        key=PlanKey(draw(_texts), draw(_texts), draw(_texts)),
        title=draw(_texts),
        sell_mode=draw(st.sampled_from(SellMode)),
        starts=starts,
        ends=starts + draw(st.timedeltas(timedelta(0), timedelta(400))),
        timezone=draw(st.sampled_from(sorted(available_timezones()))),
        organizer_id=draw(st.none() | _texts),
        sell_from=draw(st.none() | _wall_clocks),
        sell_to=draw(st.none() | _wall_clocks),
        sold_out=draw(st.booleans()),
        zones=tuple(draw(st.lists(_zones, max_size=5))),
    )
    later = draw(st.just({}) | st.fixed_dictionaries({}, optional=_LATER_FIELDS))
    return replace(plan, **later)  # type: ignore[arg-type] # fields of Plan


_places = st.none() | st.builds(Place, name=st.none() | _texts, latitude=st.none() | st.floats(-90, 90))
_details = st.builds(PlanDetails, status=st.sampled_from(PlanStatus), place=_places, url=st.none() | _texts)
_LATER_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "price": _prices,
    "start_has_time": st.booleans(),
    "end_has_time": st.booleans(),
    "start_fold": st.integers(0, 1),
    "end_fold": st.just(1),
    "details": st.none() | _details,
    "edition": st.none() | _wall_clocks,
    "ends": st.none(),
}
"""Those that came after the first releases, and no end."""


@pytest.mark.parametrize("offsets", [None, UtcOffsets(3600, 7200, "2026a")])
@pytest.mark.parametrize("followed_by", [None, datetime(2026, 10, 1, 20)])  # noqa: DTZ001 -- a provider's wall clock
def test_what_is_known_of_a_plan_reads_back_from_redis_and_grows_only_by_what_it_says(
    offsets: UtcOffsets | None, followed_by: datetime | None
):
    known = replace(a_change(a_plan()).known, offsets=offsets, followed_by=followed_by)

    packed = pack_known(known)

    assert unpack_known(packed) == known
    assert len(msgspec.msgpack.decode(packed)) == (10 if followed_by else 9 if offsets else 8)


@given(_plans())
def test_any_plan_reads_back_from_redis_as_it_was(plan: Plan):
    found = searchable(plan)

    assert repr(unpack_plan(pack_plan(plan))) == repr(plan)
    assert unpack_searchable(plan.key.provider, plan.plan_id, pack_searchable(found)) == found


def test_what_was_stored_before_plans_had_details_reads_on():
    plan = a_plan(zones=())
    known_then = sorted(set(asdict(plan)) - {*_LATER_FIELDS} | {"ends"})
    stored = json.loads(isal_zlib.decompress(pack_plan(plan)))
    found = searchable(plan)
    seven = msgspec.msgpack.encode(
        (found.starts_at, found.ends_at, plan.title, plan.starts, plan.ends, None, None),
    )

    assert unpack_plan(isal_zlib.compress(json.dumps({name: stored[name] for name in known_then}).encode())) == plan
    assert msgspec.msgpack.decode(pack_searchable(found))[:7] == msgspec.msgpack.decode(seven), (
        "processes of the release before read it as well: they take what comes behind for nothing"
    )
    assert unpack_searchable("demo", plan.plan_id, seven) == replace(found, timezone=None)


@given(
    st.builds(
        KnownPlan,
        st.binary(max_size=16),
        _texts,
        st.sampled_from(SellMode),
        st.booleans(),
        st.booleans(),
        st.datetimes(timezones=st.just(NOW.tzinfo)),
        st.none() | st.datetimes(timezones=st.just(NOW.tzinfo)),
        st.none() | st.datetimes(timezones=st.just(NOW.tzinfo)),
        st.none() | st.builds(UtcOffsets, st.integers(-86_400, 86_400), st.integers(-86_400, 86_400), _texts),
    )
)
def test_anything_known_reads_back_from_redis_as_it_was(known: KnownPlan):
    assert unpack_known(pack_known(known)) == known


def test_a_price_keeps_its_digits():
    plan = a_plan(zones=(a_zone(price="20.00"), a_zone(price="1E+3")))

    assert [str(zone.price) for zone in unpack_plan(pack_plan(plan)).zones] == ["20.00", "1E+3"]
    assert Decimal("20.00") == searchable(plan).summary.min_price
