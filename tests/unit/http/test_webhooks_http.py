"""Webhooks over HTTP: as on the command line, and what is secret is shown once or never."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.webhooks.webhooks_router import webhooks_router
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.webhooks.sender import HttpWebhookSender
from tests.support.feed_server import answer
from tests.support.webhook_receiver import Receiver
from tests.support.webhook_world import BROKEN, WebhookWorld

URL = "https://hook.example.com/in?token=hidden"
JSON = {"content-type": "application/json"}


class World(WebhookWorld):
    """The routes over stores in memory and real HTTP; ids and secrets are counted."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.allow_private(allowed=True)

    def allow_private(self, *, allowed: bool) -> None:
        request = PinnedRequest(policy=AddressPolicy(allow_private_networks=allowed))
        core = self.use_cases(HttpWebhookSender(request, SystemClock(), timeout=10), SystemClock())
        transport = httpx.ASGITransport(create_api([webhooks_router(core)], "test"))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        return await self.client.request(method, path, content=content, headers=JSON if content else {})

    async def ok(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answered = await self.ask(method, path, body)
        assert answered.status_code == status, answered.text
        return answered.json() if answered.content else None

    async def added(self, name: str = "shop", url: str = URL, **more: Any) -> dict[str, Any]:
        return dict(await self.ok("POST", "/webhooks", {"name": name, "url": url, **more}, 201))

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
        answered = await self.ask(method, path, body)
        error = answered.json()["error"]
        return answered.status_code, error["code"], error["message"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.client.aclose()


@pytest.fixture
def server() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


async def test_a_secret_is_shown_when_it_is_made_and_nothing_secret_ever_again(world: World) -> None:
    given = {"name": "shop", "url": URL, "names": ["plan.changed", "user.*"], "headers": {"Authorization": "Bearer 7"}}
    made = await world.ask("POST", "/webhooks", given)

    assert made.status_code == 201
    assert (made.headers["location"], made.headers["cache-control"]) == ("/webhooks/shop", "no-store")
    [endpoint] = world.store.endpoints.values()
    assert made.json() == {
        "id": str(endpoint.endpoint_id),
        "name": "shop",
        "url": "https://hook.example.com/in?token=...",
        "names": ["plan.changed", "user.*"],
        "headers": ["Authorization"],
        "is_active": True,
        "why_off": None,
        "created_at": "2026-01-05T12:00:00.000Z",
        "failing_since": None,
        "failures": 0,
        "paused_until": None,
        "skipped": 0,
        "secret": endpoint.secrets[0].text,
    }
    fares = {"state": "on", "pending": 0, "given_up": 0}
    shown = {name: value for name, value in made.json().items() if name != "secret"} | fares
    assert await world.ok("GET", "/webhooks/shop") == shown
    assert await world.ok("GET", "/webhooks") == [shown]


async def test_one_without_names_is_told_of_everything(world: World) -> None:
    assert (await world.added())["names"] == ["*"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "ftp://x.example"}, "url: expected http:// or https://"),
        ({"url": "https://a:b@hook.example.com"}, "without user and password"),
        ({"name": "a b"}, "name: 1 to 64"),
        ({"names": ["plan.gone"]}, "nothing is called 'plan.gone'"),
        ({"headers": {"Host": "secret"}}, "headers: Host is said by Marquee"),
        ({"headers": {"X": "secret\r\nHost: y"}}, "headers: the value of X"),
    ],
)
async def test_what_cannot_be_used_is_told_and_nothing_secret_repeated(
    world: World, wrong: dict[str, Any], said: str
) -> None:
    status, code, message = await world.refused("POST", "/webhooks", {"name": "shop", "url": URL} | wrong)

    assert (status, code) == (400, "invalid_webhook")
    assert said in message
    assert "secret" not in message
    assert not world.store.endpoints


async def test_what_is_no_webhook_at_all_is_refused(world: World) -> None:
    bodies: tuple[Any, ...] = (
        {},
        {"name": "shop"},
        {"name": "shop", "url": URL, "more": 1},
        {"name": 1, "url": URL},
        [],
    )
    for body in bodies:
        assert (await world.ask("POST", "/webhooks", body)).status_code == 400, body


async def test_addresses_that_are_not_public_are_refused(world: World) -> None:
    world.allow_private(allowed=False)
    for url in ("http://127.0.0.1:9000/", "http://[::1]/", "http://169.254.169.254/latest", "http://10.1.2.3/"):
        status, code, message = await world.refused("POST", "/webhooks", {"name": "inner", "url": url})

        assert (status, code) == (400, "invalid_webhook")
        assert "has an address that is not public" in message
    assert not world.store.endpoints


async def test_a_name_is_given_once_and_what_has_none_is_unknown(world: World) -> None:
    await world.added()

    assert (await world.refused("POST", "/webhooks", {"name": "shop", "url": URL}))[:2] == (409, "webhook_name_taken")
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/secret", None),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
        ("POST", "/replay", {"failed": True}),
    ):
        assert (await world.refused(method, f"/webhooks/nobody{path}", body))[:2] == (404, "unknown_webhook")


async def test_it_is_switched_off_and_on_and_its_headers_are_merged(world: World) -> None:
    await world.added(headers={"A": "1", "B": "2"})

    off = await world.ok("PATCH", "/webhooks/shop", {"is_active": False})
    changed = await world.ok("PATCH", "/webhooks/shop", {"headers": {"b": None, "C": "3"}})
    on = await world.ok("PATCH", "/webhooks/shop", {"is_active": True})

    assert (off["is_active"], off["state"], off["headers"]) == (False, "off: somebody switched it off", ["A", "B"])
    assert (changed["is_active"], changed["headers"]) == (False, ["A", "C"])
    assert (on["is_active"], on["state"], on["headers"]) == (True, "on", ["A", "C"])
    refused = await world.refused("PATCH", "/webhooks/shop", {"headers": {"Host": "x"}, "is_active": False})
    assert refused[:2] == (400, "invalid_webhook")
    assert (await world.ok("GET", "/webhooks/shop"))["is_active"]


async def test_switching_it_on_ends_a_pause(world: World) -> None:
    endpoint = await world.added()
    await world.tell(*"abcde", to=1)
    world.sender.always = BROKEN
    await world.round()
    assert "paused until" in (await world.ok("GET", "/webhooks/shop"))["state"]

    on = await world.ok("PATCH", "/webhooks/shop", {"is_active": True})

    assert (endpoint["id"], on["state"], on["pending"]) == (on["id"], "on", 5)


async def test_a_new_secret_replaces_the_one_before(world: World) -> None:
    first = (await world.added())["secret"]

    second = await world.ok("POST", "/webhooks/shop/secret")
    [endpoint] = world.store.endpoints.values()
    assert (endpoint.secrets[0].text, endpoint.secrets[1].text) == (second["secret"], first)
    third = await world.ask("POST", "/webhooks/shop/secret", {"at_once": True})

    [endpoint] = world.store.endpoints.values()
    assert [secret.text for secret in endpoint.secrets] == [third.json()["secret"]]
    assert third.headers["cache-control"] == "no-store"


async def test_too_many_secrets_at_a_time_are_refused(world: World) -> None:
    await world.added()
    for _ in range(3):
        await world.ok("POST", "/webhooks/shop/secret")

    assert (await world.refused("POST", "/webhooks/shop/secret"))[:2] == (400, "invalid_webhook")


async def test_a_trial_sends_a_signed_message_and_tells_the_answer(world: World, server: Receiver) -> None:
    secret = (await world.added(url=server.url, headers={"X-Shop": "7"}))["secret"]

    fine = await world.ok("POST", "/webhooks/shop/test")
    server.answers(answer(500))
    broken = await world.ok("POST", "/webhooks/shop/test")

    assert (fine["status"], fine["error"], broken["status"]) == (204, None, 500)
    assert broken["error"] == "answered 500 Internal Server Error"
    got = server.diary.received[0]
    assert got.is_signed_with(secret)
    assert (got.envelope["type"], got.request.headers["x-shop"]) == ("marquee.webhook.test.v1", "7")


async def test_deliveries_are_listed_and_sent_again(world: World) -> None:
    await world.added()
    await world.tell("a", "b")
    [second, first] = await world.ok("GET", "/webhooks/shop/deliveries")
    assert (first["webhook_id"], first["state"], first["last_attempt"]) == ("plan-1", "pending", None)
    await world.round()

    [newest] = await world.ok("GET", "/webhooks/shop/deliveries?limit=1")

    assert (newest["id"], newest["state"], newest["last_attempt"]["status"]) == (second["id"], "delivered", 204)
    for body, count in (
        ({"failed": True}, 0),
        ({"delivery_id": first["id"]}, 1),
        ({"since": "2026-01-05T12:00:00Z"}, 1),
    ):
        assert await world.ok("POST", "/webhooks/shop/replay", body) == {"deliveries": count}
    assert await world.states() == ["pending"] * 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "invalid_webhook")),
        ({"failed": True, "delivery_id": 1}, (400, "invalid_webhook")),
        ({"since": "yesterday"}, (400, "invalid_date_time")),
        ({"delivery_id": 9}, (404, "unknown_delivery")),
        ({"delivery_id": None}, (400, "invalid_webhook")),
        ({"delivery_id": 9.0}, (404, "unknown_delivery")),
        ({"delivery_id": 9.5}, (400, "invalid_request")),
        ({"delivery_id": 1e300}, (400, "invalid_request")),
        ({"delivery_id": "9"}, (400, "invalid_request")),
        ({"delivery_id": 10**20}, (400, "invalid_request")),
        ({"delivery_id": 0}, (400, "invalid_request")),
    ],
)
async def test_replay_says_what_is_wrong(world: World, body: dict[str, Any], expected: tuple[int, str]) -> None:
    await world.added()

    assert (await world.refused("POST", "/webhooks/shop/replay", body))[:2] == expected


async def test_one_is_removed_with_its_deliveries(world: World) -> None:
    await world.added()
    await world.tell("a")

    await world.ok("DELETE", "/webhooks/shop", status=204)

    assert (world.store.endpoints, world.store.deliveries) == ({}, {})


async def test_a_history_that_is_away_is_told(world: World) -> None:
    world.store.unavailable = "the database is away"

    assert (await world.refused("GET", "/webhooks"))[:2] == (503, "history_unavailable")
