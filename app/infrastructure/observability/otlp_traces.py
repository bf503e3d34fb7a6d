"""Traces that are on: OpenTelemetry's SDK, and its exporter to a collector (OTLP over HTTP, in protobuf)."""

import asyncio
import logging
from collections.abc import Sequence
from threading import Thread
from urllib.parse import urlsplit

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from starlette.types import ASGIApp

from app.adapters.inbound.http.operations.tracing_app import Sampling, TracingApp
from app.adapters.machine.spans import current_traceparent
from app.adapters.outbound.otel.activity_queue import TracedActivityQueue
from app.adapters.outbound.otel.activity_work import TracedActivityInbox, TracedActivityStore, WorkInHand
from app.adapters.outbound.sql.database import Database
from app.application.ports.activities import ActivityInbox, ActivityQueue, ActivityStore
from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.version import VERSION

log = structlog.get_logger()

TRACES_PATH = "/v1/traces"
EXPORT_SECONDS = 5.0
"""How long one batch may take, with all its tries; meanwhile up to QUEUE spans wait, more are lost."""
FLUSH_SECONDS = 1.5
"""How long a process that ends waits for the rest to be taken."""
QUEUE = 2048
LONGEST_VALUE = 512
CHATTY = ("opentelemetry", "urllib3")
"""Loggers of which each failed export makes lines; LossReportingExporter says it once."""


class Traces(Tracing):
    """The traces of this process."""

    current = staticmethod(current_traceparent)

    def __init__(self, provider: TracerProvider, exporter: "LossReportingExporter", share: float) -> None:
        self._provider = provider
        self._exporter = exporter
        self._sampling = Sampling(share)
        self.chooses = self._sampling.chooses
        self._tracer = provider.get_tracer("marquee", VERSION)
        self._work = WorkInHand(self._tracer)

    def http(self, app: ASGIApp) -> ASGIApp:
        """Put a span around each sampled request."""
        return TracingApp(app, self._tracer, self._sampling)

    def queue(self, queue: ActivityQueue) -> ActivityQueue:
        """Put a span around the appends of these."""
        return TracedActivityQueue(queue, self._tracer)

    def inbox(self, inbox: ActivityInbox) -> ActivityInbox:
        """Put a span around what becomes of them in a worker."""
        return TracedActivityInbox(inbox, self._work)

    def store(self, store: ActivityStore, database: Database) -> ActivityStore:
        """Put a span around the transactions in there."""
        return TracedActivityStore(store, self._work, "sqlite" if database.is_sqlite else "postgresql")

    async def __aexit__(self, *error: object) -> None:
        """Hand over the rest, for FLUSH_SECONDS at most: the SDK's own time-out is half a minute."""
        self._work.give_up()
        handing_over = Thread(target=self._provider.shutdown, daemon=True)
        handing_over.start()
        await asyncio.to_thread(handing_over.join, FLUSH_SECONDS)
        self._exporter.leave(unfinished=handing_over.is_alive())


class LossReportingExporter(SpanExporter):
    """Says once that spans get lost, and once that they arrive again."""

    def __init__(self, exporter: SpanExporter, where: str) -> None:
        self._exporter = exporter
        self._where = where
        self._works = True
        self._has_left = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them, in the SDK's thread."""
        result = self._exporter.export(spans)
        self._note(works=result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def leave(self, *, unfinished: bool) -> None:
        """Say the last word: what the SDK's thread still tries is of no interest any more."""
        if unfinished:
            self._note(works=False)
        self._has_left = True

    def _note(self, *, works: bool) -> None:
        if works is not self._works and not self._has_left:
            if works:
                log.info("the collector takes traces again", collector=self._where)
            else:
                log.warning("the collector takes no traces: spans are lost, and nothing else", collector=self._where)
        self._works = works


def open_traces(endpoint: str, share: float, service_name: str, role: str) -> Traces:
    """Make what sends the traces of a process of this role to the collector at `endpoint`, from a thread of its own."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    resource = Resource.create({"service.name": service_name, "service.version": VERSION, "marquee.role": role})
    provider = TracerProvider(
        sampler=DEFAULT_ON,  # who asks for a span has decided already
        resource=resource,
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_span_attribute_length=LONGEST_VALUE),
    )
    exporter = LossReportingExporter(_exporter(endpoint), urlsplit(endpoint).netloc.rpartition("@")[2])
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE, schedule_delay_millis=1000))
    return Traces(provider, exporter, share)


def _exporter(endpoint: str) -> OTLPSpanExporter:
    session = requests.Session()
    session.trust_env = False  # as for feeds: neither proxies nor passwords of the environment
    url = endpoint.rstrip("/")
    return OTLPSpanExporter(
        url if url.endswith(TRACES_PATH) else url + TRACES_PATH,
        timeout=EXPORT_SECONDS,
        compression=Compression.Gzip,
        session=session,
    )
