"""Keys that pages show to the world: where they may stand, from where they post what, and how they are limited."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope
from structlog.testing import capture_logs

from app.adapters.inbound.http.access.access_errors import MisplacedKeyError
from app.adapters.inbound.http.access.body_keys import take_key
from app.adapters.inbound.http.access.cors import with_cors
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.local_areas import LocalAreas
from app.adapters.inbound.http.access.posting_gate import MOST_UNKNOWN, PostingGate
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door
from app.adapters.outbound.limits.local_rate_limiter import LocalRateLimiter
from app.application.authenticate import Authenticate
from app.application.ports.limits import Bucket, Rate
from app.application.record_activities import RecordActivities
from app.domain.access import OPEN_ELSEWHERE, OPENABLE, Area, OnlyActivitiesError, Role
from app.domain.activities import ActivityRules
from app.domain.api_keys import PUBLISHABLE_PREFIX, compose, digest_of
from app.domain.publishable_keys import Publishable
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.access_builders import a_key, a_user, key_text
from tests.support.asgi import Sent
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import LIMITS
from tests.support.remembering_queue import RememberingQueue

SHOP, OTHER = "https://shop.example", "https://evil.example"
SECRET = key_text(9)
"""A writer's, as servers have it."""
VIEW = {"type": "page_view", "user_id": "ana"}


def published(number: int = 1) -> str:
    return compose(f"{number:010}", f"{number:032}", PUBLISHABLE_PREFIX)


async def nowhere(_scope: Scope, _receive: Any, _send: Any) -> None:
    raise AssertionError("nothing but posts is asked here")


class World:
    """The door of activities behind its gate, CORS around it, over stores in memory."""

    def __init__(self, *anonymous: Area, rate: Rate | None = None, cors_origins: tuple[str, ...] = ()) -> None:
        self.store = AccessStore()
        writer = a_user(1, role=Role.WRITER)
        self.store.users[writer.user_id] = writer
        self.store.keys["0000000009"] = a_key(9)
        self.add(1, SHOP)
        self.authenticate = Authenticate(MemoryApiKeys(self.store), FixedClock(), pause=0.001)
        limiter = LocalRateLimiter({Bucket.INGEST: rate}, now=lambda: 1000.0) if rate else None
        local = LocalAreas(OPENABLE - OPEN_ELSEWHERE if anonymous else frozenset())
        self.gatekeeper = Gatekeeper(
            self.authenticate, frozenset(anonymous), limiter, local=local, limited=(Bucket.INGEST,)
        )
        self.queue = RememberingQueue()
        gate = PostingGate(self.gatekeeper, self.authenticate.expects, cors_origins)
        ids = iter(range(1, 1000))
        record = RecordActivities(self.queue, FixedClock(), ActivityRules(), lambda: UUID(int=next(ids)))
        app = IngestApp(
            nowhere, Door(record, replace(LIMITS, body=2 * MOST_UNKNOWN)), lambda *_: None, gate, errors=ERRORS
        )
        self.app = with_cors(app, cors_origins, self.authenticate.expects)
        self.read = 0

    def add(self, number: int, *origins: str, types: tuple[str, ...] = ()) -> str:
        text = published(number)
        key = replace(a_key(number), digest=digest_of(text), publishable=Publishable.of(origins, types))
        self.store.keys[key.key_id] = key
        self.store.version += 1
        return text

    async def post(
        self,
        body: Any = VIEW,
        *headers: tuple[str, str],
        key: str | None = None,
        origin: str | None = SHOP,
        kind: str | None = "application/json",
        path: str = "/events",
        client: str = "192.0.2.1",
        method: str = "POST",
        host: str = "localhost",
    ) -> Sent:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = [("host", host), *headers]
        fields += [("content-type", kind)] if kind else []
        fields += [("origin", origin)] if origin is not None else []
        messages: list[Message] = []

        async def receive() -> Message:
            self.read += 1
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        scope: Scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "query_string": f"key={key}".encode() if key else b"",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "client": (client, 1),
            "headers": [(name.encode(), value.encode()) for name, value in fields],
        }
        await self.app(scope, receive, send)
        answer = b"".join(message.get("body", b"") for message in messages[1:])
        return Sent(messages[0]["status"], dict(messages[0]["headers"]), answer)

    async def known(self) -> None:
        """Wait until whoever watches has looked."""
        await asyncio.sleep(0.02)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async for made in watched(World()):
        yield made


@pytest.fixture
async def open_world() -> AsyncIterator[World]:
    async for made in watched(World(*OPENABLE)):
        yield made


async def watched(world: World) -> AsyncIterator[World]:
    watch = asyncio.create_task(world.authenticate.watch())
    await world.known()
    yield world
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch


def code_of(sent: Sent) -> tuple[int, str]:
    return sent.status, json.loads(sent.body)["error"]["code"]


async def test_it_stands_in_the_url_in_a_header_or_in_the_body(world: World) -> None:
    key, batch = published(), {"events": [VIEW]}

    answers = [
        await world.post(key=key),
        await world.post(VIEW, ("authorization", f"Bearer {key}")),
        await world.post(VIEW, ("x-api-key", key), key=key),
        await world.post({"key": key, **VIEW}),
        await world.post({**VIEW, "key": key}, kind="text/plain;charset=UTF-8"),
        await world.post({"key": key, **batch}, path="/events/batch"),
        await world.post({**batch, "writeKey": key}, path="/events/batch"),
        await world.post({"key": key, **VIEW}, ("x-api-key", key)),
    ]

    assert [sent.status for sent in answers] == [202] * 8
    assert all(key not in str(activity) for activity in world.queue.appended)
    assert all(SHOP.encode() == sent.headers[b"access-control-allow-origin"] for sent in answers)


async def test_it_is_for_activities_of_pages_of_its_origins_alone(world: World) -> None:
    sent = [await world.post(key=published(), origin=origin) for origin in (OTHER, "null", None, SHOP + ":8443")]

    assert [code_of(one) for one in sent] == [(403, "origin_not_allowed")] * 4
    assert all(b"access-control-allow-origin" not in one.headers for one in sent)
    with pytest.raises(OnlyActivitiesError):
        await world.gatekeeper.admit(
            {"method": "GET", "headers": [(b"x-api-key", published().encode())], "client": None, "query_string": b""},
            Area.STATS,
        )
    assert world.queue.appended == []


async def test_one_for_any_origin_is_for_whoever_is_no_page_too(world: World) -> None:
    key = world.add(2, "*")
    await world.known()

    assert [(await world.post(key=key, origin=origin)).status for origin in (OTHER, "null", None, SHOP)] == [202] * 4


async def test_where_ingest_is_open_its_promise_is_kept_as_well(open_world: World) -> None:
    limited = open_world.add(2, SHOP, types=("page_view",))
    await open_world.known()

    assert code_of(await open_world.post(key=limited, origin=OTHER)) == (403, "origin_not_allowed")
    assert code_of(await open_world.post({"key": limited, **VIEW}, origin=OTHER)) == (403, "origin_not_allowed")
    assert code_of(await open_world.post({"type": "purchase"}, key=limited)) == (400, "type_not_allowed")
    assert (await open_world.post({"type": "purchase"})).status == 202


async def test_a_type_that_it_may_not_post_costs_the_others_nothing(world: World) -> None:
    key = world.add(2, SHOP, types=("page_view",))
    await world.known()

    sent = await world.post([VIEW, {"type": "purchase"}], key=key)

    answer = json.loads(sent.body)
    assert (answer["accepted"], answer["refused"]) == (1, 1)
    assert answer["results"][1]["error"]["code"] == "type_not_allowed"


@pytest.mark.parametrize("open_", [False, True])
async def test_a_secret_key_in_a_url_or_a_body_is_refused_and_never_kept(open_: bool) -> None:
    async for world in watched(World(*OPENABLE) if open_ else World()):
        with capture_logs() as lines:
            sent = [
                await world.post(key=SECRET),
                await world.post(key=SECRET, origin=None),
                await world.post({"key": SECRET, **VIEW}),
                await world.post({"key": SECRET, **VIEW}, ("x-api-key", SECRET), origin=None),
            ]

        assert [code_of(one) for one in sent] == [(400, "misplaced_key")] * 4
        assert SECRET not in str(lines) + str([one.body for one in sent])
        assert world.queue.appended == []


async def test_a_body_is_read_for_its_key_only_from_pages_that_may_have_one(world: World) -> None:
    refused = [
        await world.post({"key": published(), **VIEW}, origin=OTHER),
        await world.post({"key": published(), **VIEW}, origin=None),
        await world.post(VIEW, ("authorization", "Basic ???")),
    ]
    unread = world.read
    without = await world.post()

    assert [code_of(one) for one in (*refused, without)] == [(401, "unauthenticated")] * 4
    assert (unread, world.read) == (0, 1)


async def test_and_only_so_much_of_it(world: World) -> None:
    large = json.dumps([{**VIEW, "properties": {"text": "x" * 20_000}}] * 15).encode()
    assert len(large) > MOST_UNKNOWN

    assert code_of(await world.post(large)) == (413, "too_large")
    assert (await world.post(large, key=published())).status == 202


async def test_keys_that_differ_are_refused(world: World) -> None:
    other = world.add(2, SHOP)
    await world.known()

    sent = [
        await world.post(VIEW, ("x-api-key", SECRET), key=other),
        await world.post({"key": published(), **VIEW}, key=other),
        await world.post(key=f"{published()}&key={other}"),
    ]

    assert [code_of(one) for one in sent] == [(401, "unauthenticated")] * 3


async def test_visitors_share_no_limit_and_a_key_of_a_server_has_its_own() -> None:
    async for world in watched(World(rate=Rate(1, 1))):
        statuses = [
            (await world.post(key=published(), client=client)).status
            for client in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2")
        ]
        secret = [
            (await world.post(VIEW, ("x-api-key", SECRET), client=client)).status for client in ("192.0.2.1", "9.9.9.9")
        ]
        unknown = [(await world.post(client="192.0.2.7")).status for _ in range(2)]

        assert statuses == [202, 429, 202, 429]
        assert secret == [202, 429]
        assert unknown[-1] == 429


async def test_text_is_json_only_from_pages_that_may_post(open_world: World) -> None:
    text = "text/plain;charset=UTF-8"

    allowed = await open_world.post(kind=text)
    refused = [await open_world.post(kind=text, origin=origin) for origin in (OTHER, "null")]
    nobody = await open_world.post(kind=text, origin=None)
    json_ = [await open_world.post(origin=origin) for origin in (OTHER, "null")]

    assert allowed.status == 202
    assert [code_of(one) for one in refused] == [(403, "origin_not_allowed")] * 2
    assert code_of(nobody) == (415, "unsupported_media_type")
    assert [one.status for one in json_] == [202, 202]


async def test_text_of_an_origin_that_the_configuration_names_is_json_too() -> None:
    text = "text/plain"
    async for world in watched(World(*OPENABLE, cors_origins=("https://named.example",))):
        assert (await world.post(kind=text, origin="https://named.example")).status == 202
        assert code_of(await world.post(kind=text, origin=OTHER)) == (403, "origin_not_allowed")
    async for world in watched(World(*OPENABLE, cors_origins=("*",))):
        assert (await world.post(kind=text, origin=OTHER)).status == 202
        assert code_of(await world.post(kind=text, origin="null")) == (403, "origin_not_allowed")
    async for world in watched(World()):
        assert code_of(await world.post(kind="text/plain; charset=latin-1", key=published()))[0] == 415


async def test_a_revoked_or_expired_key_posts_nothing_and_its_origin_is_forgotten(world: World) -> None:
    before = world.authenticate.expects(SHOP)
    key = world.store.keys["0000000001"]
    world.store.keys["0000000001"] = replace(key, revoked_at=NOW)
    world.store.version += 1
    await world.known()

    assert (before, world.authenticate.expects(SHOP)) == (True, False)
    assert code_of(await world.post(key=published())) == (401, "unauthenticated")


async def test_a_browser_may_ask_first_what_a_page_of_a_key_may_send(world: World) -> None:
    asked = ("access-control-request-method", "POST")
    wanted = "content-type,x-requested-with,idempotency-key,traceparent,tracestate,baggage,sentry-trace"
    sent = await world.post(b"", asked, ("access-control-request-headers", wanted), method="OPTIONS")
    other = await world.post(b"", asked, method="OPTIONS", origin=OTHER)
    read = await world.post(b"", ("access-control-request-method", "GET"), method="OPTIONS")
    elsewhere = await world.post(b"", asked, method="OPTIONS", path="/stats")

    assert (sent.status, sent.headers[b"access-control-allow-origin"]) == (200, SHOP.encode())
    assert sent.headers[b"access-control-allow-credentials"] == b"true"
    assert [code_of(one) for one in (other, read, elsewhere)] == [(400, "cross_origin_refused")] * 3
    assert all(b"access-control-allow-origin" not in one.headers for one in (other, elsewhere))


async def test_any_origin_is_answered_without_credentials(world: World) -> None:
    key = world.add(2, "*")
    await world.known()

    sent = await world.post(key=key, origin=OTHER)
    named = await world.post(key=key, origin=SHOP)

    assert sent.headers[b"access-control-allow-origin"] == b"*"
    assert b"access-control-allow-credentials" not in sent.headers
    assert named.headers[b"access-control-allow-credentials"] == b"true"


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ('{"key":"@","type":"a"}', '{"type":"a"}'),
        ('{"type":"a" , "key" : "@" }', '{"type":"a" }'),
        ('{"a":1.50,"key":"@","b":2}', '{"a":1.50,"b":2}'),
        ('{"key":"@"}', "{}"),
        ('{"p":{"key":"@"},"key":"@"}', '{"p":{"key":"@"}}'),
        ('{"p":"\\"key\\":\\"K\\"","key":"@"}', '{"p":"\\"key\\":\\"K\\""}'),
        ('{"events":[{"key":"@"}],"writeKey":"@"}', '{"events":[{"key":"@"}]}'),
    ],
)
def test_a_key_is_cut_out_of_a_body_and_the_rest_stays(body: str, rest: str) -> None:
    assert take_key(body.replace("@", published()).encode()) == (published(), rest.replace("@", published()).encode())


@pytest.mark.parametrize(
    "body",
    ['{"key":"Enter"}', '{"p":{"key":"@"}}', '[{"key":"@"}]', '{"key":["@"]}', '{"key":"@"', '"@"', '{"key":1}'],
)
def test_what_is_no_key_beside_the_fields_stays(body: str) -> None:
    sent = body.replace("@", published()).encode()

    assert take_key(sent) == (None, sent)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_no_body_breaks_the_search_for_a_key(before: bytes, after: bytes) -> None:
    with suppress(MisplacedKeyError):
        key, rest = take_key(before + b'"key":"mqp_x"' + after)
        assert key == "mqp_x" or rest == before + b'"key":"mqp_x"' + after


def test_a_secret_key_that_a_library_of_segment_repeats_in_the_body_is_left_out_of_it() -> None:
    sent = b'{"batch":[{"a":1}],"writeKey":"mqk_x","sentAt":"now"}'

    key, rest = take_key(sent, lambda: "mqk_x")

    assert (key, rest) == (None, b'{"batch":[{"a":1}],"sentAt":"now"}')
    with pytest.raises(MisplacedKeyError):
        take_key(sent, lambda: "mqk_y")
