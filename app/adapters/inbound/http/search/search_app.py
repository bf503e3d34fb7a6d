"""`GET /search`, as bare ASGI in front of everything else: what Marquee exists for (ADR 0008).

Nothing here waits for anything but the socket. The FastAPI route of the same path (`search_router.py`) says the same in
more words; `tests/unit/http/test_search_equivalence.py` asks both.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import tzinfo
from time import perf_counter
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.connection.request_ids import RefusalLog, RequestIds
from app.adapters.inbound.http.describing.accept_encoding import VARY, Accepted, accepted_codings
from app.adapters.inbound.http.describing.answers import CONTENT_TYPE, ErrorTable, Fields
from app.adapters.inbound.http.describing.content_codings import Coding, Packings, packed
from app.adapters.inbound.http.search.plan_json import SEARCH_HEAD, SEARCH_TAIL, enveloped
from app.adapters.inbound.http.search.search_errors import CatalogNotLoadedError
from app.adapters.inbound.http.search.search_window import asks_of_the_past, open_window, usual_window
from app.domain.access import Area

Headers = list[tuple[bytes, bytes]]
Buffer = bytes | memoryview

READS = ("GET", "HEAD")
"""Methods; the server leaves out the body that HEAD does not want."""
LARGE_ANSWER = 4_096
"""Plans; an answer that may have more is read bit by bit, so that other requests go on meanwhile."""
PIECE = 256
"""Plans in one bit of a large answer; what has more is written bit by bit, as fast as the client takes it."""


class Found(Protocol):
    """The plans inside a window."""

    @property
    def tag(self) -> bytes:
        """The answer's entity tag, quoted; known without reading the plans."""

    @property
    def most(self) -> int:
        """How many plans there may be, at the most."""

    def read(self) -> tuple[bytes, list[Buffer]]:
        """Read out the tag and everything, by start, then by id, to be joined by commas."""

    def pieces(self, size: int) -> Iterator[list[Buffer]]:
        """Read out the same bit by bit, at most `size` plans at a time."""


class FragmentIndex(Protocol):
    """The immutable index."""

    def find(self, after: float, before: float) -> Found:
        """Find what lies inside [after, before], in POSIX seconds."""


class SearchSource(Protocol):
    """Where the current index is to be had."""

    @property
    def ready(self) -> bool:
        """Whether the catalog was loaded."""

    @property
    def index(self) -> FragmentIndex:
        """The index of this moment."""


class SearchApp:
    """Answer `GET /search` of the present and hand every other request to `app`.

    `observe` is told the status and the seconds of each answer; naive date-times of a query are read in `timezone`.
    A `gatekeeper` is asked only where search is closed, or limited. What is large is compressed while `packings` has a
    place. Unknown parameters are ignored only when search is among the lenient areas.
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
        packings: Packings | None = None,
        lenient_areas: Collection[Area] = frozenset(),
    ) -> None:
        self._app = app
        self._source = source
        self._timezone = timezone
        self._observe = observe
        self._gatekeeper = None if gatekeeper is None or gatekeeper.search_is_free else gatekeeper
        self._errors = errors
        self._packings = packings or Packings()
        self._is_lenient = Area.SEARCH in lenient_areas
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
        request_id = if_none_match = accept_encoding = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
            elif name == b"if-none-match":
                if_none_match = value
            elif name == b"accept-encoding":
                accept_encoding = value if accept_encoding is None else b"%b, %b" % (accept_encoding, value)
        own = (b"x-request-id", self._request_ids.of_value(request_id))
        told: Fields = ()
        try:
            if self._gatekeeper is not None:
                told = (await self._gatekeeper.admit(scope, Area.SEARCH)).fields
            window = usual or open_window(query, self._timezone, is_lenient=self._is_lenient)
            status, headers, body = self._answer(window, if_none_match, accepted_codings(accept_encoding))
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

    def _answer(
        self, window: tuple[float, float], if_none_match: bytes | None, accepted: Accepted
    ) -> tuple[int, Headers, bytes | Iterable[bytes]]:
        after, before = window
        if not self._source.ready:
            raise CatalogNotLoadedError
        found = self._source.index.find(after, before)
        if if_none_match is not None and (held := accepted.held(if_none_match, found.tag)):
            return 304, [(b"etag", held), VARY], b""
        if found.most > PIECE:
            return self._large(found, accepted.best)
        etag, buffers = found.read()
        body = b"".join((SEARCH_HEAD, b",".join(buffers), SEARCH_TAIL))
        coding = accepted.coding_of(len(body))
        if coding is None:
            return 200, [CONTENT_TYPE, (b"content-length", b"%d" % len(body)), (b"etag", etag), VARY], body
        body = coding.pack(body)
        length = (b"content-length", b"%d" % len(body))
        return 200, [CONTENT_TYPE, length, (b"etag", coding.tag(etag)), VARY, coding.field], body

    def _large(self, found: Found, coding: Coding | None) -> tuple[int, Headers, Iterable[bytes]]:
        packing = self._packings.begin(coding)
        if coding and packing:
            bodies = packed(packing, enveloped(found.pieces(PIECE)))
            return 200, [CONTENT_TYPE, (b"etag", coding.tag(found.tag)), VARY, coding.field], bodies
        if found.most > LARGE_ANSWER:
            return 200, [CONTENT_TYPE, (b"etag", found.tag), VARY], enveloped(found.pieces(PIECE))
        pieces = list(found.pieces(PIECE))
        length = (b"content-length", b"%d" % _length(pieces))
        return 200, [CONTENT_TYPE, length, (b"etag", found.tag), VARY], enveloped(pieces)


def _length(pieces: Sequence[Sequence[Buffer]]) -> int:
    """Count the bytes of an answer that is read out, but not joined: a slow client makes nobody keep a copy of it."""
    parts = [buffer for piece in pieces for buffer in piece]
    return len(SEARCH_HEAD) + sum(map(len, parts)) + max(0, len(parts) - 1) + len(SEARCH_TAIL)


async def _send_pieces(bodies: Iterable[bytes], send: Send) -> None:
    for body in bodies:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(0)  # sending waits only for a full socket; this lets others in each time
    await send({"type": "http.response.body", "body": b""})
