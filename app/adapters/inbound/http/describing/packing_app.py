"""Lists are compressed as the client takes them, and with them whatever is public or JSON of figures (ADR 0089)."""

import asyncio
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.describing.accept_encoding import VARY, Accepted, accepted_codings, joined
from app.adapters.inbound.http.describing.answers import CONTENT_TYPE
from app.adapters.inbound.http.describing.content_codings import Coding, Packing, Packings
from app.domain.access import Area

PACKED_AREAS = frozenset({Area.SEARCH, Area.CATALOG, Area.STATS, Area.OPERATIONS, Area.DOCS})
"""Where no answer has a secret in it: users and their keys are not here."""
UNPACKED_PATHS = frozenset(
    {"/activities", "/activities/refused", "/export/activities", "/export/plans", "/export/stats"}
)
"""What visitors did, beside what anybody may have sent: its length must not tell of it. And exports are streams."""
AT_ONCE = 64 * 1024
"""Bytes that are compressed before others are served."""


def is_packed(area: Area, path: str) -> bool:
    """Tell of a route that is read, by the template of its path."""
    return area in PACKED_AREAS and path not in UNPACKED_PATHS


class PackingApp:
    """Compress what `app` answers with 200 and JSON, where the area of the route allows it; streams stay as they are.

    What is large goes out piece by piece while `packings` has a place, else as it is.
    """

    def __init__(self, app: ASGIApp, packings: Packings) -> None:
        self._app = app
        self._packings = packings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["method"] != "GET" or not is_packed(scope["route"].area, scope["route"].path):
            await self._app(scope, receive, send)
            return
        accepted = accepted_codings(joined(value for name, value in scope["headers"] if name == b"accept-encoding"))
        await self._app(scope, receive, _Answer(accepted, self._packings, send).send)


class _Answer:
    """One answer on its way: its head waits for the first of its body."""

    def __init__(self, accepted: Accepted, packings: Packings, send: Send) -> None:
        self._accepted = accepted
        self._packings = packings
        self._send = send
        self._start: Message | None = None
        self._packing: Packing | None = None

    async def send(self, message: Message) -> None:
        """Take the next message of the application."""
        if message["type"] == "http.response.start":
            if message["status"] == 200 and CONTENT_TYPE in message["headers"]:  # noqa: PLR2004 - HTTP's
                self._start = message
                return
        elif self._start:
            start, self._start = self._start, None
            await self._begin(start, message)
            return
        elif self._packing:
            await self._go_on(self._packing, message)
            return
        await self._send(message)

    async def _begin(self, start: Message, message: Message) -> None:
        body, goes_on = message.get("body", b""), message.get("more_body", False)
        coding = self._accepted.best if goes_on else self._accepted.coding_of(len(body))
        if coding and not goes_on and len(body) <= AT_ONCE:
            body = coding.pack(body)
            await self._send(_coded(start, coding, len(body)))
            await self._send({**message, "body": body})
            return
        self._packing = self._packings.begin(coding)
        if coding and self._packing:
            await self._send(_coded(start, coding))
            await self._go_on(self._packing, message)
            return
        await self._send({**start, "headers": [*start["headers"], VARY]})
        await self._send(message)

    async def _go_on(self, packing: Packing, message: Message) -> None:
        for piece in _cut(message.get("body", b"")):
            await self._send({"type": "http.response.body", "body": packing.piece(piece), "more_body": True})
            await asyncio.sleep(0)  # sending waits only for a full socket; this lets others in each time
        if not message.get("more_body", False):
            await self._send({"type": "http.response.body", "body": packing.end()})


def _coded(start: Message, coding: Coding, length: int | None = None) -> Message:
    kept = [field for field in start["headers"] if field[0] != b"content-length"]
    lengths = [] if length is None else [(b"content-length", b"%d" % length)]
    return {**start, "headers": [*kept, *lengths, VARY, coding.field]}


def _cut(body: bytes) -> Iterator[bytes]:
    return (body[at : at + AT_ONCE] for at in range(0, len(body), AT_ONCE))
