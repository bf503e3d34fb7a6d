"""What happens around every request but `/search`: its id, its line in the log, its count."""

from collections.abc import Callable
from itertools import count
from secrets import token_hex
from time import monotonic, perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.access.guarded_app import who
from app.adapters.inbound.http.search.search_app import REQUEST_ID

log = structlog.get_logger()

QUIET = frozenset({"/health/live", "/health/ready", "/metrics", "/dashboard/state"})
"""Routes that machines ask every few seconds: logged only when they fail."""
LONGEST_PATH = 200
"""Characters of a path that anybody is told; clients may send 32 KiB of them."""
TOO_MANY_REQUESTS = 429


class OnceASecond:
    """Keeps what may come by the thousand from being told one by one."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._told_at = float("-inf")
        self._left_out = 0

    def left_out(self) -> int | None:
        """Say how many were left out before this one; None when it is to be left out too."""
        now = self._now()
        if now - self._told_at < 1:
            self._left_out += 1
            return None
        left_out, self._left_out, self._told_at = self._left_out, 0, now
        return left_out


class RequestContext:
    """Bind the request's id to every log line, return it in X-Request-ID, log and count the answer.

    Of answers 429 one a second is logged: they cost a client nothing, and are to cost no disk.
    """

    def __init__(
        self,
        app: ASGIApp,
        observe: Callable[[str, str, int, float], None],
        too_many: OnceASecond | None = None,
    ) -> None:
        self._app = app
        self._observe = observe
        self._too_many = too_many or OnceASecond()
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
        if route in QUIET and status < 500:  # noqa: PLR2004 - a server's error
            return
        said: dict[str, str | int] = {**who(scope.get("principal"))}
        if status == TOO_MANY_REQUESTS:
            left_out = self._too_many.left_out()
            if left_out is None:
                return
            said |= {"left_out": left_out} if left_out else {}
        path = shortened(scope["raw_path"].decode("latin-1"))  # as it was sent: what is decoded may steer a terminal
        log.info("answered", method=scope["method"], path=path, status=status, ms=round(seconds * 1e3, 1), **said)


def shortened(path: str) -> str:
    """Cut a path to what is told of it."""
    return path if len(path) <= LONGEST_PATH else f"{path[:LONGEST_PATH]}…"
