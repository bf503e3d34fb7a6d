"""The content of bench.feeds as JSON, and the mappings that read both."""

import random
from pathlib import Path
from typing import Any

_ZONE_FIELDS = ("zone_id", "capacity", "price", "name", "numbered")

XML_MAPPING: dict[str, Any] = {
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
        "zones": {"each": "zone", "fields": {name: f"@{name}" for name in _ZONE_FIELDS}},
    },
}
JSON_MAPPING: dict[str, Any] = {
    "format": "json",
    "records": "$.output[*].plans[*]",
    "fields": {
        "base_id": {"path": "$.output[0].base_plan_id", "of": "document"},
        "title": {"path": "$.output[0].title", "of": "document"},
        "sell_mode": {"path": "$.output[0].sell_mode", "of": "document"},
        "organizer_id": {"path": "$.output[0].organizer_company_id", "of": "document"},
        "item_id": "$.plan_id",
        "starts": "$.plan_start_date",
        "ends": "$.plan_end_date",
        "sell_from": "$.sell_from",
        "sell_to": "$.sell_to",
        "sold_out": "$.sold_out",
        "zones": {"each": "$.zones[*]", "fields": {name: f"$.{name}" for name in _ZONE_FIELDS}},
    },
}

_ZONE = (
    '{{"zone_id": "{zone}", "capacity": {capacity}, "price": {price:.2f},'
    ' "name": "Zone {zone}", "numbered": {numbered}}}'
)
_ITEM = (
    '{{"base_plan_id": "{item}", "sell_mode": "online", "organizer_company_id": "{organizer}",'
    ' "title": "Concert number {item} of the season", "plans": [{{"plan_id": "{plan}",'
    ' "plan_start_date": "2026-{month:02d}-{day:02d}T{hour:02d}:00:00",'
    ' "plan_end_date": "2026-{month:02d}-{day:02d}T{hour:02d}:45:00", "sell_from": "2025-07-01T00:00:00",'
    ' "sell_to": "2026-01-01T20:00:00", "sold_out": false, "zones": [{zones}]}}]}}'
)


def write_json_feed(path: Path, *, items: int, zones: int) -> int:
    """Write what `bench.feeds.write_feed` writes, an item in each line. Returns the bytes."""
    with path.open("w", encoding="utf-8") as out:
        out.write('{"version": "1.0", "output": [\n')
        for item in range(items):
            chance = random.Random(item)
            said = []
            for zone in range(zones):
                numbered = "true" if chance.random() < 0.5 else "false"
                capacity, price = chance.randrange(500), chance.randrange(20_000) / 100
                said.append(_ZONE.format(zone=zone, capacity=capacity, price=price, numbered=numbered))
            out.write(
                _ITEM.format(
                    item=item,
                    plan=10_000 + item,
                    organizer=item % 50,
                    month=1 + item % 12,
                    day=1 + item % 28,
                    hour=item % 24,
                    zones=", ".join(said),
                )
            )
            out.write(",\n" if item < items - 1 else "\n")
        out.write("]}\n")
    return path.stat().st_size
