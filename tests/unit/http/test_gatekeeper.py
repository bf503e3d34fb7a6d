"""Who is let in, who is refused and how, and what a refusal costs."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import structlog
from fastapi import APIRouter, Request, Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Scope
from structlog.testing import capture_logs

from app.adapters.inbound.http.access.access_errors import UnknownHostError
from app.adapters.inbound.http.access.areas import Areas
from app.adapters.inbound.http.access.credentials import credential_of
from app.adapters.inbound.http.access.failed_credentials import FailedCredentials
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.guarded_app import GuardedApp
from app.adapters.inbound.http.access.local_areas import LocalAreas
from app.adapters.inbound.http.access.posting_gate import PostingGate
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.connection.client_address import MOST_HOPS, client_of
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door, IngestLimits
from app.adapters.inbound.http.operations.request_log import RequestContext
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.outbound.limits.local_rate_limiter import LocalRateLimiter
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.authenticate import Authenticate
from app.application.ports.limits import Bucket, Rate
from app.application.ports.users import InvalidTokenError, OwnedKey, Tokens, TokensUnavailableError
from app.application.record_activities import RecordActivities
from app.domain.access import OPEN_ELSEWHERE, OPENABLE, Area, Principal, Role, UnauthenticatedError
from app.domain.activities import ActivityRules
from app.domain.api_keys import ApiKey, compose, digest_of
from app.domain.users import User
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.asgi import Sent
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import LIMITS
from tests.support.remembering_queue import RememberingQueue

KEY = compose("0123456789", "S" * 32)
FORGED = compose("0123456789", "F" * 32)
BEARER = (b"authorization", b"Bearer " + KEY.encode())


def basic(user: str, password: str = "") -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + b64encode(f"{user}:{password}".encode())


ONE = Rate(1.0, 2)
HERE = LocalAreas(OPENABLE - OPEN_ELSEWHERE, ("m.example",))
RULES = {("GET", "/catalog/providers"): Area.CATALOG, ("POST", "/sync"): Area.OPERATIONS, ("GET", "/page"): Area.PAGE}
RULES |= {("GET", "/openapi.json"): Area.DOCS, ("GET", "/health"): Area.HEALTH, ("DELETE", "/all"): Area.ADMIN}


class CountingKeys(MemoryApiKeys):
    """Keys that count how often the database is asked, and can be made to hang."""

    def __init__(self, store: AccessStore) -> None:
        super().__init__(store)
        self.asked = 0
        self.hanging = False

    async def find(self, key_id: str) -> OwnedKey | None:
        self.asked += 1
        if self.hanging:
            await asyncio.sleep(3600)
        return await super().find(key_id)


class SomeTokens(Tokens):
    async def verify(self, token: str) -> Principal:
        if token == "issuer.is.away":
            raise TokensUnavailableError("the keys of the tokens' issuer cannot be had: 10.0.0.7 is away")
        if token == "issuer.is.silent":
            await asyncio.sleep(3600)
        if token != "a.good.token":
            raise InvalidTokenError("this token has expired")
        return Principal("robot", Role.WRITER, "token:robot")


class World:
    """The whole edge over stores in memory: search, ingest, and a few routes of each kind."""

    def __init__(
        self,
        *anonymous: Area,
        rates: dict[Bucket, Rate] | None = None,
        proxies: Sequence[str] = (),
        role: Role = Role.ADMIN,
        local: LocalAreas = LocalAreas(),  # noqa: B008 - frozen
    ) -> None:
        self.store = AccessStore()
        self.keys = CountingKeys(self.store)
        self.seconds = 1000.0
        self.authenticate = Authenticate(self.keys, FixedClock(), SomeTokens(), pause=0.001)
        self.failures = FailedCredentials(now=lambda: self.seconds)
        self.gatekeeper = Gatekeeper(
            self.authenticate,
            frozenset(anonymous),
            LocalRateLimiter(rates, now=lambda: self.seconds) if rates else None,
            [ip_network(network) for network in proxies],
            local=local,
            limited=rates or (),
            failures=self.failures,
        )
        self.gate = PostingGate(self.gatekeeper, self.authenticate.expects)
        self.queue = RememberingQueue()
        self.index = LiveIndex(RENDERING)
        self.index.mark_ready()
        self.seen: list[Any] = []
        self.observed: list[tuple[str, int]] = []
        self.received = 0
        self.app = self._edge()
        ana = User(user_id=UUID(int=1), username="ana", email="ana@x.org", role=role, created_at=NOW, updated_at=NOW)
        self.store.users[ana.user_id] = ana
        self.store.keys[KEY[4:14]] = ApiKey(
            key_id=KEY[4:14], user_id=ana.user_id, name="", digest=digest_of(KEY), created_at=NOW
        )

    def _edge(self) -> ASGIApp:
        api = create_api([self._router()], "test")
        record = RecordActivities(self.queue, FixedClock(), ActivityRules(), lambda: UUID(int=7))
        guarded = GuardedApp(api, Areas(api, RULES), self.gatekeeper, ERRORS)
        context = RequestContext(guarded, lambda route, _, status, __: self.observed.append((route, status)))
        ingest = IngestApp(context, Door(record, LIMITS), lambda *_: None, self.gate, errors=ERRORS)
        return SearchApp(ingest, self.index, UTC, lambda *_: None, self.gatekeeper, errors=ERRORS)

    def _router(self) -> APIRouter:
        router = APIRouter()

        async def let_in(request: Request) -> Response:
            self.seen.append(request.scope["principal"])
            structlog.get_logger().info("working")
            return Response()

        for method, path in RULES:
            if RULES[method, path] is not Area.DOCS:
                router.add_api_route(path, let_in, methods=[method], name=f"{method} {path}")
        return router

    async def ask(
        self, path: str, *headers: tuple[bytes, bytes], method: str = "GET", client: str | None = "192.0.2.1"
    ) -> Sent:
        messages: list[Message] = []

        async def receive() -> Message:
            self.received += 1
            return {"type": "http.request", "body": b'{"type":"view"}', "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        scope: Scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "query_string": b"",
            "method": method,
            "path": path,
            "raw_path": quote(path, safe="/[]").encode(),
            "client": (client, 1) if client else None,
            "headers": [(b"content-type", b"application/json"), *headers],
        }
        await self.app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        return Sent(messages[0]["status"], dict(messages[0]["headers"]), body)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        self.keys.hanging = True
        yield
        self.keys.hanging = False

    @asynccontextmanager
    async def watched(self) -> Any:
        watch = asyncio.create_task(self.authenticate.watch())
        await asyncio.sleep(0)
        yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


def code_of(sent: Sent) -> tuple[int, str]:
    answer = json.loads(sent.body)
    assert answer["data"] is None
    assert sent.headers[b"content-type"] == b"application/json"
    assert b"x-request-id" in sent.headers
    return sent.status, answer["error"]["code"]


EVERYWHERE = [("/search", "GET"), ("/events", "POST"), ("/events/batch", "POST"), ("/catalog/providers", "GET")]


@pytest.mark.parametrize(("path", "method"), EVERYWHERE)
async def test_without_a_key_what_is_closed_answers_401(path: str, method: str) -> None:
    world = World()

    sent = await world.ask(path, method=method)

    assert code_of(sent) == (401, "unauthenticated")
    assert sent.headers[b"www-authenticate"] == b"Bearer"
    assert (world.received, world.seen, world.queue.appended) == (0, [], [])


@pytest.mark.parametrize(("path", "method"), EVERYWHERE[:2] + EVERYWHERE[3:])
async def test_with_a_key_what_is_closed_is_open(path: str, method: str) -> None:
    world = World()

    in_header = (b"x-api-key", KEY.encode())
    for headers in ((BEARER,), (in_header,), (BEARER, in_header), (basic(KEY),), (basic(KEY), in_header)):
        assert (await world.ask(path, *headers, method=method)).status in (200, 202)


@pytest.mark.parametrize(("path", "method"), [*EVERYWHERE[1:3], ("/sync", "POST"), ("/all", "DELETE")])
async def test_a_role_that_is_not_enough_answers_403_and_reads_nothing(path: str, method: str) -> None:
    world = World(role=Role.READER)

    sent = await world.ask(path, BEARER, method=method)

    assert code_of(sent) == (403, "not_allowed")
    assert (world.received, world.seen) == (0, [])


@pytest.mark.parametrize(("path", "method"), EVERYWHERE)
async def test_while_nobody_can_tell_whether_a_key_is_good_closed_areas_answer_503(path: str, method: str) -> None:
    world = World()
    world.store.unavailable = "away"

    sent = await world.ask(path, BEARER, method=method)
    token = await world.ask(path, (b"authorization", b"Bearer issuer.is.away"), method=method)

    assert code_of(sent) == (503, "history_unavailable")
    assert code_of(token) == (503, "token_keys_unavailable")
    assert sent.headers[b"retry-after"] == token.headers[b"retry-after"] == b"5"
    assert b"10.0.0.7" not in token.body


async def test_whoever_waits_too_long_is_told_what_for() -> None:
    world = World()

    with world.hanging():
        key, token = await asyncio.gather(
            world.ask("/catalog/providers", BEARER),
            world.ask("/catalog/providers", (b"authorization", b"Bearer issuer.is.silent")),
        )

    assert code_of(key) == (503, "history_unavailable")
    assert code_of(token) == (503, "token_keys_unavailable")


@pytest.mark.parametrize(("path", "method"), EVERYWHERE[:2] + EVERYWHERE[3:])
async def test_a_database_that_is_away_does_no_harm_where_no_key_is_needed(path: str, method: str) -> None:
    world = World(*OPENABLE, rates=dict.fromkeys(Bucket, Rate(100, 100)))
    world.store.unavailable = "away"

    good = await world.ask(path, BEARER, method=method)
    forged = await world.ask(path, (b"x-api-key", FORGED.encode()), method=method)
    token = await world.ask(path, (b"authorization", b"Bearer issuer.is.away"), method=method)

    assert {good.status, forged.status, token.status} <= {200, 202}


async def test_nor_does_one_that_hangs() -> None:
    world = World(*OPENABLE)

    with world.hanging():
        sent = await world.ask("/catalog/providers", BEARER)

    assert (sent.status, world.seen) == (200, [None])


async def test_where_no_key_is_needed_a_bad_one_is_as_good_as_none() -> None:
    world = World(Area.CATALOG)
    for credential in (b"nonsense", FORGED.encode(), b"", b"a.bad.token"):
        assert (await world.ask("/catalog/providers", (b"x-api-key", credential))).status == 200
    assert (await world.ask("/catalog/providers", (b"authorization", b"Basic YTpi"))).status == 200

    assert world.seen == [None] * 5


@pytest.mark.parametrize(
    "headers",
    [
        (BEARER, (b"x-api-key", FORGED.encode())),
        (BEARER, (b"authorization", b"Bearer " + FORGED.encode())),
        ((b"authorization", b"Basic " + KEY.encode()),),
        ((b"authorization", b"Basic"),),
        (basic("", KEY),),
        (basic(KEY, "secret"),),
        (basic(KEY, KEY),),
        (basic(FORGED),),
        (basic(KEY), (b"x-api-key", FORGED.encode())),
        ((b"authorization", KEY.encode()),),
        ((b"authorization", b"Bearer"),),
        ((b"x-api-key", b""),),
        ((b"x-api-key", b"\xff\xfe"),),
        ((b"x-api-key", b"m" * 30_000),),
        ((b"authorization", b"Bearer a.bad.token"),),
    ],
)
async def test_what_is_no_good_key_answers_401_and_is_not_repeated(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    world = World()

    sent = await world.ask("/catalog/providers", *headers)

    assert code_of(sent) == (401, "unauthenticated")
    assert KEY.encode() not in sent.body
    assert FORGED.encode() not in sent.body


@pytest.mark.parametrize("value", [b"bearer " + KEY.encode(), b"BEARER   " + KEY.encode() + b" "])
async def test_the_scheme_is_read_as_http_has_it(value: bytes) -> None:
    assert (await World().ask("/catalog/providers", (b"authorization", value))).status == 200


@given(st.lists(st.tuples(st.sampled_from([b"authorization", b"x-api-key", b"accept"]), st.binary(max_size=30))))
def test_no_header_breaks_the_reading_of_keys(headers: list[tuple[bytes, bytes]]) -> None:
    with suppress(UnauthenticatedError):
        credential_of(headers)


async def test_who_it_is_stands_in_the_scope_and_in_the_log_and_the_key_does_not() -> None:
    world = World()

    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await world.ask("/catalog/providers", BEARER)
        await world.ask("/catalog/providers", (b"authorization", b"Bearer a.good.token"))
        await world.ask("/catalog/providers", (b"x-api-key", FORGED.encode()))

    said = [(line["event"], line.get("principal"), line.get("caller")) for line in lines]
    assert world.seen[0] == Principal("ana", Role.ADMIN, "key:0123456789", UUID(int=1))
    assert said == [
        ("working", "ana", "key:0123456789"),
        ("answered", "ana", "key:0123456789"),
        ("working", "robot", "token:robot"),
        ("answered", "robot", "token:robot"),
        ("answered", None, None),
    ]
    assert KEY not in str(lines)
    assert FORGED not in str(lines)


async def test_refusals_are_counted_under_the_template_of_their_route() -> None:
    world = World()

    await world.ask("/catalog/providers")
    await world.ask("/nowhere")

    assert world.observed == [("/catalog/providers", 401), ("unknown", 404)]


async def test_a_page_of_another_site_may_not_use_that_a_service_is_open() -> None:
    world = World(*OPENABLE)
    foreign, same = (b"sec-fetch-site", b"cross-site"), (b"sec-fetch-site", b"same-origin")

    assert code_of(await world.ask("/sync", foreign, method="POST")) == (403, "foreign_page")
    assert code_of(await world.ask("/sync", foreign, (b"x-api-key", b"bad"), method="POST")) == (403, "foreign_page")
    assert (await world.ask("/sync", same, method="POST")).status == 200
    assert (await world.ask("/sync", foreign, BEARER, method="POST")).status == 200
    assert (await world.ask("/catalog/providers", foreign)).status == 200
    assert (await world.ask("/events", foreign, method="POST")).status == 202


async def test_a_page_of_another_origin_may_not_either_when_its_browser_says_no_more_than_that() -> None:
    world = World(*OPENABLE)
    host = (b"host", b"127.0.0.1:8000")

    foreign = await world.ask("/sync", host, (b"origin", b"http://evil.example"), method="POST")
    nowhere = await world.ask("/sync", host, (b"origin", b"null"), method="POST")
    own = await world.ask("/sync", host, (b"origin", b"http://127.0.0.1:8000"), method="POST")

    assert [code_of(sent) for sent in (foreign, nowhere)] == [(403, "foreign_page")] * 2
    assert own.status == 200


async def test_a_page_of_our_own_is_known_behind_a_proxy_that_changes_the_host() -> None:
    host, origin = (b"host", b"127.0.0.1:8000"), (b"origin", b"https://m.example")

    sent = await World(*OPENABLE).ask("/sync", host, origin, (b"sec-fetch-site", b"same-origin"), method="POST")

    assert sent.status == 200


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example:8000",
        b"localhost.evil.example",
        b"127.0.0.1.evil.example",
        b"[::1].evil.example",
        b"[::1]evil.example:8000",
        b"[::1",
        b"127.0.0.1:8000.evil.example",
        b"localhost:evil.example",
        b"",
        None,
    ],
)
async def test_what_is_open_because_nobody_else_reaches_it_is_closed_to_whom_a_foreign_name_led_here(
    host: bytes | None,
) -> None:
    world = World(*OPENABLE, local=HERE)
    headers = () if host is None else ((b"host", host),)

    for path, method in (*EVERYWHERE[1:], ("/sync", "POST"), ("/openapi.json", "GET")):
        refused = await world.ask(path, *headers, method=method)
        assert code_of(refused) == (403, "unknown_host")
        assert f"found {(host or b'').decode()!r}: send a key, or list the host" in refused.body.decode()
        assert (await world.ask(path, *headers, BEARER, method=method)).status != refused.status
    for path in ("/search", "/health", "/page"):
        assert (await world.ask(path, *headers)).status == 200
    assert world.gatekeeper.search_is_free


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000", "192.0.2.7", "M.example:80"],
)
async def test_who_asks_by_an_address_or_by_a_name_that_is_known_needs_no_key(host: str) -> None:
    world = World(*OPENABLE, local=HERE)

    for path, method in EVERYWHERE:
        assert (await world.ask(path, (b"host", host.encode()), method=method)).status in (200, 202, 400)


@given(st.binary(max_size=30))
def test_no_host_breaks_the_check(host: bytes) -> None:
    with suppress(UnknownHostError):
        HERE.check({"headers": [(b"host", host)]}, Area.STATS)


async def test_the_log_has_a_path_as_it_was_sent() -> None:
    with capture_logs() as lines:
        await World().ask("/\x1b[2J")

    assert [line["path"] for line in lines] == ["/%1B[2J"]


async def test_requests_that_are_refused_or_lead_nowhere_are_limited_too() -> None:
    world = World(rates={Bucket.READS: ONE})

    without_a_key = [(await world.ask("/catalog/providers")).status for _ in range(4)]
    world.seconds += 10
    nowhere = [(await world.ask("/no/such/path")).status for _ in range(4)]

    assert without_a_key == [401, 401, 429, 429]
    assert nowhere == [404, 404, 429, 429]


@pytest.mark.parametrize(("path", "method", "bucket"), [(*EVERYWHERE[0], "search"), (*EVERYWHERE[1], "ingest")])
async def test_too_many_requests_answer_429_and_say_when_to_come_again(path: str, method: str, bucket: str) -> None:
    world = World(*OPENABLE, rates={Bucket(bucket): ONE})

    first, second, third = [await world.ask(path, method=method) for _ in range(3)]
    read = world.received
    world.seconds += 1

    assert first.headers[b"ratelimit"] == f'"{bucket}";r=1;t=1'.encode()
    assert second.headers[b"ratelimit-policy"] == f'"{bucket}";q=2;w=2'.encode()
    assert code_of(third) == (429, "rate_limited")
    assert third.headers[b"ratelimit"] == f'"{bucket}";r=0;t=2'.encode()
    assert third.headers[b"retry-after"] == b"1"
    assert read == (2 if method == "POST" else 0)
    assert (await world.ask(path, method=method)).status in (200, 202)


async def test_other_routes_are_limited_too_and_say_so_also_in_their_errors() -> None:
    world = World(Area.CATALOG, rates={Bucket.READS: ONE})

    first, _, third = [await world.ask("/catalog/providers") for _ in range(3)]

    assert first.headers[b"ratelimit"] == b'"reads";r=1;t=1'
    assert code_of(third) == (429, "rate_limited")


async def test_a_search_that_is_wrong_says_what_is_left_all_the_same() -> None:
    world = World(Area.SEARCH, rates={Bucket.SEARCH: ONE})
    world.index = LiveIndex(RENDERING)
    world.app = world._edge()

    sent = await world.ask("/search")

    assert (sent.status, sent.headers[b"ratelimit"]) == (500, b'"search";r=1;t=1')


async def test_each_key_and_each_address_without_one_has_its_own_bucket() -> None:
    world = World(Area.CATALOG, rates={Bucket.READS: Rate(1, 1)})
    token = (b"authorization", b"Bearer a.good.token")

    statuses = [
        (await world.ask("/catalog/providers", *headers, client=client)).status
        for _ in range(2)
        for headers, client in (((BEARER,), "192.0.2.1"), ((token,), "192.0.2.1"), ((), "192.0.2.1"), ((), "192.0.2.2"))
    ]

    assert statuses == [200] * 4 + [429] * 4


async def test_a_bad_key_does_not_get_a_bucket_of_its_own() -> None:
    world = World(Area.CATALOG, rates={Bucket.READS: Rate(1, 1)})

    statuses = [(await world.ask("/catalog/providers", (b"x-api-key", b"%d" % number))).status for number in range(3)]

    assert statuses == [200, 429, 429]


async def test_health_and_the_page_are_never_limited() -> None:
    world = World(Area.HEALTH, rates=dict.fromkeys(Bucket, Rate(1, 1)))
    closed = World(rates=dict.fromkeys(Bucket, Rate(1, 1)))

    assert {(await world.ask(path)).status for path in ["/health", "/page"] * 5} == {200}
    assert {(await closed.ask("/health", BEARER)).status for _ in range(5)} == {200}
    assert (await closed.ask("/health")).status == 401


def test_search_is_free_where_it_is_open_and_has_no_limit() -> None:
    assert World(Area.SEARCH).gatekeeper.search_is_free
    assert World(Area.SEARCH, rates={Bucket.READS: ONE}).gatekeeper.search_is_free
    assert not World(Area.SEARCH, rates={Bucket.SEARCH: ONE}).gatekeeper.search_is_free
    assert not World().gatekeeper.search_is_free


async def test_a_search_that_is_free_asks_nobody() -> None:
    world = World(Area.SEARCH)

    with world.hanging():
        sent = await world.ask("/search", BEARER)

    assert (sent.status, world.keys.asked) == (200, 0)


async def test_many_bad_keys_of_one_address_are_not_looked_up_any_more() -> None:
    world = World()
    forged = [compose(f"{number:010}", "S" * 32).encode() for number in range(100)]

    answers = [code_of(await world.ask("/catalog/providers", (b"x-api-key", key))) for key in forged]
    elsewhere = await world.ask("/catalog/providers", (b"x-api-key", forged[0]), client="192.0.2.2")
    world.seconds += 0.05
    later = [code_of(await world.ask("/catalog/providers", (b"x-api-key", key))) for key in forged[:2]]

    assert answers == [(401, "unauthenticated")] * 20 + [(429, "rate_limited")] * 80
    assert elsewhere.status == 401
    assert later == [(401, "unauthenticated"), (429, "rate_limited")]
    assert world.keys.asked <= 22


async def test_a_key_that_is_remembered_as_good_suffers_nothing_from_bad_ones() -> None:
    world = World()

    async with world.watched():
        await world.ask("/catalog/providers", BEARER)
        for _ in range(30):
            refused = await world.ask("/catalog/providers", (b"x-api-key", FORGED.encode()))
        good = await world.ask("/catalog/providers", BEARER)

    assert (refused.status, refused.headers[b"retry-after"], good.status) == (429, b"1", 200)


async def test_many_bad_tokens_hurt_nobody_of_that_address() -> None:
    world = World()

    bad = [await world.ask("/catalog/providers", (b"x-api-key", b"a.bad.token")) for _ in range(30)]
    token = await world.ask("/catalog/providers", (b"x-api-key", b"a.good.token"))
    key = await world.ask("/catalog/providers", BEARER)
    for _ in range(30):
        refused = await world.ask("/catalog/providers", (b"x-api-key", FORGED.encode()))
    still = await world.ask("/catalog/providers", (b"x-api-key", b"a.good.token"))

    assert {sent.status for sent in bad} == {401}
    assert (token.status, key.status, refused.status, still.status) == (200, 200, 429, 200)


@pytest.mark.parametrize("bad", [b"a.bad.token", FORGED.encode(), b"neither"])
async def test_whoever_sends_bad_credentials_is_limited_like_others(bad: bytes) -> None:
    world = World(rates={Bucket.READS: ONE})

    sent = [(await world.ask("/catalog/providers", (b"x-api-key", bad))).status for _ in range(4)]

    assert sent == [401, 401, 429, 429]


async def test_where_no_key_is_needed_many_bad_ones_cost_little_and_hurt_nobody() -> None:
    world = World(Area.CATALOG)
    forged = [compose(f"{number:010}", "S" * 32).encode() for number in range(100)]

    statuses = {(await world.ask("/catalog/providers", (b"x-api-key", key))).status for key in forged}

    assert (statuses, world.keys.asked) == ({200}, 20)


def test_the_memory_of_bad_keys_is_bounded() -> None:
    failures = FailedCredentials(1, most=2, now=lambda: 0.0)

    for client in ("a", "b", "c"):
        failures.note(client)

    assert [failures.are_too_many(client) for client in ("a", "b", "c")] == [False, True, True]


async def test_a_revoked_key_is_refused_everywhere_after_the_next_look() -> None:
    world = World()

    async with world.watched():
        before = await world.ask("/events", BEARER, method="POST")
        world.store.keys[KEY[4:14]] = replace(world.store.keys[KEY[4:14]], revoked_at=NOW)
        world.store.version += 1
        await asyncio.sleep(0.05)
        after = await world.ask("/events", BEARER, method="POST")

    assert before.status == 202
    assert code_of(after) == (401, "unauthenticated")
    assert b"revoked" in after.body


async def test_what_lasts_is_told_when_its_key_is_revoked_or_too_weak_now() -> None:
    world = World()
    scope: Scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "client": ("1.2.3.4", 5)}
    scope["headers"] = [BEARER]

    async with world.watched():
        await world.gatekeeper.admit(scope, Area.OPERATIONS)
        of_key, of_nobody = world.gatekeeper.lasting(scope, Area.OPERATIONS), World(Area.CATALOG).gatekeeper
        good = of_key()
        world.store.users[UUID(int=1)] = replace(world.store.users[UUID(int=1)], role=Role.READER)
        world.store.version += 1
        await asyncio.sleep(0.05)
        weak, enough = of_key(), world.gatekeeper.lasting(scope, Area.CATALOG)
        readable = enough()
        world.store.keys[KEY[4:14]] = replace(world.store.keys[KEY[4:14]], revoked_at=NOW)
        world.store.version += 1
        await asyncio.sleep(0.05)

        assert (good, weak, readable, enough()) == (True, False, True, False)
    assert of_key()  # nobody watches any more, so nobody can say; a moment later somebody may again
    assert of_nobody.lasting({**scope, "headers": []}, Area.CATALOG)()
    assert world.gatekeeper.lasting({**scope, "headers": [(b"x-api-key", b"a.good.token")]}, Area.CATALOG)()


PROXY = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def client(peer: str | None, *forwarded: str, trusted: Any = PROXY) -> str:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    return client_of({"client": (peer, 1) if peer is not None else None, "headers": headers}, trusted)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.7, 10.0.0.2"), "198.51.100.7"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", ("198.51.100.7, nonsense, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("",), "10.0.0.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7:4711",), "198.51.100.7"),
        ("10.0.0.1", ("[2001:db8::7]:4711",), "2001:db8::/64"),
        ("::ffff:10.0.0.1", ("::ffff:198.51.100.7",), "198.51.100.7"),
        ("fd00::1", ("2001:db8:1:2:3:4:5:6",), "2001:db8:1:2::/64"),
        ("2001:db8:1:2:aaaa::1", (), "2001:db8:1:2::/64"),
        ("fe80::1%eth0", (), "fe80::/64"),
        (None, ("198.51.100.7",), "unknown"),
        ("", ("198.51.100.7",), "unknown"),
        ("/run/socket", (), "unknown"),
    ],
)
def test_a_client_is_where_the_last_that_is_trusted_says(
    peer: str | None, forwarded: tuple[str, ...], expected: str
) -> None:
    assert client(peer, *forwarded) == expected


def test_nobody_is_trusted_unless_it_is_said() -> None:
    assert client("10.0.0.1", "198.51.100.7", trusted=()) == "10.0.0.1"


def test_a_long_way_is_followed_only_so_far() -> None:
    way = ", ".join(["198.51.100.7", *["10.0.0.9"] * MOST_HOPS])

    assert client("10.0.0.1", way) == "10.0.0.9"


@given(st.text(st.characters(max_codepoint=255), max_size=60), st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_header_leads_to_anything_but_an_address(peer: str, forwarded: str) -> None:
    found = client(peer, forwarded)

    assert found == "unknown" or ip_network(found)


async def test_limits_count_the_client_behind_a_proxy() -> None:
    world = World(Area.CATALOG, rates={Bucket.READS: Rate(1, 1)}, proxies=["10.0.0.0/8"])

    statuses = [
        (await world.ask("/catalog/providers", (b"x-forwarded-for", told), client="10.0.0.1")).status
        for told in (b"198.51.100.1", b"198.51.100.2", b"6.6.6.6, 198.51.100.1")
    ]

    assert statuses == [200, 200, 429]


async def test_whatever_goes_wrong_at_the_door_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    class BrokenKeys(CountingKeys):
        async def find(self, key_id: str) -> OwnedKey | None:
            raise AssertionError(key_id)

    world = World()
    world.authenticate.keys = BrokenKeys(world.store)

    with capture_logs() as lines:
        answers = [code_of(await world.ask(path, BEARER, method=method)) for path, method in EVERYWHERE]

    assert answers == [(500, "internal_error")] * 4
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["a request failed"] * 4
    assert not caplog.records


async def test_without_a_gatekeeper_the_door_is_open() -> None:
    world = World()
    record = RecordActivities(world.queue, FixedClock(), ActivityRules(), lambda: UUID(int=7))
    world.app = IngestApp(world.app, Door(record, IngestLimits(1, 1, 1000)), lambda *_: None, errors=ERRORS)

    assert (await world.ask("/events", method="POST")).status == 202
