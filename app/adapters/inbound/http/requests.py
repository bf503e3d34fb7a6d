"""What happens around every request but `/search`: its id, its line in the log, its count."""

from collections.abc import Callable
from itertools import count
from secrets import token_hex
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.guarded_app import who
from app.adapters.inbound.http.search_app import REQUEST_ID

log = structlog.get_logger()

QUIET = frozenset({"/health/live", "/health/ready", "/metrics", "/dashboard/state"})
"""Routes that machines ask every few seconds: logged only when they fail."""


class RequestContext:
    """Bind the request's id to every log line, return it in X-Request-ID, log and count the answer."""

    def __init__(self, app: ASGIApp, observe: Callable[[str, str, int, float], None]) -> None:
        self._app = app
        self._observe = observe
        self._request_ids = count(1)
        self._prefix = token_hex(6).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        request_id = self._id_of(scope)
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                self._note(scope, status, perf_counter() - began)

    def _id_of(self, scope: Scope) -> bytes:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and REQUEST_ID(value):
                return bytes(value)
        return b"%s-%x" % (self._prefix, next(self._request_ids))

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._observe(route, scope["method"], status, seconds)
        if route not in QUIET or status >= 500:  # noqa: PLR2004 - a server's error
            ms, said = round(seconds * 1e3, 1), who(scope.get("principal"))
            path = scope["raw_path"].decode("latin-1")  # as it was sent: what is decoded may steer a terminal
            log.info("answered", method=scope["method"], path=path, status=status, ms=ms, **said)
