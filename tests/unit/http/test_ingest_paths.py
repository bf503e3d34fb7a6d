"""A body that is read in one go and one that is read record by record get the same answer, and the same is taken."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.http.ingest.sent_records import plain_records
from app.domain.activities import LARGEST_ACTIVITY
from tests.support.ingest_world import World

names = st.sampled_from(
    ["id", "event_id", "type", "event_type", "occurred_at", "timestamp", "user_id", "source", "value", "data", "more"]
)
plain = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.sampled_from(["", "view", "dau", "a:b", "{", "ñ\n"])
)
nested = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)
good: dict[str, st.SearchStrategy[Any]] = {
    "id": st.uuids().map(str),
    "user_id": st.sampled_from(["ana", "bob"]),
    "occurred_at": st.sampled_from(["2026-01-05T11:00:00Z", "2026-01-05 10:00:00", "2026-01-05T11:00:00.123456+02:00"]),
    "value": st.integers(0, 10**6) | st.sampled_from([1.5, 0.1, 1e-7]),
    "properties": st.dictionaries(st.sampled_from("ab:"), plain, max_size=3),
    "event_id": st.uuids().map(str),
}
usual = st.fixed_dictionaries({"type": st.sampled_from(["view", "buy"])}, optional=good)
odd = st.dictionaries(names, nested, max_size=5)
records = st.lists(usual | usual | odd, min_size=1, max_size=6)


@settings(max_examples=100, deadline=None)
@given(sent=records)
async def test_both_ways_of_reading_take_the_same_and_answer_the_same(sent: list[dict[str, Any]]) -> None:
    body = json.dumps([{"id": str(UUID(int=n + 1)), **record} for n, record in enumerate(sent)]).encode()
    padded = body + b" " * LARGEST_ACTIVITY
    assert plain_records(padded, 2000) is None
    one, other = World(), World()

    at_once, one_by_one = await one.post(body), await other.post(padded)

    assert at_once.status == one_by_one.status
    assert json.loads(at_once.body, parse_float=Decimal) == json.loads(one_by_one.body, parse_float=Decimal)
    assert one.queue.appended == other.queue.appended
