"""What WebhookEndpoints, WebhookDeliveries and WebhookLog promise."""

import asyncio
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from app.adapters.outbound.sql.publishing_schema import webhook_deliveries
from app.adapters.outbound.sql.rows import microseconds
from app.adapters.outbound.sql.told_activities import SqlToldActivities
from app.adapters.outbound.sql.webhook_deliveries import SqlWebhookDeliveries
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.application.ports.system import HistoryUnavailableError
from app.application.ports.webhooks import (
    Attempted,
    Backlog,
    Replay,
    WebhookDeliveries,
    WebhookEndpoints,
    WebhookLog,
    WebhookStates,
)
from app.domain.removal import ToRemove
from app.domain.webhook_deliveries import Answer, Delivery, DeliveryState
from app.domain.webhook_errors import WebhookNameTakenError
from app.domain.webhook_headers import Header
from app.domain.webhooks import Endpoint
from tests.fakes.webhook_deliveries import MemoryWebhookDeliveries, MemoryWebhookLog
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints, MemoryWebhooks
from tests.fakes.webhook_states import MemoryWebhookStates
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.history_backends import SqlHistory, postgres_history, sqlite_history
from tests.support.postgres_locks import until_waiting
from tests.support.webhook_world import BROKEN, FINE, a_message, a_secret, an_endpoint

ONE, TWO = UUID(int=1), UUID(int=2)
SECOND = timedelta(seconds=1)


class Webhooks(Protocol):
    """One technology's adapters of the ports, on one store."""

    @property
    def endpoints(self) -> WebhookEndpoints: ...
    @property
    def deliveries(self) -> WebhookDeliveries: ...
    @property
    def log(self) -> WebhookLog: ...
    @property
    def states(self) -> WebhookStates: ...


class MemoryBackend:
    def __init__(self) -> None:
        self.store = MemoryWebhooks()
        self.endpoints = MemoryWebhookEndpoints(self.store)
        self.deliveries = MemoryWebhookDeliveries(self.store)
        self.log = MemoryWebhookLog(self.store)
        self.states = MemoryWebhookStates(self.store)


class SqlBackend:
    def __init__(self, history: SqlHistory) -> None:
        self.database = history.database
        self.endpoints = SqlWebhookEndpoints(self.database)
        self.deliveries = SqlWebhookDeliveries(self.database)
        self.log = SqlWebhookLog(self.database)
        self.states = self.endpoints


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with sqlite_history(tmp_path_factory.mktemp("history")) as history:
        yield history


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with postgres_history(tmp_path_factory.mktemp("history")) as history:
        yield history


SQL = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=["memory", *SQL])
async def hooks(request: pytest.FixtureRequest) -> Webhooks:
    made = MemoryBackend() if request.param == "memory" else _sql(request)
    await made.endpoints.add(an_endpoint(1))
    return made


@pytest.fixture(params=SQL)
async def sql(request: pytest.FixtureRequest) -> SqlBackend:
    made = _sql(request)
    await made.endpoints.add(an_endpoint(1))
    return made


def _sql(request: pytest.FixtureRequest) -> SqlBackend:
    history: SqlHistory = request.getfixturevalue(request.param)
    history.clear()
    return SqlBackend(history)


async def ids_due(hooks: Webhooks, *, to: UUID = ONE, after: float = 0, limit: int = 100) -> list[str]:
    found = await hooks.deliveries.due(to, NOW + after * SECOND, limit)
    return [delivery.message.event_id for delivery in found]


async def add(hooks: Webhooks, *subjects: str, first: int = 1, to: int = 1) -> int:
    messages = [a_message(number, to=to, subject=subject) for number, subject in enumerate(subjects, first)]
    return await hooks.deliveries.add(messages)


async def settle(hooks: Webhooks, answer: Answer, *, after: float = 0, limit: int = 1) -> Sequence[Delivery]:
    """Attempt what is due then."""
    now = NOW + after * SECOND
    due = await hooks.deliveries.due(ONE, now, limit)
    await hooks.deliveries.settle(ONE, [Attempted(one.after(answer, now, 0.5), answer, now) for one in due], now)
    return due


async def all_of(hooks: Webhooks, to: UUID = ONE) -> list[Delivery]:
    return [row.delivery for row in reversed(await hooks.log.newest(to, 1000))]


async def test_an_endpoint_is_kept_as_it_is(hooks: Webhooks) -> None:
    full = replace(
        an_endpoint(2, names=("plan.*", "user.created"), secrets=(a_secret(1), replace(a_secret(2), until=NOW))),
        is_active=False,
        why_off="because",
        failing_since=NOW,
        failed_at=NOW + SECOND,
        failures=3,
        paused_until=NOW + SECOND,
        skipped=7,
        headers=(Header("Authorization", "Bearer 7"), Header("x-shop", '"a, b"')),
    )
    await hooks.endpoints.add(full)

    assert await hooks.endpoints.find(TWO) == full
    assert await hooks.endpoints.all() == [an_endpoint(1), full]
    assert await hooks.endpoints.find(UUID(int=3)) is None


async def test_a_name_is_given_once(hooks: Webhooks) -> None:
    with pytest.raises(WebhookNameTakenError):
        await hooks.endpoints.add(an_endpoint(2, name="hook-1"))

    assert await hooks.endpoints.all() == [an_endpoint(1)]


async def test_a_change_is_kept_and_returned(hooks: Webhooks) -> None:
    changed = await hooks.endpoints.change(ONE, lambda endpoint: endpoint.switched_off("because"))

    assert changed == an_endpoint(1).switched_off("because")
    assert await hooks.endpoints.find(ONE) == changed
    assert await hooks.endpoints.change(TWO, lambda endpoint: endpoint) is None


async def test_endpoints_are_counted_by_why_they_are_off(hooks: Webhooks) -> None:
    assert await hooks.states.counts() == {None: 1}
    for number, why in ((2, None), (3, "it is gone"), (4, "it is gone"), (5, "by hand")):
        made = an_endpoint(number)
        await hooks.endpoints.add(made.switched_off(why) if why else made)

    assert await hooks.states.counts() == {None: 2, "it is gone": 2, "by hand": 1}

    await hooks.endpoints.change(UUID(int=3), Endpoint.switched_on)
    await hooks.endpoints.remove(UUID(int=4))
    assert await hooks.states.counts() == {None: 3, "by hand": 1}


async def test_changes_at_the_same_time_are_all_kept(hooks: Webhooks) -> None:
    await asyncio.gather(
        *(hooks.endpoints.change(ONE, lambda found: replace(found, failures=found.failures + 1)) for _ in range(10))
    )

    endpoint = await hooks.endpoints.find(ONE)
    assert endpoint
    assert endpoint.failures == 10


async def test_removed_it_is_gone_with_all_that_was_to_be_delivered(hooks: Webhooks) -> None:
    await add(hooks, "a", "b")
    await settle(hooks, BROKEN)

    assert await hooks.endpoints.remove(ONE)

    assert not await hooks.endpoints.remove(ONE)
    assert await hooks.endpoints.all() == []
    assert await all_of(hooks) == []
    assert await hooks.deliveries.ready(NOW) == []


async def test_a_message_is_added_once(hooks: Webhooks) -> None:
    assert await add(hooks, "a", "b") == 2
    assert await add(hooks, "a", "b", "a") == 1
    await settle(hooks, FINE, limit=9)
    assert await add(hooks, "a", "b", "a") == 0
    assert await hooks.deliveries.add([a_message(9), a_message(9)]) == 1

    assert len(await all_of(hooks)) == 4


async def test_a_message_is_kept_as_it_is(hooks: Webhooks) -> None:
    message = a_message(body='{"ä": "€"}')
    await hooks.deliveries.add([message])

    [found] = await hooks.deliveries.due(ONE, NOW, 1)
    assert found.message == message
    assert (found.state, found.attempts, found.next_attempt_at, found.ended_at) == (DeliveryState.PENDING, 0, NOW, None)


async def test_many_messages_to_many_endpoints_are_added_in_their_order(hooks: Webhooks) -> None:
    await hooks.endpoints.add(an_endpoint(2))
    messages = [a_message(number, to=to, subject=f"{number % 3}") for number in range(600) for to in (2, 1)]

    assert await hooks.deliveries.add(messages) == 1200

    for endpoint_id in (ONE, TWO):
        found = await all_of(hooks, endpoint_id)
        assert [delivery.message.event_id for delivery in found] == [f"plan-{number}" for number in range(600)]
        assert await ids_due(hooks, to=endpoint_id) == ["plan-0", "plan-1", "plan-2"]


async def test_a_message_for_an_endpoint_that_is_gone_is_dropped(hooks: Webhooks) -> None:
    assert await hooks.deliveries.add([a_message(1, to=9), a_message(2)]) == 1


async def test_due_is_the_earliest_of_each_subject(hooks: Webhooks) -> None:
    await add(hooks, "a", "a", "b", "a", "b", "c")

    assert await ids_due(hooks) == ["plan-1", "plan-3", "plan-6"]
    assert await ids_due(hooks, limit=2) == ["plan-1", "plan-3"]
    assert await ids_due(hooks, limit=0) == []
    assert await ids_due(hooks, after=-1) == []
    assert await ids_due(hooks, to=TWO) == []


async def test_when_one_ends_the_next_of_its_subject_is_due(hooks: Webhooks) -> None:
    await add(hooks, "a", "a", "b")

    await settle(hooks, FINE, after=5)

    assert await ids_due(hooks, after=5) == ["plan-3", "plan-2"]
    first = (await all_of(hooks))[0]
    assert (first.state, first.attempts, first.ended_at) == (DeliveryState.DELIVERED, 1, NOW + 5 * SECOND)


async def test_one_that_failed_waits_and_so_do_those_behind_it(hooks: Webhooks) -> None:
    await add(hooks, "a", "a", "b")

    await settle(hooks, BROKEN)

    assert await ids_due(hooks, after=4) == ["plan-3"]
    assert await ids_due(hooks, after=5) == ["plan-3", "plan-1"]
    await add(hooks, "a", first=7)
    assert "plan-7" not in await ids_due(hooks, after=99)


async def test_one_that_was_given_up_makes_way(hooks: Webhooks) -> None:
    await add(hooks, "a", "a")
    [due] = await hooks.deliveries.due(ONE, NOW, 1)
    last = replace(due, attempts=99).after(BROKEN, NOW, 0)

    await hooks.deliveries.settle(ONE, [Attempted(last, BROKEN, NOW)], NOW)

    assert await ids_due(hooks) == ["plan-2"]
    assert await hooks.log.backlog(ONE) == Backlog(pending=1, given_up=1)


async def test_those_are_ready_that_are_on_not_paused_and_have_something_due(hooks: Webhooks) -> None:
    for number in range(2, 6):
        await hooks.endpoints.add(an_endpoint(number))
        await add(hooks, "a", to=number)
    await hooks.endpoints.change(UUID(int=3), lambda found: found.switched_off("because"))
    await hooks.endpoints.change(UUID(int=4), lambda found: replace(found, paused_until=NOW + 5 * SECOND))

    assert sorted(await hooks.deliveries.ready(NOW)) == [TWO, UUID(int=5)]
    assert sorted(await hooks.deliveries.ready(NOW + 5 * SECOND)) == [TWO, UUID(int=4), UUID(int=5)]
    assert await hooks.deliveries.ready(NOW - SECOND) == []


async def test_hastened_what_waits_is_due_now_and_afresh_with_a_new_schedule(hooks: Webhooks) -> None:
    await add(hooks, "a", "a", "b", "c")
    await settle(hooks, BROKEN, limit=2)
    assert await ids_due(hooks, after=1) == ["plan-4"]

    await hooks.deliveries.hasten(ONE, NOW + SECOND)

    assert await ids_due(hooks, after=1) == ["plan-4", "plan-1", "plan-3"]
    assert [one.attempts for one in await all_of(hooks)] == [1, 0, 1, 0]
    scheduled = NOW + 5 * SECOND
    assert [one.scheduled_at for one in await all_of(hooks)] == [scheduled, None, scheduled, None]
    await hooks.deliveries.hasten(ONE, NOW + SECOND, afresh=True)
    assert [(one.attempts, one.scheduled_at) for one in await all_of(hooks)] == [(0, None)] * 4


async def test_only_some_of_what_waits_are_hastened_when_they_are_named(hooks: Webhooks) -> None:
    await add(hooks, "a", "b", "b")
    await settle(hooks, BROKEN)
    first, second, behind = [one.delivery_id for one in await all_of(hooks)]

    await hooks.deliveries.hasten(ONE, NOW + SECOND, only={second, behind, 2**40})
    assert await ids_due(hooks, after=1) == ["plan-2"]
    await hooks.deliveries.hasten(ONE, NOW + SECOND, only=())
    await hooks.deliveries.hasten(TWO, NOW + SECOND, only={first})
    assert await ids_due(hooks, after=1) == ["plan-2"]
    await hooks.deliveries.hasten(ONE, NOW + SECOND, only={second}, afresh=True)
    assert [one.attempts for one in await all_of(hooks)] == [1, 0, 0]


async def test_an_attempt_that_was_brought_forward_leaves_the_schedule_as_it_is(hooks: Webhooks) -> None:
    await add(hooks, "a")
    await settle(hooks, BROKEN)
    await hooks.deliveries.hasten(ONE, NOW + SECOND)

    await settle(hooks, BROKEN, after=1)

    [one] = await all_of(hooks)
    assert (one.attempts, one.next_attempt_at, one.scheduled_at) == (1, NOW + 5 * SECOND, NOW + 5 * SECOND)


async def test_what_has_ended_by_another_hand_stays_so(hooks: Webhooks) -> None:
    await add(hooks, "a", "a")
    [stale] = await settle(hooks, FINE)

    await hooks.deliveries.settle(ONE, [Attempted(stale.after(BROKEN, NOW, 0), BROKEN, NOW)], NOW)

    assert await ids_due(hooks, after=99) == ["plan-2"]
    assert (await all_of(hooks))[0].state is DeliveryState.DELIVERED


async def test_to_settle_what_was_removed_changes_nothing(hooks: Webhooks) -> None:
    await add(hooks, "a")
    [due] = await hooks.deliveries.due(ONE, NOW, 1)
    await hooks.endpoints.remove(ONE)

    await hooks.deliveries.settle(ONE, [Attempted(due.after(FINE, NOW, 0), FINE, NOW)], NOW)

    assert await all_of(hooks) == []


async def test_an_attempt_to_one_that_was_removed_says_nothing_of_the_deliveries_of_another(hooks: Webhooks) -> None:
    await add(hooks, "a")
    [due] = await hooks.deliveries.due(ONE, NOW, 1)
    await hooks.endpoints.remove(ONE)
    await hooks.endpoints.add(an_endpoint(2))
    await add(hooks, "b", first=2, to=2)

    await hooks.deliveries.settle(ONE, [Attempted(due.after(FINE, NOW, 0), FINE, NOW)], NOW)

    [others] = await hooks.log.newest(TWO, 10)
    assert (others.delivery.state, others.last) == (DeliveryState.PENDING, None)
    assert others.delivery.delivery_id > due.delivery_id
    assert await ids_due(hooks, to=TWO) == ["plan-2"]


async def test_what_is_settled_of_an_endpoint_is_its_own(hooks: Webhooks) -> None:
    await hooks.endpoints.add(an_endpoint(2))
    await add(hooks, "a", to=2)
    [others] = await hooks.deliveries.due(TWO, NOW, 1)

    await hooks.deliveries.settle(ONE, [Attempted(others.after(FINE, NOW, 0), FINE, NOW)], NOW)

    assert await hooks.deliveries.due(TWO, NOW, 1) == [others]
    assert [row.last for row in await hooks.log.newest(TWO, 10)] == [None]


async def test_the_log_has_the_newest_with_their_last_attempt(hooks: Webhooks) -> None:
    await add(hooks, "a", "b")
    await settle(hooks, BROKEN)
    await settle(hooks, FINE, after=5, limit=2)

    newest, oldest = await hooks.log.newest(ONE, 10)

    assert (newest.delivery.message.event_id, newest.delivery.attempts, newest.last) == ("plan-2", 1, FINE)
    assert (oldest.delivery.attempts, oldest.last, oldest.last_at) == (2, FINE, NOW + 5 * SECOND)
    assert await hooks.log.newest(ONE, 1) == [newest]
    await add(hooks, "c", first=3)
    never = (await hooks.log.newest(ONE, 1))[0]
    assert (never.last, never.last_at) == (None, None)
    assert await hooks.log.newest(TWO, 10) == []


async def test_what_was_given_up_is_sent_again_before_what_waits_behind_it(hooks: Webhooks) -> None:
    await add(hooks, "a", "a", "b")
    [due] = await hooks.deliveries.due(ONE, NOW, 1)
    lost = replace(due, attempts=99).after(BROKEN, NOW, 0)
    await hooks.deliveries.settle(ONE, [Attempted(lost, BROKEN, NOW)], NOW)
    assert await ids_due(hooks, after=1) == ["plan-2", "plan-3"]

    assert await hooks.log.replay(ONE, Replay(), NOW + SECOND) == 1

    assert await ids_due(hooks, after=1) == ["plan-3", "plan-1"]
    assert [(one.attempts, one.scheduled_at) for one in await all_of(hooks)] == [(0, None)] * 3
    assert await hooks.log.replay(ONE, Replay(), NOW) == 0
    await settle(hooks, FINE, after=1, limit=9)
    assert await ids_due(hooks, after=1) == ["plan-2"]


async def test_an_attempt_under_way_while_an_earlier_one_is_sent_again_goes_on_waiting(hooks: Webhooks) -> None:
    await add(hooks, "a", "a")
    await settle(hooks, FINE)
    [under_way] = await hooks.deliveries.due(ONE, NOW, 1)
    await hooks.log.replay(ONE, Replay(delivery_id=under_way.delivery_id - 1), NOW)

    await hooks.deliveries.settle(ONE, [Attempted(under_way.after(BROKEN, NOW, 0), BROKEN, NOW)], NOW)

    assert await ids_due(hooks, after=99) == ["plan-1"]
    assert [one.state for one in await all_of(hooks)] == [DeliveryState.PENDING] * 2


async def test_it_may_even_be_delivered_then(hooks: Webhooks) -> None:
    await add(hooks, "a", "a")
    await settle(hooks, FINE)
    [under_way] = await hooks.deliveries.due(ONE, NOW, 1)
    await hooks.log.replay(ONE, Replay(since=NOW), NOW)

    await hooks.deliveries.settle(ONE, [Attempted(under_way.after(FINE, NOW, 0), FINE, NOW)], NOW)

    assert await ids_due(hooks) == ["plan-1"]
    assert [one.state for one in await all_of(hooks)] == [DeliveryState.PENDING, DeliveryState.DELIVERED]


async def test_one_or_all_since_an_instant_are_sent_again_but_never_what_is_pending(hooks: Webhooks) -> None:
    await add(hooks, *"abcd")
    await settle(hooks, FINE, limit=3)
    ids = [one.delivery_id for one in await all_of(hooks)]

    assert await hooks.log.replay(ONE, Replay(delivery_id=ids[3]), NOW) == 0
    assert await hooks.log.replay(TWO, Replay(delivery_id=ids[0]), NOW) == 0
    assert await hooks.log.replay(ONE, Replay(since=NOW + SECOND), NOW) == 0
    assert await hooks.log.replay(ONE, Replay(delivery_id=ids[0]), NOW) == 1
    assert await hooks.log.replay(ONE, Replay(since=NOW), NOW) == 2
    assert sorted(await ids_due(hooks)) == ["plan-1", "plan-2", "plan-3", "plan-4"]


async def test_many_are_sent_again_in_order(hooks: Webhooks) -> None:
    await add(hooks, *(f"{number % 60}" for number in range(600)))
    while await settle(hooks, FINE, limit=500):
        pass

    assert await hooks.log.replay(ONE, Replay(since=NOW), NOW) == 600

    assert await ids_due(hooks) == [f"plan-{number}" for number in range(1, 61)]
    assert await hooks.log.backlog(ONE) == Backlog(600, 0)


async def test_what_ended_long_ago_is_forgotten_and_what_is_pending_never(hooks: Webhooks) -> None:
    await add(hooks, *"abcd")
    await settle(hooks, BROKEN)
    await settle(hooks, FINE, after=5, limit=2)
    await settle(hooks, FINE, after=9)

    assert await hooks.log.prune(NOW + 5 * SECOND, 10) == 0
    assert await hooks.log.prune(NOW + 9 * SECOND, 1) == 1
    assert await hooks.log.prune(NOW + 9 * SECOND, 10) == 1
    assert await hooks.log.prune(NOW + 99 * SECOND, 10) == 1
    assert len(await all_of(hooks)) == 1


@pytest.mark.postgres
async def test_what_is_to_be_sent_again_meanwhile_is_not_forgotten(postgresql: SqlHistory) -> None:
    """The pruning has found the row when the replay holds it."""
    postgresql.clear()
    hooks = SqlBackend(postgresql)
    await hooks.endpoints.add(an_endpoint(1))
    await add(hooks, "a", "a")
    await settle(hooks, FINE)

    with postgresql.database.engine.connect() as connection, connection.begin():
        connection.execute(select(webhook_deliveries).with_for_update())
        replaying = asyncio.create_task(hooks.log.replay(ONE, Replay(since=NOW), NOW))
        await until_waiting(postgresql, 1)
        pruning = asyncio.create_task(hooks.log.prune(NOW + SECOND, 10))
        await until_waiting(postgresql, 2)

    assert (await replaying, await pruning) == (1, 0)
    assert await ids_due(hooks) == ["plan-1"]
    assert [one.state for one in await all_of(hooks)] == [DeliveryState.PENDING] * 2


async def test_whatever_happens_one_of_each_subject_is_up_and_it_is_the_earliest(hooks: Webhooks) -> None:
    chance, added = random.Random(7), 0
    for step in range(60):
        match chance.randrange(4):
            case 0:
                added += await add(hooks, *chance.choices("abc", k=3), first=added + 1)
            case 1:
                await settle(hooks, chance.choice([FINE, BROKEN]), after=step, limit=2)
            case 2:
                await hooks.log.replay(ONE, Replay(since=NOW), NOW)
            case _:
                await hooks.deliveries.hasten(ONE, NOW + step * SECOND)
        found = await all_of(hooks)
        earliest = {}
        for one in reversed([one for one in found if one.ended_at is None]):
            earliest[one.message.subject] = one.delivery_id
        assert {one.delivery_id for one in found if one.next_attempt_at} == set(earliest.values())


async def test_to_add_and_to_end_at_the_same_time_leaves_nobody_waiting_for_ever(hooks: Webhooks) -> None:
    async def add_many() -> None:
        for number in range(40):
            await add(hooks, "a", first=number + 1)
            await asyncio.sleep(0)

    async def end_all() -> int:
        ended = 0
        async with asyncio.timeout(20):
            while ended < 40:
                ended += len(await settle(hooks, FINE))
                await asyncio.sleep(0)
        return ended

    await asyncio.gather(add_many(), end_all())

    assert [one.state for one in await all_of(hooks)] == [DeliveryState.DELIVERED] * 40


async def test_a_store_that_is_away_says_so() -> None:
    hooks = MemoryBackend()
    hooks.store.unavailable = "gone"

    for work in (
        hooks.endpoints.add(an_endpoint()),
        hooks.endpoints.all(),
        hooks.endpoints.find(ONE),
        hooks.endpoints.change(ONE, lambda found: found),
        hooks.endpoints.remove(ONE),
        hooks.deliveries.add([]),
        hooks.deliveries.ready(NOW),
        hooks.deliveries.due(ONE, NOW, 1),
        hooks.deliveries.settle(ONE, [], NOW),
        hooks.deliveries.hasten(ONE, NOW),
        hooks.log.newest(ONE, 1),
        hooks.log.backlog(ONE),
        hooks.log.replay(ONE, Replay(), NOW),
        hooks.log.prune(NOW, 1),
        hooks.states.counts(),
    ):
        with pytest.raises(HistoryUnavailableError):
            await work


@pytest.mark.slow
@pytest.mark.parametrize("one_subject", [False, True])
async def test_neither_ended_nor_waiting_ones_make_it_slow(sql: SqlBackend, *, one_subject: bool) -> None:
    """100,000 pending and many ended: what is due is found and ended as if there were none."""

    async def quickest() -> float:
        return min([await timed() for _ in range(20)])

    async def timed() -> float:
        begun = time.perf_counter()
        assert await sql.deliveries.ready(NOW) == [ONE]
        assert await settle(sql, FINE)
        return time.perf_counter() - begun

    await _fill(sql, 1_000, one_subject=one_subject)
    among_few = await quickest()
    await _fill(sql, 100_000, one_subject=one_subject, first=1_000)

    assert await quickest() < 10 * among_few  # as if there were none


async def test_what_is_due_is_found_by_the_index_of_what_is_due(sql: SqlBackend) -> None:
    await _fill(sql, 2000, one_subject=False)
    question = (
        "SELECT * FROM webhook_deliveries WHERE endpoint_id = {} AND next_attempt_at <= 9999999999999999 "
        "ORDER BY next_attempt_at, delivery_id LIMIT 8"
    )
    is_sqlite = sql.database.is_sqlite
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    key = f"x'{ONE.hex}'" if is_sqlite else f"'{ONE}'"

    await sql.database.write(lambda connection: connection.execute(text("ANALYZE")))
    plan = await sql.database.read(
        lambda connection: [str(row) for row in connection.execute(text(explain + question.format(key)))]
    )

    assert "ix_webhook_deliveries_due" in " ".join(plan)
    assert "SORT" not in " ".join(plan).upper().replace("SORTED", "")
    assert "TEMP B-TREE" not in " ".join(plan)


async def _fill(sql: SqlBackend, size: int, *, one_subject: bool, first: int = 0) -> None:
    at = microseconds(NOW)

    def row(number: int, *, ended: bool) -> dict[str, object]:
        is_up = not ended and (not one_subject or number == 0)
        return {
            "endpoint_id": ONE,
            "event_id": f"{'ended' if ended else 'pending'}-{number}",
            "name": "plan.changed",
            "subject": "plans/1" if one_subject else f"plans/{number}",
            "body": "{}",
            "created_at": at,
            "state": "delivered" if ended else "pending",
            "attempts": int(ended),
            "next_attempt_at": at if is_up else None,
            "ended_at": at if ended else None,
        }

    rows = [row(number, ended=True) for number in range(first, first + size // 4)]
    rows += [row(number, ended=False) for number in range(first, first + size)]
    await sql.database.write(lambda connection: connection.execute(insert(webhook_deliveries), rows), unlimited=True)


async def test_what_a_clock_that_was_ahead_put_off_is_due_and_what_the_schedule_did_stays(hooks: Webhooks) -> None:
    ahead = NOW + timedelta(hours=2)
    early = replace(a_message(9, to=1, subject="d"), created_at=ahead)
    await add(hooks, "a", "b", "c")
    await settle(hooks, BROKEN, after=0)  # a, by a clock that is right
    await hooks.deliveries.add([early])
    [second] = [one for one in await hooks.deliveries.due(ONE, ahead, 9) if one.message.subject == "b"]
    failed = second.after(BROKEN, ahead, 0.5)
    await hooks.deliveries.settle(ONE, [Attempted(failed, BROKEN, ahead)], ahead)

    def paused(endpoint: Endpoint) -> Endpoint:
        return replace(
            endpoint, failing_since=NOW, failed_at=ahead, paused_until=ahead + timedelta(minutes=5), failures=7
        )

    await hooks.endpoints.change(ONE, paused)
    await hooks.endpoints.add(replace(an_endpoint(2), paused_until=NOW + timedelta(minutes=5), failed_at=NOW))

    assert await hooks.deliveries.clamp(NOW) == 2
    assert await hooks.deliveries.clamp(NOW) == 0

    due = await hooks.deliveries.due(ONE, NOW, 9)
    assert sorted(one.message.subject for one in due) == ["b", "c", "d"]
    assert await hooks.deliveries.ready(NOW) == [ONE]
    mended = await hooks.endpoints.find(ONE)
    assert mended
    assert (mended.failing_since, mended.failed_at, mended.paused_until, mended.failures) == (NOW, NOW, None, 7)
    other = await hooks.endpoints.find(UUID(int=2))
    assert other
    assert other.paused_until == NOW + timedelta(minutes=5)


async def test_deliveries_that_tell_of_somebody_are_forgotten_and_the_next_is_up(sql: SqlBackend) -> None:
    bodies = ({"data": {"user_id": "ana"}}, {"data": [{"user_id": "eva"}, {"source": "ana"}]}, {"data": {"id": "ana"}})
    messages = [
        replace(a_message(number, body=json.dumps(body)), name="activity.view", subject="activities")
        for number, body in enumerate(bodies)
    ]
    await sql.deliveries.add([*messages, replace(a_message(9), body='{"user_id":"ana"}')])

    told = SqlToldActivities(sql.database, FixedClock(NOW))
    assert await told.forget(ToRemove(users=frozenset({"ana"}))) == 1

    assert sorted(await ids_due(sql)) == ["plan-1", "plan-9"]
    assert await told.forget(ToRemove(users=frozenset({"ana"}))) == 0
    assert await told.forget(ToRemove(sources=frozenset({"ana"}))) == 1
