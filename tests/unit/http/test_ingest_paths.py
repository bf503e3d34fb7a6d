"""A body that is read in one go and one that is read record by record get the same answer, and the same is taken."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.intake.quick_records import read_quickly
from app.adapters.inbound.intake.sent_records import plain_records
from app.adapters.inbound.reading.activity_names import CANONICAL
from app.domain.activities import LARGEST_ACTIVITY
from tests.support.ingest_world import World

names = st.sampled_from([*CANONICAL, "more", "occured_at"])
plain = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.sampled_from(["", "view", "dau", "a:b", "{", "ñ\n"])
)
nested = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
good: dict[str, st.SearchStrategy[Any]] = {
    "id": st.uuids().map(str),
    "user_id": st.sampled_from(["ana", "bob", "zoë", "undefined", "", " ", "a\u2028b", "a\x85", "x" * 256]) | st.none(),
    "anonymous_id": st.sampled_from(["v1", "v2", "null"]) | st.none(),
    "source": st.sampled_from(["web", "app", "s" * 256]) | st.none(),
    "occurred_at": st.sampled_from(["2026-01-05T11:00:00Z", "2026-01-05 10:00:00", "2026-01-05T11:00:00.123456+02:00"]),
    "value": st.integers(0, 10**6) | st.sampled_from([1.5, 0.1, 1e-7, -0.0, 0, -12.25, 1e17, 1e18, None]),
    "properties": st.dictionaries(st.sampled_from(["a", "b", ":", "plan_id"]), plain | nested, max_size=3) | st.none(),
    "event_id": st.uuids().map(str),
    "plan_id": st.uuids().map(str) | st.sampled_from(["291", "", "p" * 256, "a\n", None]),
}
types = st.sampled_from(["view", "buy", "identify", "alias", "plans", "View", "a.b-c_9"])
usual = st.fixed_dictionaries({"type": types}, optional=good)
odd = st.dictionaries(names, nested, max_size=5)
alike = good | {"type": types}
several = st.lists(usual | usual | odd, min_size=1, max_size=6)
of_one_client = st.lists(st.sampled_from(sorted(alike)), unique=True).flatmap(
    lambda chosen: st.lists(
        st.fixed_dictionaries({name: alike[name] for name in {*chosen, "type"}}), min_size=1, max_size=6
    )
)
records = several | of_one_client


@settings(max_examples=200, deadline=None)
@given(sent=records)
async def test_both_ways_of_reading_take_the_same_and_answer_the_same(sent: list[dict[str, Any]]) -> None:
    body = json.dumps([{"id": str(UUID(int=n + 1)), **record} for n, record in enumerate(sent)]).encode()
    padded = body + b" " * LARGEST_ACTIVITY
    assert plain_records(padded, 2000) is None
    assert read_quickly(padded) is None
    one, other = World(), World()

    at_once, one_by_one = await one.post(body), await other.post(padded)

    assert at_once.status == one_by_one.status
    assert json.loads(at_once.body, parse_float=Decimal) == json.loads(one_by_one.body, parse_float=Decimal)
    assert one.queue.appended == other.queue.appended
