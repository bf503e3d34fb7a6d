"""`GET /search`, as bare ASGI in front of everything else: what Marquee exists for (ADR 0008).

Nothing here waits for anything but the socket. The FastAPI route of the same path (`search_router.py`) says the same in
more words; `tests/unit/http/test_search_equivalence.py` asks both.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from itertools import count
from secrets import token_hex
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.formats.iso_8601 import DATE, TIME_OF_DAY
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.rate_limit_fields import Fields
from app.adapters.inbound.http.describing.errors import CatalogNotLoadedError, QueryTooLongError, describe, fields_of
from app.adapters.inbound.http.describing.rendering import SEARCH_HEAD, SEARCH_TAIL, render_error
from app.adapters.inbound.reading.instants import read_instant
from app.domain.access import Area
from app.domain.time_window import TimeWindow

Headers = list[tuple[bytes, bytes]]
Pieces = Iterator[list[bytes]]

LONGEST_QUERY = 2048
"""Bytes; two date-times need 80."""
READS = ("GET", "HEAD")
"""Methods; the server leaves out the body that HEAD does not want."""
LARGE_ANSWER = 8
"""Chunks of the index; an answer from more of them is sent bit by bit, so that other requests go on meanwhile."""
PIECE = 256
"""Plans in one bit of a large answer; what has more is written bit by bit, as fast as the client takes it."""

USUAL_QUERY = re.compile(rf"starts_at=({DATE}T{TIME_OF_DAY}Z)&ends_at=({DATE}T{TIME_OF_DAY}Z)", re.ASCII).fullmatch
REQUEST_ID = re.compile(rb"[A-Za-z0-9._~+/=:-]{1,128}").fullmatch
CONTENT_TYPE = (b"content-type", b"application/json")


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

    def __init__(
        self,
        app: ASGIApp,
        source: SearchSource,
        timezone: tzinfo,
        observe: Callable[[int, float], None],
        gatekeeper: Gatekeeper | None = None,
    ) -> None:
        self._app = app
        self._source = source
        self._timezone = timezone
        self._observe = observe
        self._gatekeeper = None if gatekeeper is None or gatekeeper.search_is_free else gatekeeper
        self._request_ids = count(1)
        self._request_id_prefix = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3)."""
        if scope["type"] != "http" or scope["path"] != "/search" or scope["method"] not in READS:
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
                request_id = value if REQUEST_ID(value) else None
            elif name == b"if-none-match":
                if_none_match = value
        own = (b"x-request-id", request_id or b"%s-%x" % (self._request_id_prefix, next(self._request_ids)))
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
            status = await _send_error(error, (own, *told), send)
        self._observe(status, perf_counter() - began)

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


def usual_window(query: bytes) -> tuple[float, float] | None:
    """Read a window of the usual spelling, in POSIX seconds, as `read_window` would; None when it must."""
    usual = USUAL_QUERY(query.decode("latin-1"))
    if usual is None:
        return None
    starts_at, ends_at = usual.groups()
    try:
        after, before = datetime.fromisoformat(starts_at).timestamp(), datetime.fromisoformat(ends_at).timestamp()
    except ValueError:
        return None  # 2021-09-31: the long way says it in words
    return (after, before) if after <= before else None


def asks_of_the_past(query: bytes) -> bool:
    """Tell whether a parameter is named `as_of`: then, and only then, the FastAPI route answers."""
    if (b"as_of" not in query and b"%" not in query) or len(query) > LONGEST_QUERY:
        return False
    return any(name == "as_of" for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def read_window(query: bytes, timezone: tzinfo) -> TimeWindow:
    """Read a query string: both bounds optional, unknown parameters ignored, of a repeated one the last counts.

    Raises:
        QueryTooLongError: more than LONGEST_QUERY bytes.
        InvalidDateTimeError: a bound is no date-time.
        WindowEndsBeforeItStartsError: the bounds are the wrong way round.
    """
    refuse_long_query(query)
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return window_of(given.get("starts_at"), given.get("ends_at"), timezone)


def refuse_long_query(query: bytes) -> None:
    """Refuse what nobody means.

    Raises:
        QueryTooLongError: more than LONGEST_QUERY bytes.
    """
    if len(query) > LONGEST_QUERY:
        raise QueryTooLongError(f"the query string has {len(query)} bytes; at most {LONGEST_QUERY} are read")


def window_of(starts_at: str | None, ends_at: str | None, timezone: tzinfo) -> TimeWindow:
    """Make a window of what the two parameters say; None is an open bound."""
    return TimeWindow(
        read_instant("starts_at", starts_at, timezone) if starts_at is not None else None,
        read_instant("ends_at", ends_at, timezone) if ends_at is not None else None,
    )


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
    glue = SEARCH_HEAD
    for piece in pieces:
        await send({"type": "http.response.body", "body": glue + b",".join(piece), "more_body": True})
        glue = b","
        await asyncio.sleep(0)  # sending waits only for a full socket; this lets others in each time
    tail = SEARCH_HEAD + SEARCH_TAIL if glue is SEARCH_HEAD else SEARCH_TAIL
    await send({"type": "http.response.body", "body": tail})


async def _send_error(error: Exception, told: Fields, send: Send) -> int:
    answer, message = describe(error)
    body = render_error(answer.code, message)
    headers = [CONTENT_TYPE, (b"content-length", b"%d" % len(body)), *told, *fields_of(error, answer)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return answer.status


def _matches(if_none_match: bytes, etag: bytes) -> bool:
    """Compare weakly, as RFC 9110, 13.1.2 has it."""
    return if_none_match.strip() == b"*" or etag in (
        tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")
    )
