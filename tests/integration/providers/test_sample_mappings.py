"""The examples in sample/mappings: each mapping reads the made-up feed beside it, from its file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.domain.feeds import FeedRecord
from app.domain.plans import Plan, PlanKey
from tests.support.fetched import fetched
from tests.support.fixed_clock import FixedClock
from tests.support.mapped_feeds import Read, read_all

SAMPLES = Path(__file__).parents[3] / "sample" / "mappings"
ZONE = "Europe/Helsinki"


def options_of(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((SAMPLES / f"{name}.yaml").read_text(encoding="utf-8")))


async def read_sample(feed: str) -> Read:
    name = feed.partition(".")[0]
    url = (SAMPLES / feed).as_uri()
    clock = FixedClock(datetime(2026, 6, 25, tzinfo=UTC))
    provider = MappedProvider(name="sample", url=url, timezone=ZONE, options=options_of(name), clock=clock)
    return await read_all(await fetched(provider))


def line(plan: Plan) -> str:
    """A plan in a line: start, end, title, prices, status."""
    start = plan.starts.isoformat(" ", "minutes") if plan.start_has_time else str(plan.starts.date())
    end = "?"
    if plan.ends:
        end = plan.ends.isoformat(" ", "minutes") if plan.end_has_time else str(plan.ends.date())
    prices = plan.prices
    cost = "" if prices is None else f" {prices.lowest}-{prices.highest}"
    return f"{start} {end} {plan.title}{cost} {plan.status}"


EXPECTED = {
    "xmltv.xml": [
        "2026-07-01 19:30 2026-07-01 20:30 Harbour news scheduled",
        "2026-07-01 23:30 2026-07-02 01:15 Night film scheduled",
        "2026-07-02 01:15 ? Until morning scheduled",
    ],
    "schema-org.json": [
        "2026-07-01 20:00 2026-07-01 22:15 Tide and strings 25.00-25.00 scheduled",
        "2026-06-01 2026-08-31 Ropes 8.00-8.00 scheduled",
        "2026-07-05 12:00 ? Boat race cancelled",
    ],
    "city-events.json": [
        "2026-07-01 10:00 2026-07-01 11:00 Story hour 0.00-0.00 scheduled",
        "2026-07-08 10:00 2026-07-08 11:00 Story hour 0.00-0.00 scheduled",
        "2026-08-14 2026-08-16 Katufestivaali 12.50-12.50 scheduled",
    ],
    "ticket-shop.json": [
        "2026-07-01 20:00 2026-07-01 23:00 The Lanterns 39.50-129.50 scheduled",
        "2026-07-04 2026-07-04 The Lanterns postponed",
        "2026-07-08 19:30 2026-07-08 22:30 The Lanterns scheduled",
    ],
    "spreadsheet.csv": [
        "2026-07-01 20:00 2026-07-01 22:30 Die Möwe 24.50-1048.00 scheduled",
        "2026-07-02 20:00 2026-07-02 22:30 Die Möwe 24.50-48.00 cancelled",
        "2026-07-03 23:00 2026-07-04 02:00 Tanz; bis in die Nacht 15.00-15.00 sold_out",
        "2026-07-04 2026-07-04 Tag der offenen Tür scheduled",
    ],
    "calendar.ics": [
        "2026-07-01 19:00 2026-07-01 21:30 Swing on the quay 12.50-12.50 scheduled",
        "2026-07-08 20:00 2026-07-08 22:00 Swing on the quay, an hour later 12.50-12.50 scheduled",
        "2026-07-22 19:00 2026-07-22 21:30 Swing on the quay cancelled",
        "2026-07-29 19:00 2026-07-29 21:30 Swing on the quay 12.50-12.50 scheduled",
        "2026-08-01 2026-08-02 Wooden boats scheduled",
    ],
    "lines.ndjson": [
        "2026-07-01 21:00 2026-07-01 22:30 Shadow play 7.50-7.50 scheduled",
        "2026-07-02 21:00 2026-07-02 22:30 Shadow play 7.50-7.50 scheduled",
    ],
}


@pytest.mark.parametrize(("feed", "expected"), EXPECTED.items())
async def test_a_sample_mapping_reads_its_feed(feed: str, expected: list[str]):
    read = await read_sample(feed)

    assert [line(plan) for plan in read.plans] == expected
    assert read.rejections == []
    assert read.failure is None


@pytest.mark.parametrize("dialect", ["plan-list", "event-list"])
async def test_the_built_in_kind_and_its_mapping_give_the_same_plans_byte_for_byte(dialect: str):
    url = (SAMPLES / f"{dialect}.xml").as_uri()
    built_in = PlanListXmlProvider(name="sample", url=url, timezone=ZONE)
    mapped = MappedProvider(name="sample", url=url, timezone=ZONE, options=options_of(dialect))

    ours, theirs = [await _records(provider) for provider in (mapped, built_in)]

    assert ours == theirs
    assert len(ours) == 3


async def test_the_pages_of_openactive_are_read_to_the_last_and_the_mark_stands_there():
    url = (SAMPLES / "openactive-rpde.json").as_uri()
    provider = MappedProvider(name="sample", url=url, timezone=ZONE, options=options_of("openactive-rpde"))
    snapshot = await fetched(provider)

    read = await read_all(snapshot)

    assert [line(plan) for plan in read.plans] == [
        "2026-07-06 20:30 2026-07-06 21:30 Evening yoga 0.00-3.30 scheduled",
        "2026-07-07 10:00 ? Early swim scheduled",
        "2026-07-06 21:00 ? Evening yoga cancelled",
    ]
    assert read.tombstones == [PlanKey("sample", "ScheduledSession", "C5EE1E55")]
    assert (snapshot.mark.position or "").endswith("openactive-rpde-3.json")
    assert await provider.fetch(snapshot.mark) is None


async def _records(provider: MappedProvider | PlanListXmlProvider) -> list[FeedRecord]:
    return (await read_all(await fetched(provider))).records
