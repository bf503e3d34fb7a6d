"""Lists are compressed as they go; what is a stream, small, or may hold a secret is not."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.adapters.inbound.http.access.areas import RULES, GuardedRoute
from app.adapters.inbound.http.connection.head_app import HeadApp
from app.adapters.inbound.http.describing.content_codings import CODINGS, Packings
from app.adapters.inbound.http.describing.packing_app import AT_ONCE, PACKED_AREAS, PackingApp, is_packed
from app.domain.access import Area
from tests.support.asgi import Sent, ask
from tests.support.decoded import decoded, readable

LIST = b'{"runs":[%b]}' % b",".join(b'{"run":%d}' % number for number in range(400))
LARGE = b'{"plans":[%b]}' % b",".join(b'{"id":"%064x"}' % (number * 7919) for number in range(5_000))
JSON = (b"content-type", b"application/json")
ACCEPTING = {coding.name: ((b"accept-encoding", coding.name),) for coding in CODINGS}


async def nothing() -> Any:
    raise AssertionError("nothing is received")


class Answering:
    """An application that answers in pieces."""

    def __init__(self, *pieces: bytes, status: int = 200, fields: Sequence[tuple[bytes, bytes]] = (JSON,)) -> None:
        self.pieces = pieces
        self.status = status
        self.fields = [*fields, (b"content-length", b"%d" % sum(map(len, pieces)))]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.fields})
        for number, body in enumerate(self.pieces, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(self.pieces)})


async def answer(
    app: Answering,
    fields: Iterable[tuple[bytes, bytes]] = (),
    *,
    area: Area = Area.CATALOG,
    packings: Packings | None = None,
    method: str = "GET",
) -> Sent:
    packing = HeadApp(PackingApp(app, packings or Packings()))

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        await packing({**scope, "route": GuardedRoute("/list", area, ())}, receive, send)

    return await ask(guarded, "/list", headers=tuple(fields), method=method)


@pytest.mark.parametrize("coding", ACCEPTING)
@pytest.mark.parametrize("pieces", [(LIST,), (LARGE,), (LIST, LARGE), (LARGE[:50], LARGE[50:100_000], LARGE[100_000:])])
async def test_a_list_is_the_same_when_it_is_decoded(coding: bytes, pieces: Sequence[bytes]) -> None:
    sent = await answer(Answering(*pieces), ACCEPTING[coding])

    assert sent.headers[b"content-encoding"] == coding
    assert sent.headers[b"vary"] == b"accept-encoding"
    assert decoded(sent.body, coding) == b"".join(pieces)
    assert len(sent.body) < sum(map(len, pieces)) / 2


async def test_without_accept_encoding_the_bytes_are_as_they_were() -> None:
    sent = await answer(app := Answering(LIST))

    assert sent == Sent(200, {**dict(app.fields), b"vary": b"accept-encoding"}, LIST)


async def test_what_fits_in_one_piece_has_its_length_and_a_head_alone_the_same() -> None:
    sent = await answer(Answering(LIST), ACCEPTING[b"zstd"])
    head = await answer(Answering(LIST), ACCEPTING[b"zstd"], method="HEAD")

    assert sent.headers[b"content-length"] == b"%d" % len(sent.body)
    assert head == Sent(200, sent.headers, b"")


@pytest.mark.parametrize("coding", ACCEPTING)
async def test_what_is_large_can_be_read_piece_by_piece(coding: bytes) -> None:
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    scope: dict[str, Any] = {"method": "GET", "route": GuardedRoute("/list", Area.STATS, ())}
    scope["headers"] = list(ACCEPTING[coding])
    await PackingApp(Answering(LARGE), Packings())(scope, nothing, keep)

    start, *bodies = messages
    assert b"content-length" not in dict(start["headers"])
    assert [message.get("more_body", False) for message in bodies] == [True] * (len(bodies) - 1) + [False]
    assert len(bodies) == len(LARGE) // AT_ONCE + 2
    assert readable(bodies[0]["body"], coding) == LARGE[:AT_ONCE]
    assert readable(bodies[0]["body"] + bodies[1]["body"], coding) == LARGE[: 2 * AT_ONCE]


@pytest.mark.parametrize(
    "app",
    [
        Answering(b"{}"),
        Answering(LIST, status=404),
        Answering(LIST, fields=[(b"content-type", b"text/event-stream")]),
        Answering(LIST, LIST, fields=[(b"content-type", b"text/event-stream")]),
        Answering(LIST, fields=[(b"content-type", b"text/html; charset=utf-8")]),
    ],
    ids=["small", "an error", "a stream", "a longer stream", "a page"],
)
async def test_nothing_else_is_compressed(app: Answering) -> None:
    sent = await answer(app, ACCEPTING[b"zstd"])

    assert b"content-encoding" not in sent.headers
    assert sent.body == b"".join(app.pieces)


@pytest.mark.parametrize("area", sorted(set(Area) - PACKED_AREAS))
async def test_what_may_hold_a_secret_is_not_compressed(area: Area) -> None:
    sent = await answer(app := Answering(LIST), ACCEPTING[b"zstd"], area=area)

    assert sent == Sent(200, dict(app.fields), LIST)


def test_the_routes_that_are_compressed_are_these() -> None:
    """Think before you add one: no answer of it may hold a secret."""
    assert {path for (method, path), area in RULES.items() if method == "GET" and is_packed(area, path)} == {
        "/search",
        "/catalog/changes",
        "/catalog/plans",
        "/catalog/plans/{plan_id}",
        "/catalog/plans/{plan_id}/history",
        "/catalog/providers",
        "/catalog/providers/{name}/runs",
        "/catalog/providers/{name}/rejections",
        "/catalog/providers/{name}/held",
        "/stats",
        "/stats/dau",
        "/stats/series",
        "/stats/top-events",
        "/stats/retention",
        "/stats/plans",
        "/stats/plans/{plan_id}",
        "/stats/funnel",
        "/stats/{type}",
        "/openapi.json",
    }


async def test_without_a_place_a_large_answer_is_sent_as_it_is() -> None:
    packings = Packings(most=1)
    slow = packings.begin(CODINGS[0])
    without = await answer(Answering(LARGE), ACCEPTING[b"zstd"], packings=packings)
    small = await answer(Answering(LIST), ACCEPTING[b"zstd"], packings=packings)
    del slow
    again = await answer(Answering(LARGE), ACCEPTING[b"zstd"], packings=packings)

    assert without.body == LARGE
    assert without.headers[b"content-length"] == b"%d" % len(LARGE)
    assert without.headers[b"vary"] == b"accept-encoding"
    assert small.headers[b"content-encoding"] == b"zstd"
    assert again.headers[b"content-encoding"] == b"zstd"
