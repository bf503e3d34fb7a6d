"""How figures that are looked up become families of metrics."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)

Rows = Iterable[tuple[tuple[str, ...], float]]
"""The values of the labels, and the figure."""


class Figures(CollectorRegistry):
    """Figures of several sources, that are looked up when somebody scrapes, instead of being counted."""

    def __init__(self, *collect: Callable[[], Iterable[Metric]]) -> None:
        super().__init__()
        self._collect = collect

    def collect(self) -> Iterator[Metric]:
        """Ask one source after the other."""
        for collect in self._collect:
            yield from collect()


def gauge(name: str, help_text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    """Make a family of gauges."""
    return _filled(GaugeMetricFamily(name, help_text, labels=labels), rows)


def counter(name: str, help_text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    """Make a family of counters; the exposition adds `_total` to the name."""
    return _filled(CounterMetricFamily(name, help_text, labels=labels), rows)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, rows: Rows) -> Metric:
    for values, value in rows:
        family.add_metric(values, value)
    return family


def summary(name: str, help_text: str, row: tuple[int, float] | None) -> Metric:
    """Make a summary without quantiles of a count and a sum."""
    family = SummaryMetricFamily(name, help_text, labels=())
    if row:
        family.add_metric((), *row)
    return family


def histogram(name: str, help_text: str, counts: Sequence[tuple[str, float]], total: float) -> Metric:
    """Make a histogram of how many lie up to each bound and above the one before; the last bound is `+Inf`."""
    family = HistogramMetricFamily(name, help_text, labels=())
    buckets, so_far = [], 0.0
    for bound, count in counts:
        so_far += count
        buckets.append((bound, so_far))
    if buckets:
        family.add_metric((), buckets, total)
    return family
