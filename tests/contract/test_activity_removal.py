"""What ActivityRemoval promises, over memory, SQLite and PostgreSQL: figures are those of what is left."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.application.ports.imports import NewImport
from app.application.ports.removal import FiguresIncompleteError
from app.domain.activities import ALIAS, IDENTIFY, Activity, ActivityId
from app.domain.activity_spans import ActivitySpan
from app.domain.removal import ToRemove
from tests.support.activity_backends import ActivityBackend, SqlActivityBackend, by_definition, figures, patiently

BEGIN = datetime(2025, 12, 28, 12, tzinfo=UTC)
MADRID, KATHMANDU = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu")
SHOP = ToRemove(sources=frozenset({"shop"}))


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


@pytest.fixture
def sql(activity_sql: SqlActivityBackend) -> SqlActivityBackend:
    return activity_sql


def some_lives(count: int, *, seed: int = 1) -> list[Activity]:
    """Activities and statements of few visitors on few days, so that all meet; half of them from the shop."""
    chance = random.Random(seed)

    def one(number: int) -> Activity:
        at = BEGIN + timedelta(seconds=chance.randrange(20 * 86_400))
        user, other, source = f"u{chance.randrange(6)}", f"a{chance.randrange(6)}", chance.choice(["shop", None, "app"])
        made = Activity(UUID(int=seed * 100_000 + number), "view", at, source=source)
        match chance.randrange(10):
            case 0 | 1:
                return made._replace(type=IDENTIFY, user_id=user, anonymous_id=other)
            case 2:
                previous = f"u{chance.randrange(6)}" if chance.random() < 0.5 else other
                return made._replace(type=ALIAS, user_id=user, anonymous_id=previous)
            case 3 | 4 | 5:
                return made._replace(anonymous_id=other)
            case 6:
                return made
            case _:
                value = Decimal(chance.randrange(-1_000, 1_000)).scaleb(-chance.randrange(5))
                return made._replace(type=chance.choice(["view", "buy"]), user_id=user, value=value)

    return [one(number) for number in range(count)]


async def removed(
    backend: ActivityBackend, wanted: ToRemove, *, zone: tzinfo = UTC, step: int = 10_000, frees_ids: bool = True
) -> list[ActivityId]:
    """Remove to the end."""
    removal, ids, place = backend.removal(zone, step), list[ActivityId](), ""
    while True:
        done = await removal.remove(wanted, place, frees_ids=frees_ids)
        ids += done.ids
        if done.place is None:
            return ids
        place = done.place


async def agree(backend: ActivityBackend, left: Sequence[Activity], zone: tzinfo = UTC) -> None:
    assert await figures(backend) == by_definition(left, zone)
    assert await backend.keeper(zone).verify() is None


@pytest.mark.parametrize("zone", [UTC, MADRID, KATHMANDU], ids=str)
async def test_figures_are_those_of_what_is_left(backend: ActivityBackend, zone: ZoneInfo) -> None:
    everything = some_lives(400)
    await backend.store(zone).store(everything)

    ids = await removed(backend, SHOP, zone=zone)

    assert sorted(ids) == sorted(one.activity_id for one in everything if one.source == "shop")
    await agree(backend, [one for one in everything if one.source != "shop"], zone)


KINDS: dict[str, tuple[ToRemove, Callable[[Activity], bool]]] = {
    "users": (
        ToRemove(users=frozenset({"u1", "u2"})),
        lambda one: one.user_id in {"u1", "u2"} or (one.type[0] == "$" and one.anonymous_id in {"u1", "u2"}),
    ),
    "anonymous": (
        ToRemove(anonymous=frozenset({"a1"})),
        lambda one: one.anonymous_id == "a1" and (one.user_id is None or one.type[0] == "$"),
    ),
    "ids": (
        ToRemove(ids=frozenset(UUID(int=100_000 + n) for n in range(0, 100, 3))),
        lambda one: one.activity_id.int < 100_100 and one.activity_id.int % 3 == 100_000 % 3,
    ),
    "a span": (
        ToRemove(
            sources=frozenset({"shop"}),
            span=ActivitySpan(BEGIN + timedelta(days=5), BEGIN + timedelta(days=9, hours=3)),
        ),
        lambda one: (
            one.source == "shop" and BEGIN + timedelta(days=5) <= one.occurred_at < BEGIN + timedelta(days=9, hours=3)
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_only_what_is_wanted_goes(backend: ActivityBackend, kind: str) -> None:
    wanted, is_wanted = KINDS[kind]
    everything = some_lives(300)
    await backend.store().store(everything)

    ids = await removed(backend, wanted)

    assert sorted(ids) == sorted(one.activity_id for one in everything if is_wanted(one))
    await agree(backend, [one for one in everything if not is_wanted(one)])


async def test_all_may_go_and_nothing_is_counted_then(backend: ActivityBackend) -> None:
    everything = [one._replace(source="shop") for one in some_lives(200)]
    await backend.store().store(everything)

    assert len(await removed(backend, SHOP)) == 200

    await agree(backend, [])
    assert await backend.stats().totals() == []


async def test_figures_agree_after_every_step(backend: ActivityBackend) -> None:
    everything = some_lives(200)
    await backend.store().store(everything)
    gone, place = set[ActivityId](), ""
    for _ in range(100):
        done = await backend.removal(step=30).remove(SHOP, place, frees_ids=True)
        gone |= set(done.ids)
        assert len(done.ids) <= 30
        await agree(backend, [one for one in everything if one.activity_id not in gone])
        if done.place is None:
            break
        place = done.place
    assert gone == {one.activity_id for one in everything if one.source == "shop"}


async def test_what_was_removed_once_is_not_there_to_be_removed_again(backend: ActivityBackend) -> None:
    await backend.store().store(some_lives(50))

    assert await removed(backend, SHOP)
    assert await removed(backend, SHOP) == []


async def test_where_nothing_was_ever_stored_nothing_is_removed(backend: ActivityBackend) -> None:
    assert await removed(backend, SHOP) == []


async def test_freed_ids_count_when_they_come_again(backend: ActivityBackend) -> None:
    everything = some_lives(100)
    await backend.store().store(everything)
    await removed(backend, SHOP, frees_ids=True)

    await backend.store().store(everything)

    await agree(backend, everything)


async def test_ids_that_are_not_freed_never_count_again(backend: ActivityBackend) -> None:
    everything = some_lives(100)
    await backend.store().store(everything)
    await removed(backend, SHOP, frees_ids=False)

    assert await backend.store().store(everything) == 0

    await agree(backend, [one for one in everything if one.source != "shop"])


async def test_an_import_is_taken_out_and_what_came_otherwise_stays(backend: ActivityBackend) -> None:
    by_door, by_import, by_other = (some_lives(80, seed=seed) for seed in (1, 2, 3))
    store, imports = backend.store(), backend.imports()
    one = await imports.begin(NewImport("one", "one.csv", "csv"), BEGIN)
    other = await imports.begin(NewImport("other", "other.csv", "csv"), BEGIN)
    await store.store(by_door)
    await store.store([*by_import, *by_door[:10]], one.import_id)
    await store.store(by_other, other.import_id)

    ids = await removed(backend, ToRemove(import_id=one.import_id))

    assert sorted(ids) == sorted(one.activity_id for one in by_import)
    await agree(backend, [*by_door, *by_other])


async def test_ids_that_are_spent_never_count(backend: ActivityBackend) -> None:
    everything = some_lives(20)
    await backend.store().store(everything[:5])

    await backend.removal().spend([one.activity_id for one in everything[:10]])

    assert await backend.store().store(everything) == 10
    await agree(backend, [*everything[:5], *everything[10:]])


async def test_nothing_has_left_where_nothing_leaves(backend: ActivityBackend) -> None:
    await backend.store().store(some_lives(20))

    assert not await backend.removal().have_left(0)
    assert not await backend.removal().forget_frozen_days(ToRemove(users=frozenset({"u1"})))


async def test_a_claim_that_is_removed_gives_the_visitor_back_to_the_next_one(backend: ActivityBackend) -> None:
    at = BEGIN
    early = Activity(UUID(int=1), IDENTIFY, at, source="shop", user_id="ana", anonymous_id="x")
    late = Activity(UUID(int=2), IDENTIFY, at + timedelta(days=1), user_id="eva", anonymous_id="x")
    days = [
        Activity(UUID(int=3), "view", at, anonymous_id="x"),
        Activity(UUID(int=4), "view", at, user_id="ana"),
        Activity(UUID(int=5), "view", at + timedelta(days=1), user_id="eva"),
    ]
    await backend.store().store([*days, early, late])

    await removed(backend, SHOP)

    await agree(backend, [*days, late])


async def test_an_alias_that_is_removed_parts_two_users(backend: ActivityBackend) -> None:
    alias = Activity(UUID(int=1), ALIAS, BEGIN, source="shop", user_id="ana", anonymous_id="ana.m")
    days = [
        Activity(UUID(int=2), "view", BEGIN, user_id="ana"),
        Activity(UUID(int=3), "view", BEGIN, user_id="ana.m"),
    ]
    await backend.store().store([*days, alias])

    await removed(backend, SHOP)

    await agree(backend, days)


async def test_figures_that_were_reset_are_not_taken_below_nothing(sql: SqlActivityBackend) -> None:
    everything = some_lives(50)
    await sql.store().store(everything)
    await sql.keeper().reset()

    with pytest.raises(FiguresIncompleteError, match="marquee stats rebuild"):
        await removed(sql, SHOP)

    await sql.keeper().rebuild()
    await removed(sql, SHOP)
    await agree(sql, [one for one in everything if one.source != "shop"])


async def test_workers_store_while_activities_are_removed(sql: SqlActivityBackend) -> None:
    everything = [one for seed in range(1, 6) for one in some_lives(100, seed=seed)]
    later = [one._replace(source="app") for seed in range(6, 11) for one in some_lives(100, seed=seed)]
    await sql.store().store(everything)

    async def work(number: int) -> None:
        for start in range(number * 25, len(later), 50):
            await patiently(sql, later[start : start + 25])

    await asyncio.gather(work(0), work(1), removed(sql, SHOP, step=20))

    await agree(sql, [one for one in [*everything, *later] if one.source != "shop"])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_order_of_posts_imports_undos_and_forgettings_gives_what_is_left(
    backend: ActivityBackend, data: st.DataObject
) -> None:
    everything = some_lives(60, seed=data.draw(st.integers(1, 1_000)))
    await backend.clear()
    kept: dict[ActivityId, tuple[Activity, int | None]] = {}
    spent: set[ActivityId] = set()
    imports: list[int] = []

    for number in range(1, data.draw(st.integers(1, 8)) + 1):
        part = data.draw(st.lists(st.sampled_from(everything), max_size=40))
        begun = await backend.imports().begin(NewImport(f"file {number}", "some.csv", "csv"), BEGIN)
        imports.append(begun.import_id)
        import_id = begun.import_id if data.draw(st.booleans()) else None
        await backend.store().store(part, import_id)
        for one in part:
            if one.activity_id not in spent:
                kept.setdefault(one.activity_id, (one, import_id))
        undone = ToRemove(import_id=imports[data.draw(st.integers(1, number)) - 1])
        wanted = [undone, SHOP, KINDS["users"][0], KINDS["anonymous"][0]][data.draw(st.integers(0, 3))]
        frees_ids = wanted is undone or data.draw(st.booleans())
        gone = {activity_id for activity_id, (one, by) in kept.items() if wanted.holds(one, by)}
        step = data.draw(st.sampled_from([3, 1_000]))
        assert set(await removed(backend, wanted, step=step, frees_ids=frees_ids)) == gone
        kept = {activity_id: one for activity_id, one in kept.items() if activity_id not in gone}
        if not frees_ids:
            spent |= gone

    await agree(backend, [one for one, _ in kept.values()])
