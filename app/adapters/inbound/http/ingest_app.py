"""`POST /events` and `POST /events/batch`, as bare ASGI in front of FastAPI, as `/search` is (ADR 0008).

Its documented twin (`ingest_router.py`) goes through the same Door.
"""

from collections.abc import Callable
from itertools import count
from secrets import token_hex
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.ingest_answers import Reply
from app.adapters.inbound.http.ingest_door import BATCH, EVENTS, Door, IngestLimits
from app.adapters.inbound.http.request_body import ClientGoneError
from app.adapters.inbound.http.search_app import CONTENT_TYPE, REQUEST_ID
from app.application.record_activities import RecordActivities

log = structlog.get_logger()

CLIENT_GONE = 499
"""What is counted when nobody waits for the answer; it is never sent."""


class IngestApp:
    """Answer what is posted to the door and hand every other request to `app`.

    `observe` is told the route, the status and the seconds of each answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        record: RecordActivities,
        limits: IngestLimits,
        observe: Callable[[str, int, float], None],
    ) -> None:
        self._app = app
        self._door = Door(record, limits)
        self._observe = observe
        self._request_ids = count(1)
        self._request_id_prefix = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3)."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in (EVENTS, BATCH):
            await self._app(scope, receive, send)
            return
        began, path = perf_counter(), scope["path"]
        headers = dict(scope["headers"])
        request_id = self._request_id(headers.get(b"x-request-id"))
        try:
            reply = await self._door.answer(path, headers, receive, request_id)
        except ClientGoneError:
            self._observe(path, CLIENT_GONE, perf_counter() - began)
            return
        await _send(reply, request_id, send)
        self._note(path, reply.status, perf_counter() - began, request_id)

    def _request_id(self, given: bytes | None) -> bytes:
        if given is not None and REQUEST_ID(given):
            return given
        return b"%s-%x" % (self._request_id_prefix, next(self._request_ids))

    def _note(self, path: str, status: int, seconds: float, request_id: bytes) -> None:
        self._observe(path, status, seconds)
        if status >= 500:  # noqa: PLR2004 - a server's error
            ms, said = round(seconds * 1e3, 1), request_id.decode()
            log.info("answered", method="POST", path=path, status=status, ms=ms, request_id=said)


async def _send(reply: Reply, request_id: bytes, send: Send) -> None:
    length = (b"content-length", b"%d" % len(reply.body))
    headers = [CONTENT_TYPE, length, (b"x-request-id", request_id), *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
