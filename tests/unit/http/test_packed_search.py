"""Searches are compressed as requests take them: the same bytes when they are decoded, and a tag for each coding."""

import asyncio
import gc
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.http.describing.content_codings import CODINGS, Packings
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.search_app import LARGE_ANSWER, PIECE, Buffer, SearchApp
from tests.support.asgi import Sent, ask
from tests.support.decoded import decoded, readable

TAG = b'"0123456789abcde"'
SIZES = (0, 1, 20, PIECE, PIECE + 1, 3 * PIECE, LARGE_ANSWER + 1)


async def nothing() -> Any:
    raise AssertionError("nothing is received")


class Plans:
    """Finds a number of plans, whatever the window, and counts those that were read out in pieces."""

    ready = True
    tag = TAG

    def __init__(self, number: int) -> None:
        self.most = number
        self.in_pieces = 0

    @property
    def index(self) -> "Plans":
        return self

    def find(self, _after: float, _before: float) -> "Plans":
        return self

    def _plans(self) -> list[Buffer]:
        return [b'{"id":"%036x","title":"Camela en concierto"}' % (number * 7919) for number in range(self.most)]

    def read(self) -> tuple[bytes, list[Buffer]]:
        return TAG, self._plans()

    def pieces(self, size: int) -> Iterator[list[Buffer]]:
        plans = self._plans()
        for at in range(0, len(plans), size):
            self.in_pieces += 1
            yield plans[at : at + size]


def a_search(plans: Plans, packings: Packings | None = None) -> SearchApp:
    async def nothing_else(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("only searches are asked")

    return SearchApp(nothing_else, plans, UTC, lambda _status, _seconds: None, errors=ERRORS, packings=packings)


async def search(plans: Plans, encodings: bytes | None = None, packings: Packings | None = None, **more: Any) -> Sent:
    fields = () if encodings is None else ((b"accept-encoding", encodings),)
    return await ask(a_search(plans, packings), "/search", headers=(*fields, *more.pop("fields", ())), **more)


@pytest.mark.parametrize("coding", [coding.name for coding in CODINGS])
@pytest.mark.parametrize("number", SIZES)
async def test_an_answer_of_any_size_is_the_same_when_it_is_decoded(number: int, coding: bytes) -> None:
    plain = await search(Plans(number))
    sent = await search(Plans(number), coding)

    used = sent.headers.get(b"content-encoding")
    assert used == (coding if len(plain.body) >= 1024 else None)
    assert decoded(sent.body, used) == plain.body
    assert sent.headers[b"etag"] == (TAG[:-1] + b"-" + coding + b'"' if used else TAG)
    assert plain.headers[b"etag"] == TAG
    assert plain.headers[b"vary"] == sent.headers[b"vary"] == b"accept-encoding"


@pytest.mark.parametrize("number", SIZES)
async def test_a_head_says_what_the_answer_would(number: int) -> None:
    sent = await search(Plans(number), b"zstd")
    head = await search(Plans(number), b"zstd", method="HEAD")

    own = {b"x-request-id": b""}
    assert head.headers | own == sent.headers | own


async def test_what_was_encoded_is_known_by_each_of_its_tags() -> None:
    for tag in (TAG, TAG[:-1] + b'-zstd"', TAG[:-1] + b'-gzip"'):
        sent = await search(Plans(20), b"gzip, zstd", fields=((b"if-none-match", b"W/" + tag),))

        assert (sent.status, sent.headers[b"etag"], sent.headers[b"vary"]) == (304, tag, b"accept-encoding")
        assert b"content-encoding" not in sent.headers
        assert not sent.body


async def test_a_cache_that_has_it_in_a_coding_that_is_not_taken_gets_it_anew() -> None:
    sent = await search(Plans(20), b"gzip", fields=((b"if-none-match", TAG[:-1] + b'-zstd"'),))

    assert (sent.status, sent.headers[b"content-encoding"]) == (200, b"gzip")


async def test_lines_of_accept_encoding_count_together() -> None:
    sent = await search(Plans(20), b"br", fields=((b"accept-encoding", b"gzip"),))

    assert sent.headers[b"content-encoding"] == b"gzip"


@pytest.mark.parametrize("number", [PIECE + 1, LARGE_ANSWER + 1])
async def test_a_large_answer_is_sent_as_it_is_when_all_places_are_taken(number: int) -> None:
    packings = Packings(most=1)
    slow = packings.begin(CODINGS[0])
    without = await search(Plans(number), b"zstd", packings)
    del slow

    again = await search(Plans(number), b"zstd", packings)

    assert without.headers[b"etag"] == TAG
    assert b"content-encoding" not in without.headers
    assert decoded(again.body, b"zstd") == without.body


@pytest.mark.parametrize("coding", [coding.name for coding in CODINGS])
async def test_a_slow_client_reads_the_first_plans_and_holds_no_more_than_those(coding: bytes) -> None:
    plans, packings, taken = Plans(20 * PIECE), Packings(), asyncio.Event()
    messages: list[Any] = []

    async def take_one(message: Any) -> None:
        messages.append(message)
        if len(messages) > 1:
            taken.set()
            await asyncio.Event().wait()

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/search", "query_string": b""}
    app = a_search(plans, packings)
    scope["headers"] = [(b"accept-encoding", coding)]
    asking = asyncio.create_task(app(scope, nothing, take_one))
    await taken.wait()

    assert plans.in_pieces == 1
    assert readable(messages[1]["body"], coding).count(b'"id":') == PIECE
    assert packings.taken == 1

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    del asking
    await asyncio.sleep(0)  # this turn of the loop knows the task still
    gc.collect()
    assert packings.taken == 0
