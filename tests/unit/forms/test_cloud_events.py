"""CloudEvents 1.0 become activities: the specification's attributes, and what is kept of the others."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from app.adapters.inbound.intake.wording import Wording
from tests.support.asgi import Sent
from tests.support.ingest_world import World, error_of

STRUCTURED = (b"content-type", b"application/cloudevents+json")
BATCHED = (b"content-type", b"application/cloudevents-batch+json; charset=UTF-8")
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
EVENT = {"specversion": "1.0", "id": "17", "source": "/shop", "type": "view"}


@pytest.fixture
def world() -> World:
    return World()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EVENT.items() if key != name}


async def structured(world: World, **attributes: Any) -> Sent:
    return await world.post(json.dumps(EVENT | attributes).encode(), "/events", STRUCTURED)


async def properties(world: World, **attributes: Any) -> Any:
    answer = await structured(world, **attributes)
    assert answer.status == 202, answer.body
    return json.loads(world.queue.appended[-1].properties or "null")


async def refused(world: World, event: dict[str, Any]) -> tuple[str, str]:
    answer = await world.post(json.dumps(event).encode(), "/events", STRUCTURED)
    assert answer.status == 400, answer.body
    error = error_of(answer)
    return error["code"], error["pointer"]


async def test_each_attribute_has_its_place(world: World) -> None:
    await structured(
        world, time="2026-01-05T10:00:00+02:00", subject="ana", data={"value": 7.50, "page": "/"}, anonymousid="v-1"
    )

    (taken,) = world.queue.appended
    assert (taken.type, taken.source, taken.user_id, taken.anonymous_id) == ("view", "/shop", "ana", "v-1")
    assert (taken.occurred_at, str(taken.value)) == (datetime(2026, 1, 5, 8, tzinfo=UTC), "7.5")
    assert json.loads(taken.properties or "") == {"value": 7.5, "page": "/"}


async def test_source_and_id_together_are_the_identity_also_where_the_id_is_a_uuid(world: World) -> None:
    for source in ("/shop", "/other", "/shop"):
        await structured(world, id=ID, source=source)

    one, other = world.queue.appended
    assert len({str(one.activity_id), str(other.activity_id), ID}) == 3
    assert json.loads(one.origin or "") == {"id": ID}


@pytest.mark.parametrize(
    ("event", "code", "pointer"),
    [
        (without("specversion"), "missing_field", "/specversion"),
        (EVENT | {"specversion": "0.3"}, "unsupported_specversion", "/specversion"),
        (EVENT | {"specversion": 1.0}, "wrong_type", "/specversion"),
        (without("id"), "missing_field", "/id"),
        (EVENT | {"id": ""}, "empty", "/id"),
        (EVENT | {"id": 17}, "wrong_type", "/id"),
        (EVENT | {"id": "x" * 256}, "too_long", "/id"),
        (without("source"), "missing_field", "/source"),
        (EVENT | {"source": "s" * 256}, "too_long", "/source"),
        (without("type"), "missing_field", "/type"),
        (EVENT | {"type": "com.example.Order"}, "invalid_type", "/type"),
        (EVENT | {"type": "series"}, "reserved_type", "/type"),
        (EVENT | {"time": "yesterday"}, "invalid_date_time", "/time"),
        (EVENT | {"datacontenttype": "json"}, "invalid_datacontenttype", "/datacontenttype"),
        (EVENT | {"dataschema": "schema"}, "invalid_dataschema", "/dataschema"),
        (EVENT | {"data": {"value": "high"}}, "wrong_type", "/data/value"),
        (EVENT | {"data_base64": "?"}, "invalid_base64", "/data_base64"),
        (EVENT | {"data": 1, "data_base64": "MQ=="}, "ambiguous_field", "/data_base64"),
        (EVENT | {"data_base64": "ew==", "datacontenttype": "application/json"}, "invalid_json", "/data_base64"),
    ],
)
async def test_what_is_no_event_that_can_be_taken_is_told_where_and_why(
    world: World, event: dict[str, Any], code: str, pointer: str
) -> None:
    assert await refused(world, event) == (code, pointer)


async def test_what_is_wrong_with_several_attributes_is_told_at_once(world: World) -> None:
    error = error_of(await world.post(b'{"type": "view"}', "/events", STRUCTURED))

    assert [each["pointer"] for each in error["details"]] == ["/specversion", "/id", "/source"]


async def test_data_of_any_kind_is_kept(world: World) -> None:
    assert await properties(world, id="1", data=[1, 2]) == {"data": [1, 2]}
    assert await properties(world, id="2", data="text", datacontenttype="text/plain") == {
        "data": "text",
        "datacontenttype": "text/plain",
    }
    assert await properties(world, id="3", data_base64="AQID", datacontenttype="image/png") == {
        "data_base64": "AQID",
        "datacontenttype": "image/png",
    }
    assert await properties(world, id="4") is None


async def test_json_that_is_packed_in_base64_is_read(world: World) -> None:
    packed = b64encode(b'{"value": 3, "page": "/"}').decode()

    assert await properties(world, data_base64=packed, datacontenttype="application/json") == {"value": 3, "page": "/"}
    assert str(world.queue.appended[0].value) == "3"


async def test_extensions_are_kept_and_overwrite_nothing(world: World) -> None:
    kept = await properties(
        world, data={"region": "north"}, region="south", traceparent="00-1", dataschema="https://x.example/s", none=None
    )

    assert kept == {
        "region": "north",
        "region_": "south",
        "traceparent": "00-1",
        "dataschema": "https://x.example/s",
    }


async def test_an_extension_may_be_the_user_and_then_the_subject_is_kept() -> None:
    world = World(wording=Wording(cloud_events_user="customer"))

    await structured(world, subject="orders/17", customer=4711)

    (taken,) = world.queue.appended
    assert (taken.user_id, json.loads(taken.properties or "")) == ("4711", {"subject": "orders/17"})


async def test_nobody_is_the_user_where_no_attribute_says_so() -> None:
    world = World(wording=Wording(cloud_events_user=None))

    await structured(world, subject="orders/17")

    (taken,) = world.queue.appended
    assert (taken.user_id, json.loads(taken.properties or "")) == (None, {"subject": "orders/17"})


@pytest.mark.parametrize("subject", ["x" * 256, "a\nb", "", True, ["ana"]])
async def test_a_subject_that_can_be_no_user_is_kept_with_the_properties(world: World, subject: Any) -> None:
    assert await properties(world, subject=subject) == {"subject": subject}
    assert world.queue.appended[0].user_id is None


async def test_a_batch_is_answered_event_by_event(world: World) -> None:
    events = [EVENT, EVENT | {"id": "18", "type": "Order"}, {"id": 7}, EVENT, EVENT | {"id": "19"}]

    answer = await world.post(json.dumps(events).encode(), "/events", BATCHED)

    decoded = json.loads(answer.body)
    assert answer.status == 202
    assert [one["status"] for one in decoded["results"]] == ["accepted", "refused", "refused", "duplicate", "accepted"]
    assert decoded["results"][1]["error"]["pointer"] == "/1/type"


async def test_one_event_is_no_batch_and_a_batch_is_not_one(world: World) -> None:
    one_as_batch = await world.post(json.dumps(EVENT).encode(), "/events", BATCHED)
    batch_as_one = await world.post(json.dumps([EVENT]).encode(), "/events", STRUCTURED)

    assert (one_as_batch.status, error_of(one_as_batch)["code"]) == (400, "not_an_object")
    assert (batch_as_one.status, error_of(batch_as_one)["code"]) == (400, "not_an_object")


# --- binary mode


def in_headers(**attributes: str | bytes) -> list[tuple[bytes, bytes]]:
    values = {"specversion": "1.0", "id": "17", "source": "/shop", "type": "view", **attributes}
    return [
        (f"ce-{name}".encode(), value if isinstance(value, bytes) else value.encode()) for name, value in values.items()
    ]


async def binary(world: World, body: bytes, kind: bytes | None, **attributes: str | bytes) -> Sent:
    headers = in_headers(**attributes) + ([(b"content-type", kind)] if kind else [])
    return await world.post(body, "/events", *headers)


async def test_an_event_in_headers_is_the_same_as_one_in_json(world: World) -> None:
    await binary(world, b'{"value": 2}', b"application/json; charset=utf-8", time="2026-01-05T10:00:00Z", subject="ana")
    again = await structured(world)

    (taken,) = world.queue.appended
    assert (taken.user_id, str(taken.value), taken.properties) == ("ana", "2", '{"value":2}')
    assert taken.occurred_at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert json.loads(again.body)["status"] == "duplicate"


@pytest.mark.parametrize(
    ("value", "user"),
    [
        (b"us%C3%A9r%20%221%22", 'usér "1"'),
        (b'"quoted \\"name\\""', 'quoted "name"'),
        ("usér".encode("latin-1"), "usér"),
        ("usér".encode(), "usér"),
        (b"100%", "100%"),
        (b"%E4%B8%AD", "中"),
    ],
)
async def test_header_values_are_decoded_as_the_binding_says_and_as_clients_send_them(
    world: World, value: bytes, user: str
) -> None:
    answer = await binary(world, b"", None, subject=value)

    assert answer.status == 202, answer.body
    assert world.queue.appended[0].user_id == user


@pytest.mark.parametrize(
    ("body", "kind", "kept"),
    [
        (b'{"a": 1}', None, {"a": 1}),
        (b"[1]", b"application/json", {"data": [1]}),
        (b'{"a": 1}', b"application/vnd.x+json", {"a": 1}),
        (b"<a/>", b"text/xml", {"data": "<a/>", "datacontenttype": "text/xml"}),
        (b"\xff", b"text/plain", {"data_base64": "/w==", "datacontenttype": "text/plain"}),
        (b"\x01\x02", b"image/png", {"data_base64": "AQI=", "datacontenttype": "image/png"}),
        (b"", b"application/json", None),
    ],
)
async def test_the_body_is_the_data_whatever_it_is(world: World, body: bytes, kind: bytes | None, kept: Any) -> None:
    answer = await binary(world, body, kind)

    assert answer.status == 202, answer.body
    assert json.loads(world.queue.appended[0].properties or "null") == kept


@pytest.mark.parametrize(
    ("body", "attributes", "code"),
    [
        (b"{", {}, "invalid_json"),
        (b'1,"more":2', {}, "invalid_json"),
        (b"{}", {"subject": b"%FF"}, "invalid_utf8"),
        (b"{}", {"data": b"x"}, "invalid_attribute"),
        (b"{}", {"specversion": "2.0"}, "unsupported_specversion"),
        (b'{"a":1,"a":2}', {}, "duplicate_key"),
    ],
)
async def test_what_is_no_event_in_headers_is_400(
    world: World, body: bytes, attributes: dict[str, Any], code: str
) -> None:
    answer = await binary(world, body, b"application/json", **attributes)

    assert (answer.status, error_of(answer)["code"]) == (400, code)


@pytest.mark.parametrize(
    "kind",
    [b"application/cloudevents+avro", b"application/cloudevents+xml", b"application/cloudevents+json;charset=latin-1"],
)
async def test_events_in_other_formats_are_415(world: World, kind: bytes) -> None:
    answer = await world.post(b"{}", "/events", (b"content-type", kind))

    assert (answer.status, error_of(answer)["code"]) == (415, "unsupported_media_type")
