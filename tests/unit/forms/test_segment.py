"""Calls of Segment's HTTP API become activities, or statements of who somebody is."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.domain.activities import ALIAS, GROUP, IDENTIFY, Activity, ActivityRules
from tests.support.asgi import Sent
from tests.support.ingest_world import GZIP, JSON, World, error_of

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def world() -> World:
    return World()


async def call(world: World, kind: str, **said: Any) -> Sent:
    return await world.post(json.dumps(said).encode(), f"/v1/{kind}", JSON)


async def taken(world: World, kind: str, **said: Any) -> Activity:
    answer = await call(world, kind, **said)
    assert (answer.status, json.loads(answer.body)["success"]) == (200, True)
    return world.queue.appended[-1]


async def refused(world: World, kind: str, **said: Any) -> tuple[str, str]:
    answer = await call(world, kind, **said)
    assert answer.status == 400, answer.body
    error = error_of(answer)
    return error["code"], error["pointer"]


async def batch(world: World, *calls: Any, **beside: Any) -> Sent:
    return await world.post(json.dumps({"batch": calls} | beside).encode(), "/v1/batch", JSON)


def kept(activity: Activity) -> Any:
    return json.loads(activity.properties or "{}")


async def test_track_is_an_activity_of_the_type_that_its_name_makes(world: World) -> None:
    found = await taken(
        world,
        "track",
        messageId="node-next-17",
        userId="ana",
        anonymousId="v-1",
        event="Order Completed",
        properties={"revenue": 12.5, "currency": "EUR"},
        timestamp="2026-01-05T10:00:00.123Z",
        channel="server",
    )

    assert (found.type, found.user_id, found.anonymous_id, found.source) == ("order_completed", "ana", "v-1", "server")
    assert (str(found.value), kept(found)) == ("12.5", {"revenue": 12.5, "currency": "EUR"})
    assert found.occurred_at == datetime(2026, 1, 5, 10, 0, 0, 123000, tzinfo=UTC)
    assert json.loads(found.origin or "") == {"id": "node-next-17", "type": "Order Completed"}


@pytest.mark.parametrize(("kind", "type_"), [("page", "page_view"), ("screen", "screen_view")])
async def test_pages_and_screens_are_views_with_their_names(world: World, kind: str, type_: str) -> None:
    found = await taken(world, kind, name="Home", category="Shop", properties={"url": "/", "category": "Shop"})

    assert (found.type, kept(found)) == (type_, {"url": "/", "category": "Shop", "name": "Home"})


@pytest.mark.parametrize(
    ("kind", "said", "type_", "visitor"),
    [
        ("identify", {"anonymousId": "v-1", "traits": {"plan": "b"}}, IDENTIFY, "v-1"),
        ("identify", {}, IDENTIFY, None),
        ("group", {"groupId": "g-1", "traits": {"n": 1}}, GROUP, None),
        ("alias", {"previousId": "anna"}, ALIAS, "anna"),
        ("alias", {"previousId": "anna", "anonymousId": "v-1"}, ALIAS, "anna"),
        ("alias", {"anonymousId": "v-1"}, ALIAS, "v-1"),
    ],
)
async def test_who_somebody_is_is_a_statement_and_no_activity(
    world: World, kind: str, said: dict[str, Any], type_: str, visitor: str | None
) -> None:
    found = await taken(world, kind, userId="ana", **said)

    assert (found.type, found.user_id, found.anonymous_id, found.value) == (type_, "ana", visitor, None)
    unused = ("traits", "groupId", "anonymousId") if "previousId" in said else ("traits", "groupId")
    assert kept(found) == {name: value for name, value in said.items() if name in unused}


async def test_a_name_that_means_a_statement_here_is_an_activity_there(world: World) -> None:
    found = await taken(world, "track", event="Identify", userId="ana", anonymousId="v-1")

    assert found.type == "identify_"


async def test_what_has_no_place_is_kept_and_the_write_key_is_not(world: World) -> None:
    found = await taken(
        world,
        "track",
        event="view",
        type="track",
        properties={"context": "mine"},
        context={"library": {"name": "node"}},
        integrations={},
        version=1,
        _metadata={"jsRuntime": "node"},
        colour="red",
        writeKey="secret",
    )

    assert kept(found) == {
        "context": "mine",
        "context_": {"library": {"name": "node"}},
        "version": 1,
        "_metadata": {"jsRuntime": "node"},
        "colour": "red",
    }


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"revenue": 3, "value": 5}, "3"),
        ({"value": 5}, "5"),
        ({"revenue": "19.90"}, "19.90"),
        ({"revenue": " -2 "}, "-2"),
        ({"revenue": "$19.90"}, None),
        ({"revenue": True}, None),
        ({"revenue": 1e300}, None),
        ({"revenue": {}}, None),
        ({"total": 7}, None),
        (None, None),
    ],
)
async def test_revenue_else_value_is_what_it_is_worth(
    world: World, properties: dict[str, Any] | None, value: str | None
) -> None:
    found = await taken(world, "track", event="buy", properties=properties)

    assert (None if found.value is None else str(found.value)) == value
    assert kept(found) == (properties or {})


async def test_an_id_that_is_a_uuid_stays_one_and_numbers_are_ids_of_users(world: World) -> None:
    found = await taken(world, "track", event="view", messageId=ID, userId=4711, anonymousId="")

    assert (found.activity_id, found.user_id, found.anonymous_id, found.origin) == (UUID(ID), "4711", None, None)


async def test_a_time_that_somebody_has_corrected_is_taken_as_it_is(world: World) -> None:
    found = await taken(
        world,
        "track",
        event="view",
        timestamp="2026-01-05T10:00:00Z",
        originalTimestamp="2020-01-01T00:00:00Z",
        sentAt="2020-01-01T00:00:05Z",
        receivedAt="2026-01-05T10:00:05Z",
    )

    assert found.occurred_at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert kept(found).keys() == {"originalTimestamp", "sentAt", "receivedAt"}


async def test_nor_does_the_clock_of_a_batch_correct_it_again(world: World) -> None:
    times = {"timestamp": "2026-01-05T10:00:00Z", "originalTimestamp": "2020-01-01T00:00:00Z"}

    await batch(world, {"type": "track", "event": "view"} | times, sentAt="2026-01-05T11:00:00Z")

    found = world.queue.appended[-1]
    assert found.occurred_at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert kept(found) == {"originalTimestamp": "2020-01-01T00:00:00Z", "sentAt": "2026-01-05T11:00:00Z"}


@pytest.mark.parametrize(
    ("kind", "said", "code", "pointer"),
    [
        ("track", {}, "missing_field", "/event"),
        ("track", {"event": 7}, "wrong_type", "/event"),
        ("track", {"event": "  "}, "wrong_type", "/event"),
        ("track", {"event": "view", "type": "page"}, "unknown_call", "/type"),
        ("track", {"event": "view", "timestamp": "soon"}, "invalid_date_time", "/timestamp"),
        ("track", {"event": "view", "originalTimestamp": "soon"}, "invalid_date_time", "/originalTimestamp"),
        ("track", {"event": "view", "userId": ["ana"]}, "wrong_type", "/userId"),
        ("track", {"event": "view", "anonymousId": "x" * 256}, "too_long", "/anonymousId"),
        ("track", {"event": "view", "properties": [1]}, "wrong_type", "/properties"),
        ("track", {"event": "view", "properties": False}, "wrong_type", "/properties"),
        ("track", {"event": "view", "userId": False}, "wrong_type", "/userId"),
        ("track", {"event": "view", "sentAt": ""}, "invalid_date_time", "/sentAt"),
        ("track", {"event": "view", "channel": "a\n"}, "control_character", "/channel"),
        ("alias", {"userId": "ana"}, "missing_field", "/previousId"),
        ("alias", {"previousId": "anna"}, "missing_field", "/userId"),
        ("alias", {"userId": "ana", "previousId": "x" * 256}, "too_long", "/previousId"),
    ],
)
async def test_a_call_that_cannot_be_taken_is_told_where_and_why(
    world: World, kind: str, said: dict[str, Any], code: str, pointer: str
) -> None:
    assert await refused(world, kind, **said) == (code, pointer)
    assert world.taken == []


async def test_what_the_lists_refuse_is_told_by_the_names_of_the_call() -> None:
    world = World(ActivityRules(types=frozenset({"view"}), sources=frozenset({"web"})))

    assert await refused(world, "track", event="Order Completed") == ("unknown_type", "/event")
    assert await refused(world, "track", event="view", channel="server") == ("unknown_source", "/channel")
    assert await refused(world, "page") == ("unknown_type", "/type")
    assert (await taken(world, "identify", userId="ana", anonymousId="v-1")).type == IDENTIFY


async def test_a_batch_has_calls_of_every_kind(world: World) -> None:
    answer = await batch(
        world,
        {"type": "track", "event": "Order Completed", "userId": "ana"},
        {"type": "page", "anonymousId": "v-1"},
        {"type": "identify", "userId": "ana", "anonymousId": "v-1"},
        context={"ip": "192.0.2.1"},
        integrations={"All": False},
        writeKey="secret",
    )

    assert (answer.status, answer.body) == (200, b'{"success":true}')
    assert world.taken == ["order_completed", "page_view", IDENTIFY]
    assert kept(world.queue.appended[1]) == {"context": {"ip": "192.0.2.1"}, "integrations": {"All": False}}


async def test_what_a_batch_has_that_cannot_be_taken_is_told_beside_success(world: World) -> None:
    answer = await batch(
        world, {"type": "track", "event": "view"}, {"type": "track"}, {"type": "walk"}, {"event": "x"}, 7
    )

    decoded = json.loads(answer.body)
    assert answer.status == 200
    assert (decoded["success"], decoded["accepted"], decoded["duplicates"], decoded["refused"]) == (True, 1, 0, 4)
    assert [one["error"]["pointer"] for one in decoded["results"]] == [
        "/batch/1/event",
        "/batch/2/type",
        "/batch/3/type",
        "/batch/4",
    ]


async def test_what_means_nothing_is_named_beside_success(world: World) -> None:
    call = {"type": "track", "event": "view", "properties": {"revenue": "$19.90"}}

    every, some = await batch(world, call), await batch(world, call, {"type": "walk"})

    assert json.loads(every.body) == {"success": True, "ignored": ["properties.revenue"]}
    assert json.loads(some.body)["ignored"] == ["properties.revenue"]


async def test_a_batch_of_which_nothing_can_be_taken_is_400_so_that_it_is_not_sent_again(world: World) -> None:
    answer = await batch(world, {"type": "track"}, {"type": "walk"})

    assert (answer.status, error_of(answer)["code"]) == (400, "all_refused")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{}", 400, "invalid_batch"),
        (b"[]", 400, "invalid_json"),
        (b'{"batch": {}}', 400, "invalid_batch"),
        (b'{"batch": []}', 400, "no_activities"),
        (b'{"batch": [{}], "batch": [{}]}', 400, "invalid_batch"),
        (b'{"batch": [{"type": "page"}], "sentAt": 1, "sentAt": 2}', 400, "invalid_batch"),
        (b'{"batch": [{"type": "page"}', 400, "invalid_json"),
        (b'{"batch": [%b]}' % b",".join([b"{}"] * 21), 413, "too_many"),
        (b'{"batch": [{"type": "page"}], "context": "%b"}' % (b"x" * 8200), 413, "too_large"),
    ],
)
async def test_what_is_no_batch_is_refused_as_a_whole(world: World, body: bytes, status: int, code: str) -> None:
    answer = await world.post(body, "/v1/batch", JSON)

    assert (answer.status, error_of(answer)["code"]) == (status, code)
    assert world.taken == []


async def test_calls_come_packed_and_as_text_too(world: World) -> None:
    body = b'{"type": "track", "event": "view"}'

    packed = await world.post(gzip.compress(body), "/v1/track", JSON, GZIP)
    text = await world.post(body, "/v1/track", (b"content-type", b"text/plain"))
    text_of_a_page = await world.post(
        body, "/v1/track", (b"content-type", b"text/plain"), (b"origin", b"https://x.example")
    )
    elsewhere = await world.post(body, "/events", (b"content-type", b"text/plain"))

    assert [one.status for one in (packed, text, text_of_a_page, elsewhere)] == [200, 200, 415, 415]
