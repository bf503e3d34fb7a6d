from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from app.application.manage_webhooks import (
    AddWebhook,
    ChangeWebhookHeaders,
    FindWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    SwitchWebhook,
    TryWebhook,
)
from app.application.ports.webhooks import Replay
from app.domain.webhook_deliveries import UnknownDeliveryError
from app.domain.webhook_errors import InvalidWebhookError, UnknownWebhookError, WebhookNameTakenError
from app.domain.webhook_headers import Header
from app.domain.webhooks import Endpoint, EndpointId
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints
from tests.support.builders import NOW
from tests.support.webhook_world import BROKEN, FINE, WebhookWorld

URL = "https://hook.example.com/in"


class World(WebhookWorld):
    def __post_init__(self) -> None:
        super().__post_init__()
        ids, secrets = count(1), count(1)
        self.add = AddWebhook(
            self.endpoints, self.sender, self.clock, lambda: UUID(int=next(ids)), lambda n: bytes([next(secrets)]) * n
        )
        self.find = FindWebhook(self.endpoints)
        self.switch = SwitchWebhook(self.endpoints, self.deliveries, self.clock)
        self.rotate = RotateWebhookSecret(self.endpoints, self.clock, lambda n: bytes([next(secrets)]) * n)
        self.replay = ReplayWebhook(self.endpoints, self.log, self.clock)
        self.try_out = TryWebhook(self.endpoints, self.sender, self.clock, lambda: UUID(int=7), self._render)

    @staticmethod
    def _render(message_id: str, name: str, at: datetime) -> str:
        return f"{message_id} {name} {at.isoformat()}"


@pytest.fixture
async def world() -> World:
    made = World()
    await made.add("shop", URL, ["plan.*"])
    return made


async def test_a_webhook_is_added_with_a_secret_of_its_own(world: World) -> None:
    other = await world.add("other", URL)

    shop = await world.find("shop")
    assert (shop.url, shop.names, shop.created_at, shop.is_active) == (URL, ("plan.*",), NOW, True)
    assert len(shop.signing(NOW)) == 1
    assert shop.signing(NOW) != other.signing(NOW)
    assert other.names == ()


async def test_a_name_is_given_once(world: World) -> None:
    with pytest.raises(WebhookNameTakenError, match="'shop'"):
        await world.add("shop", URL)


async def test_a_url_that_may_not_be_sent_to_is_refused(world: World) -> None:
    world.sender.private.add("http://10.0.0.1/")

    with pytest.raises(InvalidWebhookError, match="private"):
        await world.add("inner", "http://10.0.0.1/")
    with pytest.raises(UnknownWebhookError):
        await world.find("inner")


async def test_what_nobody_is_called_is_told(world: World) -> None:
    for work in (
        world.find("nobody"),
        world.switch.on("nobody"),
        world.switch.off("nobody"),
        world.rotate("nobody"),
        world.try_out("nobody"),
        world.replay("nobody", Replay()),
    ):
        with pytest.raises(UnknownWebhookError, match="'nobody'"):
            await work


class Vanishing(MemoryWebhookEndpoints):
    """Somebody else is always faster."""

    async def change(self, endpoint_id: EndpointId, change: Callable[[Endpoint], Endpoint]) -> None:  # noqa: ARG002
        return None

    async def remove(self, endpoint_id: EndpointId) -> bool:  # noqa: ARG002
        return False


async def test_one_that_vanishes_while_it_is_changed_is_unknown(world: World) -> None:
    with pytest.raises(UnknownWebhookError):
        await FindWebhook(Vanishing(world.store)).change("shop", lambda endpoint: endpoint)


async def test_switched_off_nothing_is_sent_and_switched_on_what_is_pending_goes_on_at_once(world: World) -> None:
    await world.tell("a", "b")
    world.sender.always = BROKEN
    await world.round()

    off = await world.switch.off("shop")
    assert off.why_off == "somebody switched it off"
    world.clock.move(10)
    assert await world.round() == 0

    world.sender.always = FINE
    assert (await world.switch.on("shop")).is_active
    assert [row.delivery.attempts for row in await world.logged()] == [0, 0]
    assert await world.round() == 2


async def test_a_rotated_secret_signs_together_with_the_old_one(world: World) -> None:
    before = await world.find("shop")

    after = await world.rotate("shop")
    leaked = await world.rotate("shop", timedelta())

    assert after.signing(NOW)[1:] == before.signing(NOW)
    assert len(leaked.signing(NOW)) == 1
    assert await world.find("shop") == leaked


async def test_a_trial_is_sent_at_once_even_to_one_that_is_off_and_judges_nothing(world: World) -> None:
    await world.switch.off("shop")
    world.sender.always = BROKEN

    assert await world.try_out("shop") == BROKEN

    [sent] = world.sender.sent
    assert (sent.name, sent.body) == ("webhook.test", f"{UUID(int=7)} shop {NOW.isoformat()}")
    assert (await world.find("shop")).failures == 0
    assert await world.logged() == []


async def test_what_was_given_up_can_be_sent_again_with_the_same_id(world: World) -> None:
    await world.tell("a", "b")
    world.sender.always = BROKEN
    while "pending" in await world.states():
        await world.round()
        world.clock.move(3600)
    assert await world.states() == ["given_up"] * 2

    world.sender.always = FINE
    assert await world.replay("shop", Replay()) == 2
    world.clock.move(300)
    await world.round()

    assert await world.states() == ["delivered"] * 2
    assert world.sender.ids[-2:] == ["plan-1", "plan-2"]
    assert await world.replay("shop", Replay()) == 0


async def test_one_delivery_or_all_since_an_instant_can_be_sent_again(world: World) -> None:
    await world.tell("a", "b")
    await world.round()

    assert await world.replay("shop", Replay(delivery_id=2)) == 1
    assert await world.states() == ["delivered", "pending"]
    assert await world.replay("shop", Replay(since=NOW)) == 1
    assert await world.replay("shop", Replay(since=NOW + timedelta(seconds=1))) == 0
    with pytest.raises(UnknownDeliveryError, match="no delivery 9"):
        await world.replay("shop", Replay(delivery_id=9))


async def test_headers_are_given_when_it_is_added_and_changed_later() -> None:
    world = World()
    await world.add("shop", URL, headers={"Authorization": "Bearer 1", "X-Shop": "7"})

    changed = await ChangeWebhookHeaders(world.endpoints)("shop", {"authorization": "Bearer 2", "X-Shop": None})

    assert changed.headers == (Header("authorization", "Bearer 2"),)
    assert await world.find("shop") == changed
    with pytest.raises(InvalidWebhookError):
        await ChangeWebhookHeaders(world.endpoints)("shop", {"Host": "x"})
    assert await world.find("shop") == changed


async def test_one_that_is_removed_is_gone_with_its_deliveries_and_cannot_be_removed_twice() -> None:
    world = World()
    await world.add("shop", URL)
    await world.tell("a")

    await RemoveWebhook(world.endpoints)("shop")

    assert (world.store.endpoints, world.store.deliveries) == ({}, {})
    with pytest.raises(UnknownWebhookError):
        await RemoveWebhook(world.endpoints)("shop")


async def test_one_that_somebody_else_removes_meanwhile_is_unknown() -> None:
    world = World(kept_in=Vanishing)
    await world.add("shop", URL)

    with pytest.raises(UnknownWebhookError):
        await RemoveWebhook(world.endpoints)("shop")
