"""`POST /events` and `POST /events/batch`, as bare ASGI in front of FastAPI, as `/search` is (ADR 0008).

Its documented twin (`ingest_router.py`) goes through the same Door.
"""

from collections.abc import Callable
from itertools import count
from secrets import token_hex
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.gatekeeper import UNKNOWN_GUEST, Gatekeeper
from app.adapters.inbound.http.access.guarded_app import who
from app.adapters.inbound.http.connection.request_body import ClientGoneError
from app.adapters.inbound.http.describing.errors import describe, fields_of
from app.adapters.inbound.http.describing.rendering import render_error
from app.adapters.inbound.http.ingest.ingest_answers import Headers, Reply
from app.adapters.inbound.http.ingest.ingest_counts import ObserveActivities, observe_nothing
from app.adapters.inbound.http.ingest.ingest_door import BATCH, EVENTS, Door, IngestLimits
from app.adapters.inbound.http.search.search_app import CONTENT_TYPE, REQUEST_ID
from app.application.record_activities import RecordActivities
from app.domain.access import Area

log = structlog.get_logger()

CLIENT_GONE = 499
"""What is counted when nobody waits for the answer; it is never sent."""


class IngestApp:
    """Answer what is posted to the door and hand every other request to `app`.

    `observe` is told the route, the status and the seconds of each answer, `observe_activities` what became of those
    that came with it. Of what a `gatekeeper` refuses, nothing is read.
    """

    def __init__(  # noqa: PLR0913 - the last two have defaults, for a door that stands alone
        self,
        app: ASGIApp,
        record: RecordActivities,
        limits: IngestLimits,
        observe: Callable[[str, int, float], None],
        *,
        observe_activities: ObserveActivities = observe_nothing,
        gatekeeper: Gatekeeper | None = None,
    ) -> None:
        self._app = app
        self._door = Door(record, limits, observe_activities)
        self._observe = observe
        self._gatekeeper = gatekeeper
        self._request_ids = count(1)
        self._request_id_prefix = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3)."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in (EVENTS, BATCH):
            await self._app(scope, receive, send)
            return
        began, path = perf_counter(), scope["path"]
        request_id = self._request_id(scope["headers"])
        try:
            reply = await self._reply(scope, receive, request_id)
        except ClientGoneError:
            self._observe(path, CLIENT_GONE, perf_counter() - began)
            return
        await _send(reply, request_id, send)
        self._note(path, reply.status, perf_counter() - began, request_id)

    async def _reply(self, scope: Scope, receive: Receive, request_id: bytes) -> Reply:
        path, headers = scope["path"], dict(scope["headers"])
        if self._gatekeeper is None:
            return await self._door.answer(path, headers, receive, request_id)
        try:
            admission = await self._gatekeeper.admit(scope, Area.INGEST)
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it becomes an answer in the contract's shape
            with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
                return _refusal(error)
        if admission is UNKNOWN_GUEST:
            return await self._door.answer(path, headers, receive, request_id)
        with structlog.contextvars.bound_contextvars(**who(admission.principal)):
            reply = await self._door.answer(path, headers, receive, request_id)
        return reply._replace(headers=[*reply.headers, *admission.fields])

    def _request_id(self, headers: Headers) -> bytes:
        for name, value in headers:
            if name == b"x-request-id" and REQUEST_ID(value):
                return value
        return b"%s-%x" % (self._request_id_prefix, next(self._request_ids))

    def _note(self, path: str, status: int, seconds: float, request_id: bytes) -> None:
        self._observe(path, status, seconds)
        if status >= 500:  # noqa: PLR2004 - a server's error
            ms, said = round(seconds * 1e3, 1), request_id.decode()
            log.info("answered", method="POST", path=path, status=status, ms=ms, request_id=said)


def _refusal(error: Exception) -> Reply:
    answer, message = describe(error)
    return Reply(answer.status, render_error(answer.code, message), list(fields_of(error, answer)))


async def _send(reply: Reply, request_id: bytes, send: Send) -> None:
    length = (b"content-length", b"%d" % len(reply.body))
    headers = [CONTENT_TYPE, length, (b"x-request-id", request_id), *reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
