"""`POST /events` and `POST /events/batch`, as bare ASGI in front of FastAPI, as `/search` is (ADR 0008).

Its documented twin (`ingest_router.py`) goes through the same Door.
"""

from collections.abc import Callable
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.gatekeeper import ANONYMOUS, Gatekeeper
from app.adapters.inbound.http.access.guarded_app import who
from app.adapters.inbound.http.connection.connection_errors import ClientGoneError
from app.adapters.inbound.http.connection.request_ids import RefusalLog, RequestIds
from app.adapters.inbound.http.describing.answers import ErrorTable, Reply
from app.adapters.inbound.http.ingest.ingest_door import BATCH, EVENTS, Door
from app.domain.access import Area

log = structlog.get_logger()

CLIENT_GONE = 499
"""What is counted when nobody waits for the answer; it is never sent."""


class IngestApp:
    """Answer what is posted to the door and hand every other request to `app`.

    `observe` is told the route, the status and the seconds of each answer. Of what a `gatekeeper` refuses, nothing is
    read.
    """

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        observe: Callable[[str, int, float], None],
        gatekeeper: Gatekeeper | None = None,
        *,
        errors: ErrorTable,
    ) -> None:
        self._app = app
        self._door = door
        self._observe = observe
        self._gatekeeper = gatekeeper
        self._errors = errors
        self._request_ids = RequestIds()
        self._refused = {path: RefusalLog("POST", path) for path in (EVENTS, BATCH)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["method"] != "POST" or scope["path"] not in (EVENTS, BATCH):
            await self._app(scope, receive, send)
            return
        began, path = perf_counter(), scope["path"]
        request_id = self._request_ids.of_headers(scope["headers"])
        try:
            reply = await self._reply(scope, receive, request_id)
        except ClientGoneError:
            self._observe(path, CLIENT_GONE, perf_counter() - began)
            return
        await reply.send(send, (b"x-request-id", request_id))
        self._note(path, reply, perf_counter() - began, request_id)

    async def _reply(self, scope: Scope, receive: Receive, request_id: bytes) -> Reply:
        admission = ANONYMOUS
        try:
            if self._gatekeeper is not None:
                admission = await self._gatekeeper.admit(scope, Area.INGEST)
            if admission is ANONYMOUS:
                return await self._door.answer(scope["path"], dict(scope["headers"]), receive)
            with structlog.contextvars.bound_contextvars(**who(admission.principal)):
                reply = await self._door.answer(scope["path"], dict(scope["headers"]), receive)
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it becomes an answer in the contract's shape
            named = who(admission.principal) | {"request_id": request_id.decode()}
            with structlog.contextvars.bound_contextvars(**named):
                reply = self._errors.reply(error)
            self._door.log.note_refusal(reply.code)
        return reply._replace(fields=reply.fields + admission.fields)

    def _note(self, path: str, reply: Reply, seconds: float, request_id: bytes) -> None:
        self._observe(path, reply.status, seconds)
        if reply.code:
            self._refused[path].note(reply, request_id)
        if reply.status >= 500:  # noqa: PLR2004 - a server's error
            ms, said = round(seconds * 1e3, 1), request_id.decode()
            log.info("answered", method="POST", path=path, status=reply.status, ms=ms, request_id=said)
