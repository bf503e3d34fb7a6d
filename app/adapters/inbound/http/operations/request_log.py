"""What happens around every request but `/search`: its id, its line in the log, its count."""

from collections.abc import Callable
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.access.guarded_app import who
from app.adapters.inbound.http.connection.request_ids import RequestIds
from app.adapters.machine.once_a_second import OnceASecond

log = structlog.get_logger()

QUIET = frozenset({"/health/live", "/health/ready", "/metrics", "/dashboard/state"})
"""Routes that machines ask every few seconds: logged only when they fail."""
LONGEST_PATH = 200
"""Characters of a path that anybody is told; clients may send 32 KiB of them."""
TOO_MANY_REQUESTS = 429


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
        self._request_ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        began = perf_counter()
        request_id = self._request_ids.of_headers(scope["headers"])
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
