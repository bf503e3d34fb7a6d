"""Feeds of the kind `mapped`, written from plans, and the mappings that read them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from app.adapters.outbound.providers.contract import Spoiled
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.adapters.outbound.providers.mapped.mapped_reader import MappedReader
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory
from app.application.ports.providers import FeedError, FeedMark, FeedSnapshot
from app.domain.feeds import FeedRecord, PlanRecord, Rejection, Tombstone
from app.domain.plans import Plan, PlanKey
from tests.support.builders import NOW

XML_DIALECT: dict[str, Any] = {
    "format": "xml",
    "records": "/planList/output/base_plan/plan",
    "fields": {
        "base_id": "../@base_plan_id",
        "item_id": "@plan_id",
        "title": "../@title",
        "sell_mode": "../@sell_mode",
        "organizer_id": "../@organizer_company_id",
        "starts": "@plan_start_date",
        "ends": "@plan_end_date",
        "sell_from": "@sell_from",
        "sell_to": "@sell_to",
        "sold_out": "@sold_out",
        "zones": {
            "each": "zone",
            "fields": {
                "zone_id": "@zone_id",
                "capacity": "@capacity",
                "price": "@price",
                "name": "@name",
                "numbered": "@numbered",
            },
        },
    },
}
"""Reads what `tests.support.feeds.a_feed` writes."""

JSON_PLANS: dict[str, Any] = {
    "format": "json",
    "records": "$.plans[*]",
    "fields": {
        "base_id": "$.base",
        "item_id": "$.item",
        "title": "$.title",
        "sell_mode": "$.mode",
        "organizer_id": "$.organizer",
        "starts": "$.starts",
        "ends": "$.ends",
        "sell_from": "$.sell_from",
        "sell_to": "$.sell_to",
        "sold_out": "$.sold_out",
        "zones": {
            "each": "$.zones[*]",
            "fields": {
                "zone_id": "$.zone_id",
                "capacity": "$.capacity",
                "price": "$.price",
                "name": "$.name",
                "numbered": "$.numbered",
            },
        },
    },
}
"""Reads what `json_feed` writes."""


def json_feed(plans: Sequence[Plan | Spoiled]) -> bytes:
    return json.dumps({"plans": [json_plan(plan) for plan in plans]}).encode()


def json_plan(plan: Plan | Spoiled) -> dict[str, Any]:
    said: dict[str, Any] = {"base": plan.key.base_id, "item": plan.key.item_id}
    if isinstance(plan, Spoiled):
        return said
    return said | {
        "title": plan.title,
        "mode": plan.sell_mode,
        "organizer": plan.organizer_id,
        "starts": plan.starts.isoformat(),
        "ends": plan.ends and plan.ends.isoformat(),
        "sell_from": plan.sell_from and plan.sell_from.isoformat(),
        "sell_to": plan.sell_to and plan.sell_to.isoformat(),
        "sold_out": plan.sold_out,
        "zones": [zone._asdict() | {"price": str(zone.price)} for zone in plan.zones],
    }


def a_mapping(kind: str, fields: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """A mapping with the fields that none is without."""
    path = {"xml": "@{}", "json": "$.{}"}.get(kind, "{}")
    needed = {name: path.format(name) for name in ("base_id", "item_id", "title", "starts")}
    records = {"xml": {"records": "//event"}, "json": {"records": "$.events[*]"}}.get(kind, {})
    chosen = {name: said for name, said in (needed | (fields or {})).items() if said is not None}
    return {"format": kind, **records, "fields": chosen, **options}


def a_mapped(path: Path, options: dict[str, Any], timezone: str = "Europe/Madrid") -> MappedProvider:
    return MappedProvider(name="mapped", url=path.as_uri(), timezone=timezone, options=options)


@dataclass
class Read:
    """What a document, or a snapshot, said."""

    records: list[FeedRecord] = field(default_factory=list)
    failure: FeedError | None = None
    passed_over: int = 0
    unknown: int = 0
    ignored: dict[str, int] = field(default_factory=dict)

    @property
    def plans(self) -> list[Plan]:
        return [record.plan for record in self.records if isinstance(record, PlanRecord)]

    @property
    def rejections(self) -> list[Rejection]:
        return [record for record in self.records if isinstance(record, Rejection)]

    @property
    def tombstones(self) -> list[PlanKey]:
        return [record.key for record in self.records if isinstance(record, Tombstone)]

    @property
    def plan(self) -> Plan:
        [plan] = self.plans
        assert self.rejections == []
        return plan

    @property
    def titles(self) -> list[str]:
        return [plan.title for plan in self.plans]

    @property
    def wrong(self) -> list[tuple[str | None, str]]:
        return [(rejection.part, rejection.message) for rejection in self.rejections]


class Trickling(BytesIO):
    """A file that gives fewer bytes at a time than somebody asks for who reads it through."""

    def __init__(self, content: bytes, at_a_time: int) -> None:
        super().__init__(content)
        self._at_a_time = at_a_time

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._at_a_time if size and size >= 64 * 1024 else size)


def read(
    content: bytes | str,
    options: dict[str, Any],
    *,
    timezone: str = "Europe/Madrid",
    charset: str | None = None,
    memory: Path | None = None,
    at_a_time: int = 64 * 1024,
) -> Read:
    """Read one document in memory; with `memory`, what is known of it is kept in that file."""
    known = ReadingMemory(memory, "a way") if memory else None
    reader = MappedReader(options, provider="mapped", timezone=timezone, now=NOW, memory=known)
    body = content.encode() if isinstance(content, str) else content
    file = Trickling(body, at_a_time)
    reader.begin(FetchedFeed(file, FeedMark(), len(body), source="feed", charset=charset))
    found = Read()
    try:
        ended = False
        while not ended:
            batch = reader.next_batch()
            found.records.extend(batch.records)
            ended = batch.ended
    except FeedError as error:
        found.failure = error
    if not found.failure:
        reader.finish()
    found.passed_over, found.unknown = reader.passed_over, reader.unknown
    found.ignored = dict(reader.ignored.counts)
    reader.close()
    return found


async def read_all(snapshot: FeedSnapshot) -> Read:
    """Read a snapshot to its end, or to where it breaks."""
    found = Read()
    try:
        async for batch in snapshot.records():
            found.records.extend(batch)
    except FeedError as error:
        found.failure = error
    finally:
        await snapshot.aclose()
    found.passed_over, found.unknown = snapshot.passed_over, snapshot.unknown_records
    found.ignored = dict(snapshot.ignored)
    return found
