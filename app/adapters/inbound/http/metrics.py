"""What a process counts of its requests, and `GET /metrics`. Names are documented in doc/operations.md."""

import os
from collections.abc import Callable, Iterable, Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

SEARCH_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1.0)
OTHER_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class RequestMetrics:
    """Counts the requests of this process; of all of one machine when PROMETHEUS_MULTIPROC_DIR is set."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, that nobody asks
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "marquee_http_requests", "Requests answered.", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "marquee_http_request_duration_seconds",
            "Seconds from a request's headers to its whole answer, without /search.",
            ["route"],
            buckets=OTHER_BUCKETS,
            registry=self._registry,
        )
        self._search_seconds = Histogram(
            "marquee_search_duration_seconds",
            "Seconds from a search's headers to its whole answer.",
            buckets=SEARCH_BUCKETS,
            registry=self._registry,
        ).observe
        self._searches: dict[int, Callable[[], None]] = {}

    def observe_search(self, status: int, seconds: float) -> None:
        """Count one search; pre-labelled, because this happens 10,000 times a second."""
        count = self._searches.get(status)
        if count is None:
            count = self._searches[status] = self._requests.labels("/search", "GET", status).inc
        count()
        self._search_seconds(seconds)

    def observe_ingest(self, route: str, status: int, seconds: float) -> None:
        """Count one request of the door."""
        self.observe(route, "POST", status, seconds)

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request of another route; `route` is its template, never a path that a client makes up."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def registry(self) -> CollectorRegistry:
        """What to expose: this process's registry, or one that adds up those of all processes."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library types only its core
        return registry


class Figures(Collector):
    """Figures that are looked up when somebody scrapes, instead of being counted."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """Hand them to the registry."""
        return self._collect()


def gauge(name: str, help_text: str, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """Make a family of gauges."""
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def counter(
    name: str, help_text: str, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    """Make a family of counters; the exposition adds `_total` to the name."""
    family = CounterMetricFamily(name, help_text, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


class _Joined(CollectorRegistry):
    """Two sources of metrics behind one scrape."""

    def __init__(self, *sources: Collector | CollectorRegistry) -> None:
        super().__init__()
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            yield from source.collect()


def metrics_router(requests: RequestMetrics, figures: Figures) -> APIRouter:
    """Make the route."""
    router = APIRouter(tags=["operations"])

    @router.get("/metrics", summary="Figures over the service, in Prometheus or OpenMetrics text")
    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(_Joined(requests.registry(), figures)), media_type=content_type)

    return router
