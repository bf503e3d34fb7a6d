"""The protocol, the bare search and the FastAPI route answer the same, byte for byte, however requests are cut."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from starlette.types import ASGIApp

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.quick_protocol import quick_protocol
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.quick_search import QuickSearch
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.asgi import Sent, ask
from tests.support.decoded import decoded
from tests.support.search_index import tag_of
from tests.support.wires import Wires
from tests.unit.http.test_search_equivalence import (
    PAST,
    ZONE,
    ScanningFinder,
    a_date_time,
    guarded,
    questions,
    some_plans,
)

REQUESTS = 20_000
MANY_REQUESTS = 100_000
"""Asked in the long tier: half a minute of computing, two beside other tests."""
IN_A_STREAM = 25
"""Requests on one connection, at most."""
DISTINCT = 1_000
"""Queries of other spellings: the FastAPI route is asked each distinct one once, and says the same for ever."""
LIMITS = ConnectionLimits(max_header_bytes=8192, max_headers=30, max_pipelined=40)
OWN_ID = re.compile(rb"x-request-id: [0-9a-f]{12}-[0-9a-f]+\r\n")
ANSWER = re.compile(rb"HTTP/1\.1 (\d\d\d) [^\r]*\r\n((?:[^\r]+\r\n)*)\r\n")

PLAIN = (b"Host: x", b"User-Agent: bench", b"Accept: */*")
BROWSER = (
    *(b"Host: example.com", b"X-Real-IP: 203.0.113.7", b"X-Forwarded-For: 203.0.113.7", b"X-Forwarded-Proto: https"),
    *(
        b"Connection: keep-alive",
        b'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"',
        b"Sec-Fetch-Site: same-origin",
    ),
    *(b"Accept-Encoding: gzip, br", b"Accept-Language: es-ES,es;q=0.9", b"Cookie: session=0123456789; theme=dark"),
)
FIELDS = (
    *(
        b"X-Request-ID: abc-%d",
        b"x-request-id:\tabc-%d \t",
        b"X-Request-ID: a b %d",
        b"X-Request-ID:",
        b"If-None-Match: *",
    ),
    *(b'If-None-Match: "%d"', b"If-None-Match: ETAG", b"if-none-match: W/ETAG, %d", b"X-%d: y", b"Cookie: n=%d"),
    *(b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"Connection: close", b"Connection: TE"),
    *(
        b"Connection: Keep-Alive",
        b"connection:keep-alive, close",
        b"Content-Length: 0",
        b"Content-Length: 3",
        b"Expect: x",
    ),
    *(b"Host: y", b"Expect: 100-continue", b"Upgrade: h2c\r\nConnection: Upgrade", b"TE: trailers", b"Keep-Alive: 300"),
    *(
        b"Origin: https://x.example",
        b"Transfer-Encoding: chunked",
        b"X: \xff",
        b"X: \x7f",
        b"X : y",
        b" folded",
        b"X:\0",
    ),
    *(
        b"X: a\rb",
        b"X: a\nb",
        b": y",
        b"X",
        b"Authorization: Bearer mq_%d",
        b"Proxy-Connection: close",
        b"Range: bytes=0-1",
    ),
)
ENCODINGS = (
    *(b"zstd", b"gzip, deflate, br, zstd", b"gzip", b"identity", b"gzip;q=0.5, zstd;q=0.4", b"br", b"*", b""),
    *(b"zstd;q=0", b"identity;q=0, gzip", b"gzip\r\nAccept-Encoding: zstd", b";;q=x,,"),
)
LINES = (
    *(
        b"GET /search?%b HTTP/1.0",
        b"HEAD /search?%b HTTP/1.1",
        b"GET http://x/search?%b HTTP/1.1",
        b"GET //search?%b HTTP/1.1",
    ),
    *(
        b"GET /search?%b#x HTTP/1.1",
        b"GET /search/?%b HTTP/1.1",
        b"GET /%%73earch?%b HTTP/1.1",
        b"GET /search?%b  HTTP/1.1",
    ),
    *(b"GET /search HTTP/1.1", b"GET /search? HTTP/1.1", b"POST /search?%b HTTP/1.1", b"GET /search?%b HTTP/1.2"),
    *(b"GET /searching?%b HTTP/1.1", b"\r\nGET /search?%b HTTP/1.1", b"get /search?%b HTTP/1.1", b"GET /search?%b"),
)


@dataclass(frozen=True)
class Asked:
    """One request as it is sent, and its query."""

    data: bytes
    query: bytes | None
    """None: it is none that the route could be asked for just so."""


@dataclass(frozen=True)
class World:
    """The three ways to the same plans."""

    index: LiveIndex
    quick: Wires
    ordinary: Wires
    route: ASGIApp
    counts: Counter[int]
    """Of answers by the protocol, by their status."""
    codings: Counter[bytes | None]
    """Of answers that were compared with the route's."""


@pytest.fixture(scope="module")
def world() -> World:
    plans = some_plans(random.Random(1), 400)
    index = LiveIndex(RENDERING)
    index.put(plans)
    index.mark_ready()
    route = guarded(create_api([search_router(ScanningFinder(plans), ZONE, lambda: True, PAST)], "test"))
    app = SearchApp(route, index, ZONE, lambda _status, _seconds: None, errors=ERRORS)
    counts: Counter[int] = Counter()
    quick = quick_protocol(QuickSearch(index, ZONE, lambda status, _seconds: counts.update((status,))), LIMITS)
    return World(index, Wires(app, quick), Wires(app, timeout_protocol(LIMITS)), route, counts, Counter())


def narrow(chance: random.Random) -> bytes:
    """Ask for an evening, mostly: most answers are short."""
    starts = a_date_time(chance)
    ends = starts + timedelta(minutes=chance.choice((0, 90, 240, 240, 600, 3000)))
    return b"starts_at=%b&ends_at=%b" % (*(f"{at:%Y-%m-%dT%H:%M:%SZ}".encode() for at in (starts, ends)),)


def requests(chance: random.Random, etag: bytes) -> Iterator[Asked]:
    """Ask as most do, mostly; else change something about the line, the query or the fields."""
    others = [query for query, _ in zip(questions(chance), range(DISTINCT), strict=False)]
    asked = [narrow(chance) for _ in range(DISTINCT)]
    while True:
        query = chance.choice(others if chance.random() < 0.2 else asked)
        if chance.random() < 0.2:
            query = query.replace(b":", b"%3A")
        line = b"GET /search?%b HTTP/1.1" % query
        is_odd = chance.random() < 0.02
        if is_odd:
            form = chance.choice(LINES)
            line = form % query if b"%b" in form else form
        fields = list(chance.choice((PLAIN, BROWSER)))
        while chance.random() < 0.25:
            field = chance.choice(FIELDS[: 11 if chance.random() < 0.9 else None]).replace(b"ETAG", etag)
            field = field.replace(b"%d", b"%d" % chance.randrange(100))
            fields.insert(chance.randrange(len(fields) + 1), field)
        if chance.random() < 0.2:
            fields.append(
                b"%b: %b" % (chance.choice((b"Accept-Encoding", b"accept-encoding")), chance.choice(ENCODINGS))
            )
        can_be_asked = not is_odd and re.fullmatch(rb"[!$-~]*", query)
        yield Asked(b"\r\n".join((line, *fields, b"", b"")), query if can_be_asked else None)


def cuts(chance: random.Random, stream: list[bytes]) -> Iterator[bytes]:
    """Cut a stream into packets: mostly one request in each, else anywhere."""
    if chance.random() < 0.8:
        for data in stream:
            if chance.random() < 0.05:
                at = chance.randrange(1, len(data))
                yield data[:at]
                yield data[at:]
            else:
                yield data
        return
    whole = b"".join(stream)
    while whole:
        at = chance.randint(1, chance.choice((3, 300, 3000)))
        yield whole[:at]
        whole = whole[at:]


async def told(wires: Wires, packets: list[bytes], waits: list[bool]) -> tuple[bytes, bool]:
    """Send packets on a new connection, and tell what came and whether it ended.

    After some packets all is answered before the next comes; after those, too, that were answered at once: `waits` says
    so afterwards, for the other way to have it just so.
    """
    protocol, transport = wires.connect()
    for number, packet in enumerate(packets):
        if transport.closed:
            break
        before = getattr(protocol, "_answered", 0)
        protocol.data_received(packet)
        waits[number] = waits[number] or getattr(protocol, "_answered", 0) > before
        if waits[number]:
            await wires.settle()
    await wires.settle()
    ended = transport.closed or transport.has_ended
    protocol.connection_lost(None)
    await wires.settle()
    return OWN_ID.sub(b"x-request-id: (own)\r\n", bytes(transport.written)), ended


def answers(written: bytes) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """Read answers one by one: status, body and its coding; a None is one that is sent in chunks."""
    at = 0
    while at < len(written):
        head = ANSWER.match(written, at)
        assert head, written[at : at + 200]
        length = re.search(rb"content-length: (\d+)", head[2])
        if head[1] == b"100":
            at = head.end()
            continue
        coding = re.search(rb"content-encoding: (\w+)", head[2])
        body: bytes | None = b""
        at = head.end()
        if length:
            body = written[at : at + int(length[1])]
            at += int(length[1])
        elif b"chunked" in head[2]:
            body, at = None, written.index(b"0\r\n\r\n", at) + 5
        yield int(head[1]), body, coding and coding[1]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("number", "seed"), [(REQUESTS, 3), pytest.param(MANY_REQUESTS, 5, marks=pytest.mark.faults)])
async def test_all_three_ways_answer_the_same(world: World, number: int, seed: int) -> None:
    chance = random.Random(seed)
    world.counts.clear()
    world.codings.clear()
    ask_for = requests(chance, tag_of(world.index))
    known: dict[bytes, Sent] = {}
    answered = compared = 0
    while answered < number:
        stream = [next(ask_for) for _ in range(chance.randint(1, IN_A_STREAM))]
        packets = list(cuts(chance, [one.data for one in stream]))
        waits = [chance.random() < 0.9 for _ in packets]

        ours, ended = await told(world.quick, packets, waits)
        theirs, ended_too = await told(world.ordinary, packets, waits)

        assert (ours, ended) == (theirs, ended_too), packets
        answered += ours.count(b"HTTP/1.1 ")
        compared += await compare_with_route(world, stream, ours, known)

    assert world.counts[200] > number / 4
    assert compared > number / 4
    assert min(world.codings[coding] for coding in (None, b"gzip", b"zstd")) > number / 100


async def compare_with_route(world: World, stream: list[Asked], written: bytes, known: dict[bytes, Sent]) -> int:
    """Compare those answers of which it is certain which request they are for: all up to the first odd one."""
    compared = 0
    for one, (status, body, coding) in zip(stream, answers(written), strict=False):
        if one.query is None:
            break
        if one.query not in known:
            known[one.query] = await ask(world.route, "/search", one.query)
        if status in (200, 400) and body and b"malformed_request" not in body:
            assert (status, decoded(body, coding)) == (known[one.query].status, known[one.query].body), one
            compared += 1
            world.codings[coding] += 1
    return compared
