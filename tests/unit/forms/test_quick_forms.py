"""What is read straight into columns means the same as what is read record by record, in every form of others."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.intake.forms.quick_calls import read_calls_quickly
from app.adapters.inbound.intake.forms.quick_events import read_events_quickly
from app.adapters.inbound.reading.reading import USUAL_NAMES
from app.domain.activities import LARGEST_ACTIVITY
from tests.support.ingest_world import JSON, World

NO_USERS = USUAL_NAMES.no_users
UUID_TEXT = "01890a5d-ac96-774b-bcce-b302099a8057"

plain = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.sampled_from(["", "a:b", "{", "ñ\n", 1.5, 1e-7])
nested = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(["a", "value", "revenue", "context", "name", "é"]), nested, max_size=3)
times = st.sampled_from(
    ["2026-01-05T11:00:00.123Z", "2026-01-05 10:00:00", "2026-01-05T11:00:00+02:00", "1767610800", "soon", None, 7]
)
users = st.sampled_from(["ana", "bob", "", "undefined", "x" * 256, 17, None, "a\x7f"])
ids = st.sampled_from(["1", "ç 2", UUID_TEXT, UUID_TEXT.upper(), "{" + UUID_TEXT + "}", "", "x" * 256, None, "a\n"])
types = st.sampled_from(["view", "Order Completed", "identify", "dau", "", None])

event = st.fixed_dictionaries(
    {"specversion": st.just("1.0"), "id": st.sampled_from(["1", "ç 2", UUID_TEXT]), "source": st.just("/shop")}
    | {"type": st.sampled_from(["view", "buy"])},
    optional={
        "time": st.just("2026-01-05T11:00:00.123Z"),
        "subject": st.sampled_from(["ana", "bob"]),
        "data": objects,
        "datacontenttype": st.just("application/json"),
        "anonymousid": st.just("v-1"),
    },
)
odd_event = st.fixed_dictionaries(
    {"specversion": st.sampled_from(["1.0", "0.3", None]), "id": ids, "source": users, "type": types},
    optional={"time": times, "subject": users, "data": nested, "datacontenttype": types, "region": plain},
)
call = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "page"]), "event": st.sampled_from(["view", "Order Completed"])},
    optional={
        "messageId": st.sampled_from(["1", "ç 2", "node-next-17"]),
        "timestamp": st.just("2026-01-05T11:00:00.123Z"),
        "userId": st.sampled_from(["ana", "bob"]),
        "anonymousId": st.just("v-1"),
        "properties": objects,
        "context": st.just({"library": {"name": "node", "version": "3"}}),
        "integrations": st.just({}),
        "_metadata": st.just({"jsRuntime": "node"}),
        "name": st.sampled_from(["Home", ""]),
        "channel": st.just("server"),
    },
)
odd_call = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "screen", "identify", "walk", None])},
    optional={"event": types, "messageId": ids, "timestamp": times, "userId": users, "properties": nested}
    | {"context": nested, "name": plain, "colour": plain},
)


def written(activity: Any) -> Any:
    """Compare objects as objects: their keys may come in another order."""
    return activity._replace(
        properties=json.loads(activity.properties or "null", parse_float=Decimal),
        origin=json.loads(activity.origin or "null"),
    )


async def compare(body: bytes, padded: bytes, path: str, kind: tuple[bytes, bytes]) -> None:
    quick, slow = World(), World()

    at_once, one_by_one = await quick.post(body, path, kind), await slow.post(padded, path, kind)

    assert at_once.status == one_by_one.status
    assert json.loads(at_once.body, parse_float=Decimal) == json.loads(one_by_one.body, parse_float=Decimal)
    assert list(map(written, quick.queue.appended)) == list(map(written, slow.queue.appended))


@settings(max_examples=100, deadline=None)
@given(sent=st.lists(event | event | odd_event, min_size=1, max_size=4))
async def test_both_ways_of_reading_events_take_the_same_and_answer_the_same(sent: list[dict[str, Any]]) -> None:
    body = json.dumps(sent).encode()
    padded = body + b" " * LARGEST_ACTIVITY
    assert read_events_quickly(padded, NO_USERS) is None

    await compare(body, padded, "/events", (b"content-type", b"application/cloudevents-batch+json"))


@settings(max_examples=100, deadline=None)
@given(sent=st.lists(call | call | odd_call, min_size=1, max_size=4))
async def test_both_ways_of_reading_calls_take_the_same_and_answer_the_same(sent: list[dict[str, Any]]) -> None:
    for one in sent:
        one.setdefault("messageId", "without one, one is made")
    body = json.dumps({"batch": sent, "sentAt": "2026-01-05T12:00:00Z"}).encode()
    padded = body + b" " * LARGEST_ACTIVITY

    await compare(body, padded, "/v1/batch", JSON)


def test_what_the_libraries_send_is_read_quickly() -> None:
    events = [{"specversion": "1.0", "id": "1", "source": "/s", "type": "view", "subject": "ana", "data": {"value": 1}}]
    calls = [
        {"type": "track", "event": "Order Completed", "messageId": f"node-next-{UUID_TEXT}", "userId": "ana"}
        | {"timestamp": "2026-01-05T11:00:00.123Z", "integrations": {}, "properties": {"revenue": 12.5}}
        | {"context": {"library": {"name": "node", "version": "3.1.0"}}, "_metadata": {"jsRuntime": "node"}}
    ]

    assert read_events_quickly(json.dumps(events).encode(), NO_USERS) is not None
    assert read_calls_quickly(json.dumps(calls).encode(), NO_USERS) is not None
