"""Searches are counted as Prometheus's library would count them one by one."""

import asyncio
import random

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.adapters.inbound.http.operations.search_counts import (
    DELAY,
    SEARCH_BUCKETS,
    SearchCounts,
    SummableHistogram,
)


class World:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.counts = SearchCounts(
            Counter("requests", "", ("route", "method", "status"), registry=self.registry),
            SummableHistogram("seconds", "", buckets=SEARCH_BUCKETS, registry=self.registry),
        )

    def answered(self, status: int) -> float | None:
        return self.registry.get_sample_value(
            "requests_total", {"route": "/search", "method": "GET", "status": f"{status}"}
        )


def buckets(registry: CollectorRegistry) -> dict[str, float]:
    samples = next(metric for metric in registry.collect() if metric.name == "seconds").samples
    return {
        sample.name + sample.labels.get("le", ""): round(sample.value, 9)
        for sample in samples
        if "created" not in sample.name
    }


def test_figures_are_those_of_single_observations() -> None:
    chance, world, registry = random.Random(1), World(), CollectorRegistry()
    expected = Histogram("seconds", "", buckets=SEARCH_BUCKETS, registry=registry)

    for seconds in [*SEARCH_BUCKETS, 0.0, 5.0, *(chance.expovariate(5000) for _ in range(500))]:
        world.counts.observe(200, seconds)
        expected.observe(seconds)

    assert buckets(world.registry) == buckets(registry)


def test_where_nobody_serves_a_search_counts_at_once() -> None:
    world = World()

    world.counts.observe(200, 0.001)
    world.counts.observe(304, 0.001)

    assert (world.answered(200), world.answered(304)) == (1, 1)


async def test_where_somebody_serves_it_counts_soon_or_when_it_is_asked_for() -> None:
    world = World()

    world.counts.observe(200, 0.001)
    assert world.answered(200) is None
    await asyncio.sleep(2 * DELAY)
    assert world.answered(200) == 1

    world.counts.observe(200, 0.001)
    world.counts.settle()
    assert world.answered(200) == 2
