"""What a process counts of its requests, and `GET /metrics`. Names are documented in doc/operations/metrics.md."""

import os
from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from app.adapters.inbound.http.describing.accept_header import MediaRange, preference, read_accept
from app.adapters.inbound.http.describing.answers import JSON
from app.adapters.inbound.http.operations.metric_families import Figures
from app.adapters.inbound.http.operations.metrics_answer import MetricsAnswer, RenderedFigures
from app.adapters.inbound.http.operations.search_counts import SEARCH_BUCKETS, SearchCounts, SummableHistogram
from app.adapters.inbound.intake.judged_records import REFUSED
from app.adapters.inbound.intake.record_form import UNKNOWN
from app.application.watch_service import WatchService

OTHER_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
MOST_TYPES = 100
"""Types of activities that have figures of their own; all that come later are OTHER."""
OTHER = "(other)"

PLAIN, OPENMETRICS = "text/plain", "application/openmetrics-text"
VERSIONS = frozenset({"0.0.4", "1.0.0"})
VARY = {"vary": "accept"}
A_TEXT = {"schema": {"type": "string"}}


class RequestMetrics:
    """Counts the requests of this process; of all of one machine when PROMETHEUS_MULTIPROC_DIR is set."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, that nobody asks
        self._registry = CollectorRegistry()
        self._requests = self._counter("marquee_http_requests", "Requests answered.", "route", "method", "status")
        self._activities = self._counter(
            "marquee_activities", "Activities at the door, by what became of them there.", "type", "outcome"
        )
        self._rate_limited = self._counter("marquee_rate_limited", "Requests that came too fast.", "bucket")
        self.observe_unauthenticated = self._counter(
            "marquee_unauthenticated", "Requests without a key or token that was needed and good."
        ).inc
        """Count a request that was refused because nobody knows who sent it."""
        self._seconds = Histogram(
            "marquee_http_request_duration_seconds",
            "Seconds from a request's headers to its whole answer; of /search those of the past alone.",
            ["route"],
            buckets=OTHER_BUCKETS,
            registry=self._registry,
        )
        search_seconds = SummableHistogram(
            "marquee_search_duration_seconds",
            "Seconds from a search's headers to its whole answer.",
            buckets=SEARCH_BUCKETS,
            registry=self._registry,
        )
        self._searches = SearchCounts(self._requests, search_seconds)
        self.observe_search = self._searches.observe
        """Count one search: its status, and its seconds."""
        self._types: set[str] = {UNKNOWN}
        self._adders: dict[tuple[str, str], Callable[[float], None]] = {}
        """By the label for the type, and the outcome."""

    def observe_ingest(self, route: str, status: int, seconds: float) -> None:
        """Count one request of the door."""
        self.observe(route, "POST", status, seconds)

    def observe_activities(self, outcome: str, types: Mapping[str, int]) -> None:
        """Count the activities of one request that ended alike. A type that was refused gets no figure of its own."""
        for type_, count in types.items():
            add = self._adders.get((type_, outcome)) or self._adder(type_, outcome)
            add(count)

    def _adder(self, type_: str, outcome: str) -> Callable[[float], None]:
        if type_ not in self._types and outcome != REFUSED and len(self._types) <= MOST_TYPES:
            self._types.add(type_)
        label = type_ if type_ in self._types else OTHER
        if (label, outcome) not in self._adders:
            self._adders[label, outcome] = self._activities.labels(label, outcome).inc
        return self._adders[label, outcome]

    def observe_rate_limited(self, bucket: str) -> None:
        """Count a request that was refused because its caller was too fast."""
        self._rate_limited.labels(bucket).inc()

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request of another route; `route` is its template, never a path that a client makes up."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def registry(self) -> CollectorRegistry:
        """What to expose: this process's registry, or one that adds up those of all processes."""
        self._searches.settle()
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library types only its core
        return registry

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(name, help_text, labels, registry=self._registry)


def metrics_router(requests: RequestMetrics, figures: Figures, watch: WatchService) -> APIRouter:
    """Make the route."""
    router = APIRouter(tags=["operations"])
    rendered = RenderedFigures(watch)

    @router.get(
        "/metrics",
        summary="Figures over the service, as JSON, or for Prometheus",
        description="JSON, unless `Accept` prefers text or OpenMetrics, as Prometheus does.",
        response_model=MetricsAnswer,
        responses={200: {"content": dict.fromkeys((PLAIN, OPENMETRICS), A_TEXT), "description": "The figures"}},
    )
    async def get_metrics(request: Request) -> Response:
        await watch.asked()
        ranges = read_accept(",".join(request.headers.getlist("accept")))
        if not prefers_text(ranges):
            return Response(rendered.body(), headers=VARY, media_type=JSON)
        encode, content_type = choose_encoder(_best_text(ranges))
        return Response(
            encode(Figures(requests.registry().collect, figures.collect)), headers=VARY, media_type=content_type
        )

    return router


def prefers_text(ranges: Sequence[MediaRange]) -> bool:
    """Tell whether a request likes text for Prometheus better than JSON; one that takes either alike gets JSON."""
    text = max(preference(ranges, PLAIN), preference(ranges, OPENMETRICS))
    return text.quality > 0 and text > preference(ranges, JSON)


def _best_text(ranges: Sequence[MediaRange]) -> str:
    """Choose what is liked best, for the library: it would take the first, and stumble over versions of no number."""
    kind = max(PLAIN, OPENMETRICS, key=lambda text: preference(ranges, text))
    named = [found for found in ranges if found.kind == kind]
    said = max(named, key=lambda found: found.quality).parameters if named else {}
    version, escaping = said.get("version", ""), said.get("escaping", "")
    return f"{kind};version={version if version in VERSIONS else ''};escaping={escaping}"
