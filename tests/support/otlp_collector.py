"""A collector of traces on loopback: it takes OTLP over HTTP as a real one does, and keeps the spans."""

import gzip
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

KINDS = {number: name.removeprefix("SPAN_KIND_").lower() for name, number in Span.SpanKind.items()}


@dataclass(frozen=True)
class Taken:
    """A span as it arrived."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    """Empty: none."""
    attributes: dict[str, Any]
    resource: dict[str, Any]
    failed: bool
    nanoseconds: int


class Collector:
    """One at `url` that answers `status`; with `silent` it takes connections and never answers."""

    def __init__(self, port: int = 0, *, status: int = 200, silent: bool = False) -> None:
        self.spans: list[Taken] = []
        self.asked = 0
        self.paths: set[str] = set()
        self._leaving = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self)

            def log_message(self, *_: object) -> None:
                pass

        self._status = status
        self._silent = silent
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        self.asked += 1
        if self._silent:
            self._leaving.wait()
            return
        if request.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        assert request.headers["content-type"] == "application/x-protobuf"
        self.paths.add(request.path)
        self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        request.send_response(self._status)
        request.send_header("content-length", "0")
        request.end_headers()

    def traces(self) -> dict[str, list[Taken]]:
        """The spans by their trace."""
        found: dict[str, list[Taken]] = {}
        for span in self.spans:
            found.setdefault(span.trace_id, []).append(span)
        return found

    def until(self, count: int, seconds: float = 10.0) -> list[Taken]:
        """Wait until so many spans came."""
        deadline = time.monotonic() + seconds
        while len(self.spans) < count:
            assert time.monotonic() < deadline, self.spans
            time.sleep(0.01)
        return self.spans

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leaving.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _spans(request: ExportTraceServiceRequest) -> list[Taken]:
    return [
        Taken(
            name=span.name,
            kind=KINDS[span.kind],
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            attributes=_attributes(span.attributes),
            resource=_attributes(of_process.resource.attributes),
            failed=span.status.code == Status.STATUS_CODE_ERROR,
            nanoseconds=span.end_time_unix_nano - span.start_time_unix_nano,
        )
        for of_process in request.resource_spans
        for of_scope in of_process.scope_spans
        for span in of_scope.spans
    ]


def _attributes(given: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in given}
