"""Large feeds for measurements: dialect B, as providers write them."""

import random
from pathlib import Path

ZONE = (
    '    <zone zone_id="{zone}" capacity="{capacity}" price="{price:.2f}" name="Zone {zone}" numbered="{numbered}" />\n'
)
ITEM = (
    '  <base_plan base_plan_id="{item}" sell_mode="online" organizer_company_id="{organizer}"'
    ' title="Concert number {item} of the season{mark}">\n'
    '   <plan plan_id="{plan}" plan_start_date="2026-{month:02d}-{day:02d}T{hour:02d}:00:00"'
    ' plan_end_date="2026-{month:02d}-{day:02d}T{hour:02d}:45:00" sell_from="2025-07-01T00:00:00"'
    ' sell_to="2026-01-01T20:00:00" sold_out="false">\n'
)

SMALL_BASE = (
    '<base_plan base_plan_id="{item}" sell_mode="online" title="Concert {item}{mark}"><plan plan_id="1"'
    ' plan_start_date="2026-{month:02d}-{day:02d}T20:00:00" plan_end_date="2026-{month:02d}-{day:02d}T22:00:00">\n'
    '<zone zone_id="1" capacity="{capacity}" price="{price:.2f}" name="Floor" numbered="false"/></plan></base_plan>\n'
)


def write_small_bases(path: Path, *, items: int, changed: frozenset[int] = frozenset()) -> int:
    """Write a feed of many bases with one zone each. Returns the bytes."""
    with path.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<planList version="1.0">\n <output>\n')
        for item in range(items):
            mark = " (moved)" if item in changed else ""
            month, day, capacity = 1 + item % 12, 1 + item % 28, item % 500
            price = item % 20_000 / 100
            out.write(
                SMALL_BASE.format(item=item, mark=mark, month=month, day=day, capacity=capacity, price=price),
            )
        out.write(" </output>\n</planList>\n")
    return path.stat().st_size


def write_feed(path: Path, *, items: int, zones: int, changed: frozenset[int] = frozenset()) -> int:
    """Write a feed of `items` bases with one plan each; the title of the `changed` ones differs. Returns the bytes."""
    with path.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n<planList version="1.0">\n <output>\n')
        for item in range(items):
            chance = random.Random(item)
            out.write(
                ITEM.format(
                    item=item,
                    plan=10_000 + item,
                    organizer=item % 50,
                    mark=" (moved)" if item in changed else "",
                    month=1 + item % 12,
                    day=1 + item % 28,
                    hour=item % 24,
                )
            )
            for zone in range(zones):
                numbered = "true" if chance.random() < 0.5 else "false"
                out.write(
                    ZONE.format(
                        zone=zone,
                        capacity=chance.randrange(500),
                        price=chance.randrange(20_000) / 100,
                        numbered=numbered,
                    )
                )
            out.write("   </plan>\n  </base_plan>\n")
        out.write(" </output>\n</planList>\n")
    return path.stat().st_size
