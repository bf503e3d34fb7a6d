"""What the log has of requests: enough to look into, and no more than a disk can bear, whatever clients send."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog
from opentelemetry.trace import INVALID_SPAN, NoOpTracer, Span
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.adapters.inbound.http.operations.request_log import LONGEST_PATH, RequestContext, shortened
from app.adapters.inbound.http.operations.tracing_app import Sampling, TracingApp
from app.adapters.machine.once_a_second import OnceASecond


class Edge:
    """An application that answers `status`, within what logs it; seconds pass only when told to."""

    def __init__(self) -> None:
        self.status, self.seconds = 404, 1000.0
        self.observed: list[int] = []
        self.app: ASGIApp = RequestContext(
            self._answer, lambda _, __, status, ___: self.observed.append(status), OnceASecond(lambda: self.seconds)
        )

    async def _answer(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, path: str = "/x", status: int = 404, times: int = 1) -> None:
        self.status = status
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode("latin-1"), "headers": []}
        for _ in range(times):
            await self.app(dict(scope), _nothing, _nowhere)


async def _nothing() -> Message:
    raise AssertionError


async def _nowhere(_: Message) -> None:
    pass


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as found:
        yield found


async def test_of_a_long_path_the_beginning_is_logged(edge: Edge, lines: list[dict[str, Any]]) -> None:
    for path in ("/" + "a" * 31_000, "/" + "b" * (LONGEST_PATH - 1)):
        await edge.ask(path)

    assert [line["path"] for line in lines] == ["/" + "a" * (LONGEST_PATH - 1) + "…", "/" + "b" * (LONGEST_PATH - 1)]
    assert shortened("") == ""


async def test_of_answers_429_one_a_second_is_logged_with_how_many_were_left_out(
    edge: Edge, lines: list[dict[str, Any]]
) -> None:
    await edge.ask(status=429, times=1000)
    edge.seconds += 0.9
    await edge.ask(status=429, times=10)
    edge.seconds += 0.2
    await edge.ask(status=429, times=10)
    edge.seconds += 60
    await edge.ask(status=429)
    edge.seconds += 60
    await edge.ask(status=429)

    assert [line.get("left_out") for line in lines] == [None, 1009, 9, None]
    assert edge.observed == [429] * 1022  # the figures have all of them


async def test_other_answers_are_a_line_each(edge: Edge, lines: list[dict[str, Any]]) -> None:
    for status in (200, 429, 429, 404, 404, 401, 401, 500, 503, 503):
        await edge.ask(status=status)

    assert [line["status"] for line in lines] == [200, 429, 404, 404, 401, 401, 500, 503, 503]
    assert all("left_out" not in line for line in lines)


async def test_what_machines_ask_counts_not_among_what_was_left_out(edge: Edge, lines: list[dict[str, Any]]) -> None:
    class Route:
        path = "/metrics"

    edge.status = 429
    scope = {"type": "http", "method": "GET", "path": "/metrics", "raw_path": b"/metrics", "headers": []}
    await edge.app(scope | {"route": Route()}, _nothing, _nowhere)
    await edge.ask(status=429)

    assert [(line["path"], "left_out" in line) for line in lines] == [("/x", False)]


class RememberingTracer(NoOpTracer):
    def __init__(self) -> None:
        self.paths: list[str] = []

    def start_span(self, *_: Any, attributes: Any = None, **__: Any) -> Span:
        self.paths.append(attributes["url.path"])
        return INVALID_SPAN


async def test_nor_has_a_span_more_of_a_path(edge: Edge) -> None:
    tracer = RememberingTracer()
    edge.app = TracingApp(edge.app, tracer, Sampling(1.0))

    await edge.ask("/" + "a" * 31_000)

    assert tracer.paths == ["/" + "a" * (LONGEST_PATH - 1) + "…"]
