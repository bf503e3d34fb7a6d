"""Pages of other origins may use the service, if the configuration names their origins (CORS)."""

from collections.abc import Collection
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.adapters.inbound.http.describing.answers import error_reply

METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")
ALLOWED = (
    "Authorization",
    "X-API-Key",
    "X-Request-ID",
    "Content-Type",
    "Content-Encoding",
    "If-None-Match",
    "Last-Event-ID",
)
EXPOSED = ("X-Request-ID", "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Link")
REMEMBERED = 600
"""Seconds for which a browser need not ask again."""


def with_cors(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Put it around everything; without origins the application stays as it is, and costs what it costs.

    Never with credentials, which here means cookies: a key is sent by the page itself, in a header.
    """
    if not origins:
        return app
    return _Cors(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=ALLOWED,
        expose_headers=EXPOSED,
        max_age=REMEMBERED,
    )


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
