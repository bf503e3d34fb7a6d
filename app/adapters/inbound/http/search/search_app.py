"""`GET /search`, as bare ASGI in front of everything else: what Marquee exists for (ADR 0008).

Nothing here waits for anything but the socket. The FastAPI route of the same path (`search_router.py`) says the same in
more words; `tests/unit/http/test_search_equivalence.py` asks both.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import tzinfo
from time import perf_counter
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.connection.request_ids import RefusalLog, RequestIds
from app.adapters.inbound.http.describing.answers import CONTENT_TYPE, ErrorTable, Fields
from app.adapters.inbound.http.search.plan_json import SEARCH_HEAD, SEARCH_TAIL, enveloped
from app.adapters.inbound.http.search.search_errors import CatalogNotLoadedError
from app.adapters.inbound.http.search.search_window import asks_of_the_past, read_window, usual_window
from app.domain.access import Area

Headers = list[tuple[bytes, bytes]]
Pieces = Iterator[list[bytes]]

READS = ("GET", "HEAD")
"""Methods; the server leaves out the body that HEAD does not want."""
LARGE_ANSWER = 8
"""Chunks of the index; an answer from more of them is sent bit by bit, so that other requests go on meanwhile."""
PIECE = 256
"""Plans in one bit of a large answer; what has more is written bit by bit, as fast as the client takes it."""


class FragmentIndex(Protocol):
    """The immutable index: what it takes to find, and to read out what was found."""

    def groups(self, after: float, before: float) -> list[list[Any]]:
        """Find what may lie inside [after, before], in POSIX seconds."""

    def read(self, groups: list[list[Any]], before: float) -> list[bytes]:
        """Read out everything, by start, then by id, into a list that the caller may change."""

    def pieces(self, groups: list[list[Any]], before: float, size: int) -> Iterator[list[bytes]]:
        """Read out the same bit by bit."""


class SearchSource(Protocol):
    """Where the current index is to be had."""

    @property
    def ready(self) -> bool:
        """Whether the catalog was loaded."""

    @property
    def etag(self) -> bytes:
        """The name of the index's content."""

    @property
    def index(self) -> FragmentIndex:
        """The index of this moment."""


class SearchApp:
    """Answer `GET /search` of the present and hand every other request to `app`.

    `observe` is told the status and the seconds of each answer; naive date-times of a query are read in `timezone`.
    A `gatekeeper` is asked only where search is closed, or limited.
    """

    def __init__(  # noqa: PLR0913 - what it stands before, answers from, tells and asks
        self,
        app: ASGIApp,
        source: SearchSource,
        timezone: tzinfo,
        observe: Callable[[int, float], None],
        gatekeeper: Gatekeeper | None = None,
        *,
        errors: ErrorTable,
    ) -> None:
        self._app = app
        self._source = source
        self._timezone = timezone
        self._observe = observe
        self._gatekeeper = None if gatekeeper is None or gatekeeper.search_is_free else gatekeeper
        self._errors = errors
        self._refused = RefusalLog("GET", "/search")
        self._request_ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["path"] != "/search" or scope["method"] not in READS:
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        query = scope["query_string"]
        usual = usual_window(query)
        if usual is None and asks_of_the_past(query):
            await self._app(scope, receive, send)
            return
        request_id = if_none_match = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
            elif name == b"if-none-match":
                if_none_match = value
        own = (b"x-request-id", self._request_ids.of_value(request_id))
        told: Fields = ()
        try:
            if self._gatekeeper is not None:
                told = (await self._gatekeeper.admit(scope, Area.SEARCH)).fields
            status, headers, body = self._answer(usual or self._window(query), if_none_match)
            headers.append(own)
            headers += told
            await send({"type": "http.response.start", "status": status, "headers": headers})
            if isinstance(body, bytes):
                await send({"type": "http.response.body", "body": body})
            else:
                await _send_pieces(body, send)
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it becomes an answer in the contract's shape
            status = await self._refuse(error, send, own, *told)
        self._observe(status, perf_counter() - began)

    async def _refuse(self, error: Exception, send: Send, own: tuple[bytes, bytes], *told: tuple[bytes, bytes]) -> int:
        reply = self._errors.reply(error)
        await reply.send(send, own, *told)
        self._refused.note(reply, own[1])
        return reply.status

    def _answer(self, window: tuple[float, float], if_none_match: bytes | None) -> tuple[int, Headers, bytes | Pieces]:
        after, before = window
        source = self._source
        if not source.ready:
            raise CatalogNotLoadedError
        etag, index = source.etag, source.index
        if if_none_match is not None and _matches(if_none_match, etag):
            return 304, [(b"etag", etag)], b""
        groups = index.groups(after, before)
        if sum(map(len, groups)) > LARGE_ANSWER:
            return 200, [CONTENT_TYPE, (b"etag", etag)], index.pieces(groups, before, PIECE)
        fragments = index.read(groups, before)
        if len(fragments) > PIECE:
            length = (b"content-length", b"%d" % _length(fragments))
            return 200, [CONTENT_TYPE, length, (b"etag", etag)], _in_pieces(fragments)
        body = _body(fragments)
        return 200, [CONTENT_TYPE, (b"content-length", b"%d" % len(body)), (b"etag", etag)], body

    def _window(self, query: bytes) -> tuple[float, float]:
        window = read_window(query, self._timezone)
        after = window.starts_at.timestamp() if window.starts_at else float("-inf")
        before = window.ends_at.timestamp() if window.ends_at else float("inf")
        return after, before


def _body(fragments: list[bytes]) -> bytes:
    if not fragments:
        return SEARCH_HEAD + SEARCH_TAIL
    fragments[0] = SEARCH_HEAD + fragments[0]
    fragments[-1] += SEARCH_TAIL
    return b",".join(fragments)


def _length(fragments: list[bytes]) -> int:
    return len(SEARCH_HEAD) + sum(map(len, fragments)) + len(fragments) - 1 + len(SEARCH_TAIL)


def _in_pieces(fragments: list[bytes]) -> Pieces:
    """Keep no copy of the whole while a slow client takes it; what is not sent yet are the index's own bytes."""
    return (fragments[at : at + PIECE] for at in range(0, len(fragments), PIECE))


async def _send_pieces(pieces: Pieces, send: Send) -> None:
    for body in enveloped(pieces):
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0)  # sending waits only for a full socket; this lets others in each time
    await send({"type": "http.response.body", "body": b""})


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    """Compare weakly, as RFC 9110, 13.1.2 has it."""
    return if_none_match.strip() == b"*" or etag in (
        tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")
    )
