"""What ActivityOutbox promises, and the store that writes it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.adapters.outbound.sql.activity_outbox import SqlActivityOutbox, note_activities
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.publishing_schema import activity_outbox
from app.adapters.outbound.sql.webhook_deliveries import SqlWebhookDeliveries
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.application.ports.imports import NewImport
from app.application.ports.webhooks import ActivityOutbox, WebhookEndpoints, WebhookLog
from app.domain.activities import IDENTIFY, Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.activity_notices import notice_id, subject_of
from app.domain.removal import ToRemove
from app.domain.webhook_deliveries import Message
from tests.fakes.activity_outbox import MemoryActivityOutbox
from tests.fakes.webhook_deliveries import MemoryWebhookLog
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints, MemoryWebhooks
from tests.support.activity_backends import ActivityBackend, SqlActivityBackend
from tests.support.builders import NOW, an_activity
from tests.support.webhook_world import an_endpoint


@dataclass(frozen=True)
class Notes:
    """One technology's adapters, on one store."""

    outbox: ActivityOutbox
    log: WebhookLog
    endpoints: WebhookEndpoints
    store: Callable[[Sequence[Activity]], Awaitable[object]]
    """Stores activities that are new."""


@pytest.fixture
def notes(activity_backend: ActivityBackend) -> Notes:
    if isinstance(activity_backend, SqlActivityBackend):
        database = activity_backend.database
        return Notes(
            SqlActivityOutbox(database),
            SqlWebhookLog(database),
            SqlWebhookEndpoints(database),
            activity_backend.store().store,
        )
    webhooks = MemoryWebhooks()
    outbox = MemoryActivityOutbox(webhooks)

    async def store(activities: Sequence[Activity]) -> None:
        outbox.note(activities)

    return Notes(outbox, MemoryWebhookLog(webhooks), MemoryWebhookEndpoints(webhooks), store)


async def noted(notes: Notes) -> list[Activity]:
    return [one.activity for one in await notes.outbox.first(1000)]


async def test_nothing_is_noted_while_nobody_asks(notes: Notes) -> None:
    await notes.endpoints.add(an_endpoint(1))
    await notes.endpoints.add(an_endpoint(2, names=("plan.*",)))
    await notes.endpoints.add(an_endpoint(3, names=("activity.purchase",)))
    await notes.endpoints.add(an_endpoint(4, names=("activity.*",)).switched_off("because"))

    await notes.store([an_activity(1), an_activity(2)])

    assert await noted(notes) == []


async def test_what_is_asked_for_is_noted_whole_and_in_order(notes: Notes) -> None:
    await notes.endpoints.add(an_endpoint(1, names=("plan.*", "activity.purchase", "activity.cart.*")))
    full = Activity(
        UUID(int=7), "purchase", NOW, "shop", "ñ", Decimal("12.50"), '{"a":[1, "\u00fc"]}', "anon", '{"id":"x"}'
    )
    bare = an_activity(9, type_="cart.added", user=None)
    statement = Activity(UUID(int=10), IDENTIFY, NOW, user_id="ñ", anonymous_id="anon")

    await notes.store([full, an_activity(8), bare, statement])

    found = await notes.outbox.first(1000)
    assert [one.activity for one in found] == [full, bare]
    assert str(found[0].activity.value) == "12.50"
    assert found[0].position < found[1].position
    assert await notes.outbox.first(1) == found[:1]
    assert await notes.outbox.first(0) == []


async def test_what_is_told_is_gone_and_no_position_comes_again(notes: Notes) -> None:
    await notes.endpoints.add(an_endpoint(names=("activity.*",)))
    await notes.store([an_activity(1), an_activity(2)])
    first, second = await notes.outbox.first(10)

    await notes.outbox.tell({first.position: [], second.position: []})
    await notes.outbox.tell({second.position: []})
    await notes.store([an_activity(3)])
    await notes.outbox.tell({first.position: [], second.position: []})

    [third] = await notes.outbox.first(10)
    assert third.activity == an_activity(3)
    assert third.position > second.position


def a_message_of(activity: Activity, to: int = 1) -> Message:
    return Message(
        endpoint_id=UUID(int=to),
        event_id=notice_id(activity.activity_id),
        name="activity.view",
        subject=subject_of(activity),
        body="{}",
        created_at=NOW,
    )


async def test_deliveries_are_made_in_order_and_of_a_note_that_is_gone_none(notes: Notes) -> None:
    for number in (1, 2):
        await notes.endpoints.add(an_endpoint(number, names=("activity.*",)))
    await notes.store([an_activity(number) for number in range(1, 4)])
    first, second, third = await notes.outbox.first(10)
    await notes.outbox.tell({second.position: []})

    given = {one.position: [a_message_of(one.activity, to) for to in (1, 2)] for one in (first, second, third)}
    for _ in range(2):
        await notes.outbox.tell(given)

    assert await notes.outbox.first(10) == []
    for number in (1, 2):
        told = [row.delivery.message for row in await notes.log.newest(UUID(int=number), 10)]
        assert told == [a_message_of(one.activity, number) for one in (third, first)]


async def test_an_activity_that_is_known_already_is_not_noted_again(activity_sql: SqlActivityBackend) -> None:
    database = activity_sql.database
    await SqlWebhookEndpoints(database).add(an_endpoint(names=("activity.*",)))
    store = SqlActivityStore(database, UTC)

    await store.store([an_activity(1), an_activity(1)])
    await SqlActivityStore(database, UTC).store([an_activity(1), an_activity(2)])

    assert [one.activity for one in await SqlActivityOutbox(database).first(9)] == [an_activity(1), an_activity(2)]


async def test_what_an_import_stores_is_not_told(activity_sql: SqlActivityBackend) -> None:
    database = activity_sql.database
    await SqlWebhookEndpoints(database).add(an_endpoint(names=("activity.*",)))

    found = await activity_sql.imports().begin(NewImport("mark", "shop.csv", ""), NOW)
    await SqlActivityStore(database, UTC).store([an_activity(1)], found.import_id)

    assert await SqlActivityOutbox(database).first(9) == []


async def test_when_too_many_wait_no_more_are_noted_and_who_asked_counts_them(activity_sql: SqlActivityBackend) -> None:
    database = activity_sql.database
    endpoints = SqlWebhookEndpoints(database)
    asking = [
        an_endpoint(1, names=("activity.*",)),
        an_endpoint(2, names=("activity.purchase",)),
        an_endpoint(3, names=("activity.view", "plan.*")),
        an_endpoint(4),
    ]
    for endpoint in asking:
        await endpoints.add(endpoint)
    some = [an_activity(1), an_activity(2, type_="purchase"), an_activity(3, type_="purchase")]

    for _ in range(3):
        await database.write(lambda connection: note_activities(connection, ActivityColumns.of(some), most=6))

    count = select(func.count()).select_from(activity_outbox)
    assert await database.read(lambda connection: connection.scalar(count)) == 6
    expected = [replace(one, skipped=number) for one, number in zip(asking, (3, 2, 1, 0), strict=True)]
    assert await endpoints.all() == expected


async def test_notes_of_what_is_not_stored_are_not_kept(activity_sql: SqlActivityBackend) -> None:
    database = activity_sql.database
    await SqlWebhookEndpoints(database).add(an_endpoint(names=("activity.*",)))

    def work(connection: object) -> None:
        note_activities(connection, ActivityColumns.of([an_activity(1)]))  # type: ignore[arg-type]  # one of SQLAlchemy
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work)

    assert await SqlActivityOutbox(database).first(9) == []


async def test_an_activity_that_is_taken_out_is_told_to_nobody_any_more(activity_sql: SqlActivityBackend) -> None:
    database = activity_sql.database
    endpoints, deliveries, log = (
        SqlWebhookEndpoints(database),
        SqlWebhookDeliveries(database),
        SqlWebhookLog(database),
    )
    for number in (1, 2):
        await endpoints.add(an_endpoint(number, names=("activity.*",)))
    some = [an_activity(1), an_activity(2, source="shop"), an_activity(3, source="shop", user="bo"), an_activity(4)]
    await activity_sql.store().store([an_activity(5, source="shop", user="cy"), *some])
    [note, *_] = await SqlActivityOutbox(database).first(10)
    messages = [a_message_of(one) for one in (some[1], some[0], some[2], some[3])]
    await deliveries.add(messages)

    await activity_sql.removal().remove(ToRemove(sources=frozenset({"shop"})), frees_ids=False)

    kept = [row.delivery.message.event_id[-1] for row in await log.newest(UUID(int=1), 10)]
    up = [one.message.event_id[-1] for one in await deliveries.due(UUID(int=1), NOW, 10)]
    assert (kept, up) == (["4", "1"], ["1"])
    left = [one.activity for one in await SqlActivityOutbox(database).first(10)]
    assert left == [some[0], some[3]]
    assert note.activity not in left
