"""`marquee webhooks` as its users meet it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
from typer.testing import CliRunner, Result

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.inbound.answering.webhook_answers import shown_url
from app.adapters.inbound.cli.saying import NO_TERMINAL
from app.adapters.inbound.cli.webhook_commands import add_webhook_commands
from app.adapters.inbound.use_cases.webhooks_use_cases import WebhooksUseCases
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.webhooks.sender import HttpWebhookSender
from app.domain.webhook_deliveries import Answer
from app.domain.webhooks import Endpoint, EndpointId
from tests.fakes.webhook_endpoints import MemoryWebhookEndpoints
from tests.support.feed_server import answer
from tests.support.webhook_receiver import Receiver
from tests.support.webhook_world import BROKEN, GONE, WebhookWorld

URL = "https://hook.example.com/in?token=hidden"
BUSY = Answer(status=429, took=0.01, error="answered 429", retry_after=120)


class Vanishing(MemoryWebhookEndpoints):
    """Somebody else is always faster."""

    async def remove(self, endpoint_id: EndpointId) -> bool:  # noqa: ARG002 - the port's
        return False


class World(WebhookWorld):
    """The commands over memory adapters and real HTTP."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cli = typer.Typer()
        self.allow_private = True
        add_webhook_commands(self.cli, self._core)

    @asynccontextmanager
    async def _core(self) -> AsyncIterator[WebhooksUseCases]:
        request = PinnedRequest(policy=AddressPolicy(allow_private_networks=self.allow_private))
        sender = HttpWebhookSender(request, SystemClock(), timeout=1)
        yield self.use_cases(sender, SystemClock())

    def run(self, *arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(self.cli, ["webhooks", *arguments], input=given)

    def ok(self, *arguments: str, given: str | None = None) -> str:
        done = self.run(*arguments, given=given)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def refused(self, *arguments: str, code: int = 2) -> str:
        done = self.run(*arguments)
        assert (done.exit_code, done.stdout) == (code, "")
        return done.stderr

    def only(self) -> Endpoint:
        [endpoint] = self.store.endpoints.values()
        return endpoint


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def server() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def test_add_prints_the_secret_and_nothing_else_ever_does(world: World) -> None:
    said = world.ok("add", "shop", URL, "--names", "plan.changed, user.*")

    secret = world.only().secrets[0].text
    assert secret in said
    assert "shop hears of plan.changed, user.* at https://hook.example.com/in?token=..." in said
    assert "marquee webhooks test shop" in said
    for command in (["list"], ["show", "shop"], ["log", "shop"], ["list", "--json"], ["show", "shop", "--json"]):
        shown = world.ok(*command)
        assert "whsec_" not in shown
        assert "hidden" not in shown


def test_add_for_programs(world: World) -> None:
    added = world.json("add", "shop", URL)

    assert added["secret"] == world.only().secrets[0].text
    assert (added["name"], added["names"], added["is_active"]) == ("shop", ["*"], True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop", "ftp://x"], "url: expected http:// or https://"),
        (["shop", "https://a:b@hook.example.com"], "without user and password"),
        (["a b", URL], "name: 1 to 64"),
        (["shop", URL, "--names", "plan.gone"], "nothing is called 'plan.gone'; choose from plan.listed"),
    ],
)
def test_add_says_what_is_wrong(world: World, arguments: list[str], said: str) -> None:
    assert said in world.refused("add", *arguments)


def test_headers_are_sent_and_their_values_shown_by_nothing(world: World, server: Receiver, tmp_path: Path) -> None:
    lines = tmp_path / "headers"
    lines.write_text("X-Shop: 7\n\nauthorization:Bearer kept\n")

    said = [world.ok("add", "shop", server.url, "--header", "Authorization: Bearer first", "--header", f"@{lines}")]
    said += [world.ok(*command) for command in (["show", "shop"], ["list", "--json"], ["show", "shop", "--json"])]
    world.ok("test", "shop")

    assert not any(secret in text for text in said for secret in ("Bearer", "first", "kept"))
    assert world.json("show", "shop")["headers"] == ["authorization", "X-Shop"]
    assert "own headers authorization, X-Shop" in " ".join(said[1].split())
    headers = server.diary.received[0].request.headers
    assert (headers["authorization"], headers["x-shop"]) == ("Bearer kept", "7")


def test_headers_are_changed_and_those_that_are_not_named_stay(world: World) -> None:
    world.ok("add", "shop", URL, "--header", "A: 1", "--header", "B: 2")

    assert world.ok("headers", "shop", "--header", "C: 3", "--without", "b") == "own headers of shop: A, C\n"
    assert world.ok("headers", "shop", "--without", "A", "--without", "C") == "own headers of shop: none\n"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Bearer secret", "expected 'NAME: VALUE'"),
        ("Host: secret", "Host is said by Marquee or by the connection itself"),
        ("@/nowhere/secret", "/nowhere/secret cannot be read: No such file"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(world: World, header: str, said: str) -> None:
    assert said in world.refused("add", "shop", URL, "--header", header)
    assert not world.store.endpoints


def test_a_file_of_headers_that_is_no_text_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe: x")

    assert "binary cannot be read: it is not UTF-8" in world.refused(
        "add", "shop", URL, "--header", f"@{tmp_path}/binary"
    )


def test_a_private_address_is_refused_with_what_to_do(world: World) -> None:
    world.allow_private = False

    said = world.refused("add", "inner", "http://127.0.0.1:9000/")

    assert said == (
        "marquee: url: 127.0.0.1 has an address that is not public; `webhooks.allow_private_networks: true` allows it\n"
    )
    assert not world.store.endpoints


def test_a_name_is_given_once(world: World) -> None:
    world.ok("add", "shop", URL)

    assert "a webhook is called 'shop' already" in world.refused("add", "shop", URL)


@pytest.mark.parametrize("command", ["show", "enable", "disable", "rotate", "test", "log"])
def test_what_nobody_is_called_is_told(world: World, command: str) -> None:
    assert "no webhook is called 'nobody'" in world.refused(command, "nobody")


def test_list_and_show_say_how_it_fares(world: World) -> None:
    world.ok("add", "shop", URL, "--names", "plan.*")
    asyncio.run(world.tell("a", "b"))
    world.sender.always = BROKEN
    asyncio.run(world.round())

    listed = world.ok("list")
    assert all(word in listed for word in ("shop", "plan.*", "failing (2 in a row)"))
    [row] = world.json("list")
    assert (row["pending"], row["given_up"], row["failures"]) == (2, 0, 2)
    assert row["failing_since"] == "2026-01-05T12:00:00.000Z"
    shown = world.ok("show", "shop")
    assert "fails since 2026-01-05 12:00:00Z" in " ".join(shown.split())
    assert "secrets that sign 1" in " ".join(shown.split())
    world.ok("disable", "shop")
    assert "off: somebody switched it off" in world.ok("show", "shop")
    assert "off: somebody switched it off" in world.ok("list")


def test_list_and_show_say_until_when_it_is_paused(world: World) -> None:
    world.ok("add", "shop", URL)
    asyncio.run(world.tell("a"))
    world.sender.always = BUSY
    asyncio.run(world.round())

    for command in (["list"], ["show", "shop"]):
        assert "failing (1 in a row), paused until 2026-01-05 12:02:00Z" in world.ok(*command)
    assert world.json("show", "shop")["state"] == "failing (1 in a row), paused until 2026-01-05 12:02:00Z"
    world.clock.move(120)
    assert "paused" not in world.ok("list")


def test_list_says_why_it_went_off(world: World) -> None:
    world.ok("add", "shop", URL)
    asyncio.run(world.tell("a"))
    world.sender.always = GONE
    asyncio.run(world.round())

    assert "off: answered 410 Gone" in world.ok("list")


def test_log_says_when_it_is_tried_next_and_not_sooner(world: World) -> None:
    world.ok("add", "shop", URL)
    asyncio.run(world.tell("a"))
    world.sender.always = BUSY
    asyncio.run(world.round())

    assert world.ok("log", "shop").rstrip().endswith(" 2026-01-05 12:02:00Z")
    assert world.json("log", "shop")[0]["next_attempt_at"] == "2026-01-05T12:02:00.000Z"
    asyncio.run(world.tell("a"))
    world.ok("disable", "shop")
    behind, first = world.ok("log", "shop").rstrip().splitlines()[1:]
    assert first.rstrip().endswith(" when enabled")
    assert behind.rstrip().endswith(" -")
    row = world.json("log", "shop")[1]
    assert (row["next_attempt_at"], row["webhook_state"]) == (None, "off: somebody switched it off")


def test_remove_asks_first(world: World) -> None:
    world.ok("add", "shop", URL)

    asked = world.run("remove", "shop", given="y\n")

    assert (asked.exit_code, asked.stderr) == (2, f"marquee: {NO_TERMINAL}\n")
    assert world.store.endpoints
    assert world.ok("remove", "shop", "--yes") == "removed: shop\n"
    assert not world.store.endpoints
    assert "no webhook" in world.refused("remove", "shop", "--yes")


def test_one_that_vanishes_while_it_is_removed_is_unknown() -> None:
    world = World(kept_in=Vanishing)
    world.ok("add", "shop", URL)

    assert "no webhook" in world.refused("remove", "shop", "--yes")


def test_enable_and_disable(world: World) -> None:
    world.ok("add", "shop", URL)

    assert world.ok("disable", "shop") == "off: shop\n"
    assert not world.only().is_active
    assert "off" in world.ok("list")
    assert world.ok("enable", "shop") == "on: shop\n"
    assert world.only().is_active


def test_rotate_prints_the_new_secret_and_until_when_the_old_one_signs(world: World) -> None:
    world.ok("add", "shop", URL)
    old = world.only().secrets[0].text

    said = world.ok("rotate", "shop")

    new = world.only().secrets[0].text
    assert new != old
    assert new in said
    assert old not in said
    assert "the one before signs until 2026-01-06 12:00:00Z" in said
    assert "no other one signs any more" in world.ok("rotate", "shop", "--at-once")
    assert world.json("rotate", "shop", "--at-once")["secret"] == world.only().secrets[0].text


def test_test_sends_a_signed_message_and_shows_the_answer(world: World, server: Receiver) -> None:
    world.ok("add", "shop", server.url)

    assert world.ok("test", "shop").startswith("answered 204 (")
    assert world.json("test", "shop")["status"] == 204

    got = server.diary.received[0]
    assert got.envelope["type"] == "marquee.webhook.test.v1"
    assert got.is_signed_with(world.only().secrets[0].text)


def test_a_good_test_says_how_what_waits_is_sent_at_once(world: World, server: Receiver) -> None:
    world.ok("add", "shop", server.url)
    assert world.run("test", "shop").stderr == ""
    asyncio.run(world.tell("a", "b"))

    done = world.run("test", "shop")

    assert done.stderr == "marquee: pending: 2; `marquee webhooks enable shop` sends what waits at once\n"
    server.answers(answer(500))
    assert "pending" not in world.refused("test", "shop", code=1)


def test_listen_names_an_address_that_is_taken(world: World, server: Receiver) -> None:
    world.ok("add", "shop", server.url)

    said = world.refused("listen", "shop", code=1)

    assert "cannot be listened on (Address already in use); end what uses it" in said
    assert f":{urlsplit(server.url).port} " in said


def test_test_says_what_went_wrong(world: World, server: Receiver) -> None:
    world.ok("add", "shop", server.url)
    server.answers(answer(500))

    assert "answered 500 Internal Server Error" in world.refused("test", "shop", code=1)
    done = world.run("test", "shop", "--json")
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (1, 500)


def test_log_and_replay(world: World) -> None:
    world.ok("add", "shop", URL)
    asyncio.run(world.tell("a", "b"))
    assert "-" in world.ok("log", "shop")
    asyncio.run(world.round())

    assert "delivered" in world.ok("log", "shop")
    rows = world.json("log", "shop", "--limit", "1")
    assert [(row["webhook_id"], row["state"], row["last_attempt"]["status"]) for row in rows] == [
        ("plan-2", "delivered", 204)
    ]
    assert world.ok("replay", "shop", "--failed") == "to be sent again: 0\n"
    assert world.ok("replay", "shop", "--delivery", "1") == "to be sent again: 1\n"
    assert world.ok("replay", "shop", "--since", "2026-01-05T12:00:00Z") == "to be sent again: 1\n"
    assert asyncio.run(world.states()) == ["pending"] * 2
    never = world.json("log", "shop")[0]
    assert never["next_attempt_at"] == "2026-01-05T12:00:00.000Z"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say one of --delivery ID, --failed, --since INSTANT"),
        (["--failed", "--delivery", "1"], "say one of"),
        (["--since", "yesterday"], "--since: 'yesterday' is not a date-time"),
        (["--delivery", "9"], "no delivery 9 that has ended"),
        (["--delivery", str(10**20)], "--delivery"),
        (["--delivery", str(-(10**20))], "--delivery"),
    ],
)
def test_replay_says_what_is_wrong(world: World, arguments: list[str], said: str) -> None:
    world.ok("add", "shop", URL)

    assert said in world.refused("replay", "shop", *arguments)


def test_a_history_that_is_away_is_told(world: World) -> None:
    world.store.unavailable = "the database is away"

    assert world.refused("list", code=1) == "marquee: the database is away\n"


def test_a_url_is_shown_without_what_may_be_secret() -> None:
    assert shown_url("https://a.example/x?k=v&l=w#f") == "https://a.example/x?k=...&l=..."
    assert shown_url("https://a.example/x") == "https://a.example/x"
