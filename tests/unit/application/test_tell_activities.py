"""Activities that were stored become deliveries: each once, in order, and never more than may wait."""

from dataclasses import replace

import msgspec
import pytest

from app.application.ports.system import HistoryUnavailableError
from app.application.tell_activities import BATCH
from app.domain.activities import Activity
from tests.support.builders import an_activity
from tests.support.webhook_world import WebhookWorld, an_endpoint


def bought(first: int, count: int = 1, value: str | None = None) -> list[Activity]:
    return [an_activity(number, type_="purchase", value=value) for number in range(first, first + count)]


async def told(world: WebhookWorld, number: int = 1) -> list[str]:
    return [row.delivery.message.event_id[-2:] for row in await world.logged(number)]


async def test_each_endpoint_is_told_what_it_asked_for_in_order() -> None:
    world = WebhookWorld()
    await world.endpoints.add(an_endpoint(1, names=("activity.*",)))
    await world.endpoints.add(an_endpoint(2, names=("activity.purchase", "plan.*")))
    await world.endpoints.add(an_endpoint(3))
    world.outbox.note([an_activity(1), *bought(2, value="12.50"), an_activity(3)])

    assert not await world.tell_activities()

    assert [await told(world, number) for number in (1, 2, 3)] == [["01", "02", "03"], ["02"], []]
    [row] = await world.logged(2)
    message = row.delivery.message
    assert (message.name, message.subject) == ("activity.purchase", "visitors/ana")
    said = msgspec.json.decode(message.body)
    assert (said["type"], said["id"], said["subject"]) == (
        "marquee.activity.purchase.v1",
        message.event_id,
        message.subject,
    )
    assert said["data"] == {
        "id": "00000000-0000-0000-0000-000000000002",
        "type": "purchase",
        "occurred_at": "2026-01-05T12:00:00.000000Z",
        "source": None,
        "user_id": "ana",
        "anonymous_id": None,
        "value": 12.5,
        "properties": None,
        "origin": None,
    }
    assert await world.outbox.first(10) == []


async def test_without_notes_nobody_is_looked_for() -> None:
    world = WebhookWorld()
    await world.endpoints.add(an_endpoint(names=("activity.*",)))

    assert not await world.tell_activities()

    assert await told(world) == []


async def test_there_may_be_more_after_a_whole_batch() -> None:
    world = WebhookWorld(max_pending=10 * BATCH)
    await world.endpoints.add(an_endpoint(names=("activity.*",)))
    world.outbox.note(bought(1, BATCH + 1))

    assert await world.tell_activities()
    assert not await world.tell_activities()
    assert len(await world.logged()) == BATCH + 1


async def test_what_comes_again_after_a_crash_is_told_once() -> None:
    world = WebhookWorld()
    await world.endpoints.add(an_endpoint(names=("activity.*",)))
    world.outbox.note(bought(1, 2))
    await world.tell_activities()
    world.outbox.note(bought(1, 3))

    await world.tell_activities()

    assert await told(world) == ["01", "02", "03"]


async def test_an_endpoint_to_which_too_much_waits_misses_activities_and_says_so_once() -> None:
    world = WebhookWorld(max_pending=3)
    await world.endpoints.add(an_endpoint(1, names=("activity.*",)))
    await world.endpoints.add(an_endpoint(2, names=("activity.*",)))
    for first in (1, 3, 5):
        world.outbox.note(bought(first, 2))
        await world.tell_activities()

    assert await told(world) == await told(world, 2) == ["01", "02", "03"]
    assert [(await world.endpoint(number)).skipped for number in (1, 2)] == [3, 3]
    assert [endpoint.name for endpoint in world.skipping] == ["hook-1", "hook-2"]

    await world.round()
    world.outbox.note(bought(7))
    await world.tell_activities()

    assert await told(world) == ["01", "02", "03", "07"]


async def test_one_that_went_off_or_away_meanwhile_is_not_told() -> None:
    world = WebhookWorld()
    await world.endpoints.add(endpoint := an_endpoint(names=("activity.*",)))
    world.outbox.note(bought(1))
    await world.endpoints.change(endpoint.endpoint_id, lambda found: replace(found, is_active=False))

    await world.tell_activities()

    assert await told(world) == []
    assert await world.outbox.first(1) == []


async def test_a_history_that_is_away_loses_nothing() -> None:
    world = WebhookWorld()
    await world.endpoints.add(an_endpoint(names=("activity.*",)))
    world.outbox.note(bought(1))
    world.store.unavailable = "the database is away"

    with pytest.raises(HistoryUnavailableError):
        await world.tell_activities()

    world.store.unavailable = None
    await world.tell_activities()
    assert await told(world) == ["01"]
