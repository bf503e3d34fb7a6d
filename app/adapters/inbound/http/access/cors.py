"""Pages of other origins may use the service, if the configuration names their origins (CORS)."""

from collections.abc import Collection
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.adapters.inbound.http.describing.answers import JSON, render_error

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
        body = render_error("cross_origin_refused", bytes(answer.body).decode())
        return Response(body, answer.status_code, kept, JSON)
