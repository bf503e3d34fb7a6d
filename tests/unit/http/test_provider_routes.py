"""What HTTP says of a provider's syncs: what is held, and what is rejected."""

import json
from dataclasses import replace
from typing import Any

from app.domain.feeds import Rejection, RejectionReason
from app.domain.gate import GatePolicy
from app.domain.plans import PlanKey
from tests.support.asgi import ask
from tests.support.builders import a_plan
from tests.unit.http.test_history_routes import Site


async def told(site: Site, path: str, query: bytes = b"") -> Any:
    sent = await ask(site.app, f"/catalog/providers/demo/{path}", query)
    assert sent.status == 200
    return json.loads(sent.body)


def a_rejection() -> Rejection:
    key = PlanKey("demo", "1", "7")
    reason = RejectionReason.INVALID_NUMBER
    return Rejection(reason=reason, message="x", line=7, source="<zone/>", key=key, part="zone 40: price")


async def test_nothing_held_has_the_fields_of_a_hold() -> None:
    assert await told(Site(), "held") == {
        "run_id": None,
        "at": None,
        "held_for": [],
        "reason": None,
        "total": 0,
        "plans": [],
    }


async def test_a_hold_says_of_each_plan_what_it_is_and_what_it_would_become() -> None:
    site = Site()
    site.world.configured = replace(site.world.configured, gate=GatePolicy(min_plans=0))
    await site.world.sync_with(a_plan(1, title="A"))
    await site.world.sync_with(a_plan(1, title="B"))

    held = await told(site, "held")

    assert (held["held_for"], held["total"], held["run_id"]) == (["mass_change"], 1, "run-2")
    [plan] = held["plans"]
    words: dict[str, Any] = {"starts": "2021-06-30T21:00:00", "ends": "2021-06-30T21:00:00", "status": "scheduled"}
    words |= dict.fromkeys(("currency", "place", "url", "image", "category")) | {"timezone": "UTC"}
    prices = {"min_price": 20.0, "max_price": 20.0}
    assert plan == {
        "plan_id": str(a_plan(1).plan_id),
        "changes": ["changed"],
        "before": {"title": "A", **words, **prices},
        "after": {"title": "B", **words, **prices},
    }


async def test_a_rejection_of_a_part_is_told_until_it_is_mended_and_then_on_request() -> None:
    site = Site()
    await site.world.sync_with(a_plan(7, base=1), a_rejection())

    [row] = await told(site, "rejections")
    assert (row["base_id"], row["item_id"], row["part"], row["times"]) == ("1", "7", "zone 40: price", 1)
    assert (row["first_seen_at"], row["mended_at"]) == (row["last_seen_at"], None)

    await site.world.sync_with(a_plan(7, base=1), a_plan(8))
    assert await told(site, "rejections") == []
    [mended] = await told(site, "rejections", b"mended=true")
    assert mended["mended_at"] > mended["last_seen_at"]
