"""One measurement of bench.mapped, in a process of its own: prints one JSON line."""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import msgspec
from lxml import etree

from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.application.ports.providers import FeedUnchanged
from app.domain.feeds import FeedRecord, PlanRecord, RememberedRecord
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from bench.mapped_feeds import JSON_MAPPING, XML_MAPPING


def iterparse(feed: Path) -> int:
    """The reference: lxml reads every element of the file and forgets it."""
    items = 0
    for _, base in etree.iterparse(str(feed), events=("end",), tag=("base_plan",)):
        items += 1
        base.clear()
        while base.getprevious() is not None:
            del base.getparent()[0]
    return items


def bare_decode(feed: Path) -> int:
    """The other one: msgspec decodes every item, as if somebody had cut the document already."""
    decoder = msgspec.json.Decoder()
    items = 0
    with feed.open("rb") as file:
        for line in file:
            if line.startswith(b"{") and len(line) > 100:
                decoder.decode(line.rstrip(b",\n"))
                items += 1
    return items


async def mapped(feed: Path, way: str, readings: Path | None = None) -> int:
    """Fetch, read and map; nothing is committed. `readings` keeps what records were read as."""
    options = XML_MAPPING if way == "xml" else JSON_MAPPING
    provider = MappedProvider(
        name="big", url=feed.as_uri(), timezone="Europe/Madrid", options=options, readings=readings
    )
    snapshot = await provider.fetch(None)
    if snapshot is None or isinstance(snapshot, FeedUnchanged):
        sys.exit("expected a snapshot")
    items = 0
    async for batch in snapshot.records():
        items += sum(isinstance(record, RememberedRecord) or _has_zones(record) for record in batch)
    await snapshot.aclose()
    return items


def _has_zones(record: FeedRecord) -> bool:
    return isinstance(record, PlanRecord) and len(record.plan.zones) > 0


def main() -> None:
    """Measure one way."""
    way, feed = sys.argv[1], Path(sys.argv[2])
    readings = Path(sys.argv[3]) if len(sys.argv) > len(("command", "way", "feed")) else None
    freeze_loaded_objects()
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    match way:
        case "iterparse":
            items = iterparse(feed)
        case "msgspec":
            items = bare_decode(feed)
        case _:
            items = asyncio.run(mapped(feed, way, readings))
    seconds = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) * 1024
    print(json.dumps({"seconds": seconds, "grown": grown, "items": items}))


if __name__ == "__main__":
    main()
