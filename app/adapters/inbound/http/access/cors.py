"""Pages of other origins may use the service (CORS).

All of it where the configuration names their origins; they may post activities where a publishable key is for them.
Browsers let pages send credentials, which `sendBeacon` always does, where the origin is named; `*` is without.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.areas import RULES
from app.adapters.inbound.http.describing.answers import error_reply
from app.domain.access import Area
from app.domain.publishable_keys import ANY_ORIGIN

METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")
ALLOWED = (
    "Authorization",
    "X-API-Key",
    "X-Request-ID",
    "X-Requested-With",
    "Content-Type",
    "Content-Encoding",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
)
"""What pages send; those that are traced add the last four to every request."""
EXPOSED = ("X-Request-ID", "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Link")
REMEMBERED = 600
"""Seconds for which a browser need not ask again."""
Expects = Callable[[str], bool]
"""Tells whether some publishable key is for pages of an origin now, or, asked for ANY_ORIGIN, of any."""
POSTING = frozenset(path for (_, path), area in RULES.items() if area is Area.INGEST)


def with_cors(app: ASGIApp, origins: Collection[str], expects: Expects | None = None) -> ASGIApp:
    """Put it around everything; without origins the application stays as it is, and costs what it costs."""
    return Cors(app, origins, expects or (lambda _: False)) if origins or expects else app


class Cors:
    """Says to browsers which pages may send what, and read the answers."""

    def __init__(self, app: ASGIApp, origins: Collection[str], expects: Expects) -> None:
        self._app = app
        self._origins = frozenset(origins) - {ANY_ORIGIN}
        self._any = ANY_ORIGIN in origins
        self._expects = expects
        made = partial(_Cors, app, allow_headers=ALLOWED, expose_headers=EXPOSED, max_age=REMEMBERED)
        self._named = made(allow_origin_regex=".*", allow_methods=METHODS, allow_credentials=True)
        self._all = made(allow_origins=(ANY_ORIGIN,), allow_methods=METHODS)
        self._named_posts = made(allow_origin_regex=".*", allow_methods=("POST",), allow_credentials=True)
        self._all_posts = made(allow_origins=(ANY_ORIGIN,), allow_methods=("POST",))
        self._others = made(allow_methods=METHODS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        origin = _origin_of(scope)
        if origin is not None:
            await self._for(origin, scope["path"])(scope, receive, send)
        elif self._origins:  # caches keep it apart from what a page gets
            await self._others(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _for(self, origin: str, path: str) -> ASGIApp:
        posts = path in POSTING
        if origin in self._origins:
            return self._named
        if posts and self._expects(origin):
            return self._named_posts
        if self._any:
            return self._all
        return self._all_posts if posts and self._expects(ANY_ORIGIN) else self._others


class _Cors(CORSMiddleware):
    """Starlette's, but what is refused has the one shape of every error."""

    def preflight_response(self, request_headers: Headers) -> Any:
        """Answer a browser that asks before it sends."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:  # noqa: PLR2004 - HTTP's
            return answer
        kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        refused = error_reply(answer.status_code, "cross_origin_refused", bytes(answer.body).decode()).response()
        refused.headers.update(kept)
        return refused


def _origin_of(scope: Scope) -> str | None:
    for name, value in scope.get("headers", ()):
        if name == b"origin":
            return str(value, "latin-1")
    return None
