"""Traces of requests, around everything else. Wired only while traces are on; whether one is made is decided first."""

from random import random
from time import monotonic

from opentelemetry.trace import Span, SpanContext, SpanKind, Tracer, use_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.ingest.ingest_door import PATHS
from app.adapters.inbound.http.operations.request_log import shortened
from app.adapters.machine.spans import below, failure_noted, note_failure, read_traceparent

BARE = frozenset({"/search", *PATHS})
"""Paths that are answered in front of the router, and are their own templates."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})


class Sampling:
    """Which requests are traced: those that a caller traces already, and `share` of those of whom nobody decided.

    Anybody can say that they trace, so no more than `followed` of them a second are believed.
    """

    def __init__(self, share: float, *, followed: float = 100.0) -> None:
        self._share = share
        self._followed = self._left = followed
        self._counted_at = monotonic()

    def wants(self, caller: SpanContext | None) -> bool:
        """Decide on one request; None: it belongs to nothing."""
        if caller is None:
            return random() < self._share  # noqa: S311 - chance, not cryptography
        return caller.trace_flags.sampled and self._may_follow()

    def chooses(self, traceparent: bytes | None) -> bool:
        """Decide on a request by this field of its head."""
        return self.wants(None if traceparent is None else read_traceparent(traceparent.decode("latin-1")))

    def _may_follow(self) -> bool:
        now = monotonic()
        self._left = min(self._followed, self._left + (now - self._counted_at) * self._followed)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class TracingApp:
    """Hand requests to `app`, those that are sampled within a span. The others cost a look at their headers.

    One that was chosen before, as `scope["traced"]` says, is not chosen again.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer, sampling: Sampling) -> None:
        self._app = app
        self._tracer = tracer
        self._sampling = sampling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = None
        for name, value in scope["headers"]:
            if name == b"traceparent":
                caller = read_traceparent(value.decode("latin-1"))
                break
        if scope.get("traced") or self._sampling.wants(caller):
            await self._traced(scope, receive, send, caller)
        else:
            await self._app(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send, caller: SpanContext | None) -> None:
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        span = self._tracer.start_span(
            "HTTP" if method == "_OTHER" else method,
            below(caller),
            SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "url.path": shortened(scope["path"]),
                "url.scheme": scope.get("scheme", "http"),
            },
        )

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                _note_status(span, message["status"])
            await send(message)

        try:
            with (
                use_span(span, record_exception=False, set_status_on_exception=False),
                failure_noted(span),
            ):
                await self._app(scope, receive, send_noted)
        finally:
            if route := _route(scope):
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
            span.end()


def _note_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:  # noqa: PLR2004 - a server's error
        note_failure(span, str(status))


def _route(scope: Scope) -> str | None:
    """Find the template that the path matched: names of spans must be few."""
    route: str | None = getattr(scope.get("route"), "path", None)
    return route or (scope["path"] if scope["path"] in BARE else None)
