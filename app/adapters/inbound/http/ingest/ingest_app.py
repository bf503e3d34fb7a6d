"""What the door's routes are asked, as bare ASGI in front of FastAPI, as `/search` is (ADR 0008).

Their documented twins (`ingest_router.py`, `segment_router.py`) go through the same Door.
"""

from collections.abc import Callable
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.credentials import KEY
from app.adapters.inbound.http.access.guarded_app import who
from app.adapters.inbound.http.access.posting_gate import Posting, PostingGate
from app.adapters.inbound.http.connection.connection_errors import ClientGoneError
from app.adapters.inbound.http.connection.query_parameters import refuse_unknown
from app.adapters.inbound.http.connection.request_ids import RefusalLog, RequestIds
from app.adapters.inbound.http.describing.answers import ErrorTable, Reply
from app.adapters.inbound.http.ingest.ingest_door import PATHS, Door

log = structlog.get_logger()

CLIENT_GONE = 499
"""What is counted when nobody waits for the answer; it is never sent."""


class IngestApp:
    """Answer what is posted to the door and hand every other request to `app`.

    `observe` is told the route, the status and the seconds of each answer. Of what a `gate` refuses, nothing is read;
    what brings its key itself is read as far as MOST_UNKNOWN.
    """

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        observe: Callable[[str, int, float], None],
        gate: PostingGate | None = None,
        *,
        errors: ErrorTable,
    ) -> None:
        self._app = app
        self._door = door
        self._observe = observe
        self._gate = gate
        self._errors = errors
        self._request_ids = RequestIds()
        self._refused = {path: RefusalLog("POST", path) for path in PATHS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        if scope["method"] != "POST" or scope["path"] not in PATHS:
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
        posting = Posting(scope, self._gate)
        try:
            if self._gate is not None:
                await self._gate.admit(posting)
            refuse_unknown(scope["query_string"], (KEY,))
            if posting.admission.principal is None:  # then there is nobody to name in the log
                reply = await self._door.answer(scope["path"], posting.headers, receive, posting.open, posting.most)
            else:
                with structlog.contextvars.bound_contextvars(**who(posting.admission.principal)):
                    reply = await self._door.answer(scope["path"], posting.headers, receive, posting.open, posting.most)
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it becomes an answer in the contract's shape
            named = who(posting.admission.principal) | {"request_id": request_id.decode()}
            with structlog.contextvars.bound_contextvars(**named):
                reply = self._errors.reply(error)
            self._door.intake.note_refusal(reply.code, str(error) if reply.status < 500 else "")  # noqa: PLR2004 - a server's
        fields = posting.admission.fields
        return reply._replace(fields=reply.fields + fields) if fields else reply

    def _note(self, path: str, reply: Reply, seconds: float, request_id: bytes) -> None:
        self._observe(path, reply.status, seconds)
        if reply.code:
            self._refused[path].note(reply, request_id)
        if reply.status >= 500:  # noqa: PLR2004 - a server's error
            ms, said = round(seconds * 1e3, 1), request_id.decode()
            log.info("answered", method="POST", path=path, status=reply.status, ms=ms, request_id=said)
