"""The door over HTTP: what is taken, what is refused, and how it is answered."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from app.adapters.inbound.http.error_table import LIVE_STATE_AWAY
from app.adapters.inbound.http.ingest.ingest_door import IngestLimits
from app.adapters.inbound.reading.activity_fields import ActivityFields, UnusualFields
from app.adapters.inbound.reading.activity_names import CANONICAL, RARE_FIELDS, USUAL_FIELDS
from app.application.ports.activities import QueueFullError
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import ActivityRules
from app.domain.activity_ids import id_of_text
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import GZIP, JSON, LIMITS, VIEW, World, a_batch, an_array, error_of, post


@pytest.fixture
def world() -> World:
    return World()


async def test_one_activity_is_answered_with_its_id(world: World) -> None:
    first = await world.post(b'{"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"view"}')
    again = await world.post(b'{"event_id":"01890A5DAC96774BBCCEB302099A8057","type":"buy"}')
    made = await world.post(VIEW)

    assert [answer.status for answer in (first, again, made)] == [202, 202, 202]
    assert json.loads(first.body) == {"id": "01890a5d-ac96-774b-bcce-b302099a8057", "status": "accepted"}
    assert json.loads(again.body) == {"id": "01890a5d-ac96-774b-bcce-b302099a8057", "status": "duplicate"}
    assert json.loads(made.body) == {"id": str(UUID(int=1)), "status": "accepted"}
    assert world.taken == ["view", "view"]


async def test_one_activity_that_is_refused_is_told_where_and_why(world: World) -> None:
    answer = await world.post(b'{"event_type": "view", "data": {"value": "high"}}')

    assert answer.status == 400
    assert error_of(answer) == {
        "code": "wrong_type",
        "message": "data.value: expected a number below 10^18 with at most 24 digits after the point, found 'high'",
        "pointer": "/data/value",
    }
    assert world.taken == []


async def test_one_activity_with_several_mistakes_is_told_all_of_them(world: World) -> None:
    error = error_of(await world.post(b'{"type": "View", "user_id": 5}'))

    assert (error["code"], error["pointer"]) == ("invalid_type", "/type")
    assert [(each["code"], each["pointer"]) for each in error["details"]] == [
        ("invalid_type", "/type"),
        ("wrong_type", "/user_id"),
    ]


async def test_what_the_rules_refuse_is_told_by_the_name_that_was_sent() -> None:
    world = World(ActivityRules(types=frozenset({"view"})))

    closed = error_of(await world.post(b'{"event_type": "buy"}'))
    early = error_of(await world.post(b'{"type": "view", "timestamp": "2036-01-05T12:00:00Z"}'))

    assert (closed["code"], closed["pointer"]) == ("unknown_type", "/event_type")
    assert closed["message"] == "event_type: 'buy' is none of view"
    assert (early["code"], early["pointer"]) == ("occurs_in_the_future", "/timestamp")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"type": "view", "value": NaN}', "not_finite"),
        (b'{"type": "view", "value": -Infinity}', "not_finite"),
        (b'{"type": "view", "value": 1e999}', "huge_number"),
        (b'{"type": "view", "properties": {"n": 18446744073709551616}}', "huge_number"),
        (b'{"type": "view", "properties": ' + b"[" * 5000 + b"]" * 5000 + b"}", "too_deep"),
        (b'{"type": "view", "properties": ' + b'{"a":' * 40 + b"1" + b"}" * 41, "too_deep"),
        (b'{"type": "view", "user_id": "\\ud800"}', "lone_surrogate"),
        (b'{"type": "view", "type": "buy"}', "duplicate_key"),
        (b'{"type": "view", "data": {"a": 1, "a": 2}}', "duplicate_key"),
        (b'{"type": "view", "data": {"a": 1, "\\u0061": 2}}', "duplicate_key"),
        (b'{"type": "view", "user_id": "\xff"}', "invalid_utf8"),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
async def test_what_receivers_would_read_differently_is_refused(world: World, body: bytes, code: str) -> None:
    alone = await world.post(body)
    among_others = await world.post(an_array(VIEW, body, VIEW))
    in_a_batch = await world.post(a_batch(VIEW, body), "/events/batch")

    assert (alone.status, error_of(alone)["code"]) == (400, code)
    for answer, prefix in ((among_others, "/1"), (in_a_batch, "/events/1")):
        refused = json.loads(answer.body)["results"][1]
        assert (answer.status, refused["status"], refused["error"]["code"]) == (202, "refused", code)
        assert refused["error"]["pointer"].startswith(prefix)
    assert world.taken == ["view"] * 3


async def test_an_array_is_answered_record_by_record(world: World) -> None:
    body = an_array(
        b'{"type":"view","id":"00000000-0000-0000-0000-00000000000a"}',
        b'{"type":"View","user_id":""}',
        b'{"type":"buy","id":"00000000-0000-0000-0000-00000000000a"}',
        b"7",
        b'{"type":"view","occurred_at":"2036-01-01T00:00:00Z"}',
        b'{"type":"click"}',
    )

    answer = await world.post(body)
    decoded = json.loads(answer.body)

    assert answer.status == 202
    assert {key: decoded[key] for key in ("accepted", "duplicates", "refused")} == {
        "accepted": 2,
        "duplicates": 1,
        "refused": 3,
    }
    assert [(result["index"], result["status"]) for result in decoded["results"]] == list(
        enumerate(["accepted", "refused", "duplicate", "refused", "refused", "accepted"])
    )
    assert decoded["results"][0]["id"] == decoded["results"][2]["id"] == "00000000-0000-0000-0000-00000000000a"
    assert [result["error"]["pointer"] for result in decoded["results"] if "error" in result] == [
        "/1/type",
        "/3",
        "/4/occurred_at",
    ]
    assert [each["pointer"] for each in decoded["results"][1]["error"]["details"]] == ["/1/type", "/1/user_id"]
    assert world.taken == ["view", "click"]
    assert world.queue.appends == 1


async def test_a_batch_is_answered_in_the_same_way(world: World) -> None:
    answer = await world.post(a_batch(VIEW, b'{"event_type":"X"}'), "/events/batch")
    decoded = json.loads(answer.body)

    assert answer.status == 202
    assert decoded["results"][0] == {"index": 0, "id": str(UUID(int=1)), "status": "accepted"}
    assert decoded["results"][1]["error"]["pointer"] == "/events/1/event_type"


@pytest.mark.parametrize(("path", "wrap"), [("/events", an_array), ("/events/batch", a_batch)])
async def test_when_all_are_refused_the_request_is(world: World, path: str, wrap: Callable[..., bytes]) -> None:
    answer = await world.post(wrap(b"{}", b'{"type":"View","value":true}'), path)
    error = error_of(answer)
    prefix = "/events" if "batch" in path else ""

    assert (answer.status, error["code"]) == (400, "all_refused")
    assert [(each["index"], each["code"], each["pointer"]) for each in error["details"]] == [
        (0, "missing_field", f"{prefix}/0/type"),
        (1, "invalid_type", f"{prefix}/1/type"),
        (1, "wrong_type", f"{prefix}/1/value"),
    ]
    assert world.taken == []


async def test_when_all_are_duplicates_that_is_no_mistake(world: World) -> None:
    record = b'{"type":"view","id":"00000000-0000-0000-0000-00000000000a"}'
    await world.post(record)

    answer = await world.post(an_array(record, record))

    assert (answer.status, json.loads(answer.body)["duplicates"]) == (202, 2)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/events", b"[]"),
        ("/events", b" [ ] "),
        ("/events/batch", b'{"events":[]}'),
        ("/events/batch", b'{"a":1,"events":[ ]}'),
    ],
)
async def test_nothing_at_all_is_refused(world: World, path: str, body: bytes) -> None:
    answer = await world.post(body, path)

    assert (answer.status, error_of(answer)["code"]) == (400, "no_activities")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'[{"type":"view"}]',
        b'{"type":"view"}',
        b'{"events":{"type":"view"}}',
        b'{"events":null}',
        b'{"events":[{"type":"view"}],"events":[{"type":"buy"}]}',
        b'{"events":[{"type":"view"}],"\\u0065vents":[{"type":"buy"}]}',
    ],
)
async def test_what_is_no_batch_is_told_what_one_is(world: World, body: bytes) -> None:
    answer = await world.post(body, "/events/batch")

    assert (answer.status, error_of(answer)["code"]) == (400, "invalid_batch")
    assert world.taken == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"events":[{"type":"view"}],"sent_at":"now"}',
        b'\n{ "batch": {"events": [1]}, "events" : [ {"type":"view"} ] , "more": [[], "]", {}] }\n',
        b'{"\\u0065vents":[{"type":"view"}]}',
    ],
)
async def test_other_fields_of_a_batch_are_ignored(world: World, body: bytes) -> None:
    answer = await world.post(body, "/events/batch")

    assert (answer.status, world.taken) == (202, ["view"])


@pytest.mark.parametrize(
    ("trouble", "code", "seconds", "message"),
    [
        (QueueFullError("5,000,000 activities wait"), "queue_full", b"5", "5,000,000 activities wait"),
        (LiveStateUnavailableError("refused"), "live_state_unavailable", b"1", LIVE_STATE_AWAY),
    ],
)
@pytest.mark.parametrize("body", [VIEW, an_array(VIEW, b"{}")])
async def test_what_the_queue_cannot_take_is_503_and_worth_another_try(
    world: World, body: bytes, *, trouble: Exception, code: str, seconds: bytes, message: str
) -> None:
    world.queue.trouble = trouble

    answer = await world.post(body)

    assert (answer.status, error_of(answer)["code"], answer.headers[b"retry-after"]) == (503, code, seconds)
    assert error_of(answer)["message"] == message


async def test_a_bug_is_500_with_the_requests_id_in_the_log_and_nothing_of_it_in_the_answer(world: World) -> None:
    world.queue.trouble = RuntimeError("secret")

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logged:
        answer = await world.post(VIEW, "/events", JSON, (b"x-request-id", b"look-for-me"))

    assert (answer.status, error_of(answer)["code"]) == (500, "internal_error")
    assert b"secret" not in answer.body
    assert {entry["request_id"] for entry in logged} == {"look-for-me"}
    assert str(logged[0]["exc_info"]) == "secret"


async def test_a_request_id_is_taken_and_given_back_and_made_where_none_is(world: World) -> None:
    taken = await world.post(VIEW, "/events", JSON, (b"x-request-id", b"abc-123"))
    strange = await world.post(VIEW, "/events", JSON, (b"x-request-id", b"a b\xff"))
    refused = await world.post(b"", "/events", (b"x-request-id", b"abc-124"))

    assert taken.headers[b"x-request-id"] == b"abc-123"
    assert refused.headers[b"x-request-id"] == b"abc-124"
    assert strange.headers[b"x-request-id"] not in (b"a b\xff", b"abc-123")


async def test_every_answer_is_counted_once_by_its_route(world: World) -> None:
    await world.post(VIEW)
    await world.post(b"x")
    await world.post(a_batch(VIEW), "/events/batch")
    await world.post(VIEW, pieces=0)

    assert world.observed == [("/events", 202), ("/events", 400), ("/events/batch", 202), ("/events", 499)]


async def test_of_a_client_that_leaves_nothing_is_taken_and_nothing_is_logged(world: World) -> None:
    with structlog.testing.capture_logs() as logged:
        answer = await world.post(an_array(VIEW), pieces=0)

    assert (answer.status, world.taken, logged) == (0, [], [])


async def test_other_methods_and_paths_go_to_the_api_behind(world: World) -> None:
    statuses = {}
    for method, path in (("GET", "/events"), ("DELETE", "/events/batch"), ("POST", "/events/"), ("POST", "/nowhere")):
        messages: list[Any] = []

        async def send(message: Any, into: list[Any] = messages) -> None:
            into.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "root_path": ""}
        await world.app(scope | {"http_version": "1.1", "scheme": "http", "server": ("x", 1)}, receive, send)
        statuses[method, path] = messages[0]["status"]

    assert statuses == {("GET", "/events"): 405, ("DELETE", "/events/batch"): 405} | {
        ("POST", "/events/"): 404,
        ("POST", "/nowhere"): 404,
    }


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/events", VIEW, (JSON,)),
        ("/events", an_array(VIEW, b"{}"), (JSON,)),
        ("/events", b"{}", (JSON,)),
        ("/events", b"{", (JSON,)),
        ("/events", VIEW, ()),
        ("/events", b" " * LIMITS.body + VIEW, (JSON,)),
        ("/events/batch", a_batch(VIEW), (JSON,)),
        ("/events/batch", VIEW, (JSON,)),
        ("/events", gzip.compress(VIEW, mtime=0), (JSON, GZIP)),
    ],
)
async def test_the_documented_routes_answer_as_the_door_does(
    path: str, body: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    bare = await post(World().app, body, path, headers)
    documented = await post(World().documented, body, path, headers)

    assert (bare.status, bare.body) == (documented.status, documented.body)
    assert bare.headers[b"content-type"] == documented.headers[b"content-type"]


async def test_retry_after_is_told_by_the_documented_routes_too(world: World) -> None:
    world.queue.trouble = QueueFullError("full")

    assert (await post(world.documented, VIEW, "/events", (JSON,))).headers[b"retry-after"] == b"5"


def test_both_routes_are_documented_with_every_name_and_every_answer(world: World) -> None:
    document = world.documented.openapi()
    names = {name for name in CANONICAL if name == name.lower() and name.isidentifier()}  # of those alike, ours

    for path in ("/events", "/events/batch"):
        operation = document["paths"][path]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        schema = content["schema"]
        array = schema["oneOf"][1] if path == "/events" else schema["properties"]["events"]
        record, anything = array["items"]["anyOf"]
        assert set(record["properties"]) == names
        assert (array["contains"], "type" in anything) == (record, False)  # one that can be taken is enough
        assert array["maxItems"] == (LIMITS.array if path == "/events" else LIMITS.batch)
        assert set(operation["responses"]) == {"202", "400", "401", "403", "413", "415", "429", "503"}
        assert content["examples"]


async def test_the_documented_examples_are_taken(world: World) -> None:
    document = world.documented.openapi()

    for path in ("/events", "/events/batch"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            answer = await world.post(json.dumps(example["value"]).encode(), path)
            assert (answer.status, b'refused":' in answer.body and b'"refused":0' not in answer.body) == (202, False)


async def test_a_large_array_lets_other_requests_in() -> None:
    world = World(limits=IngestLimits(array=2000, batch=100, body=8 * 1024**2))
    record = b'{"type":"view","properties":{"l":[%s]}}' % b",".join([b"1.25"] * 200)
    gaps = []

    async def look() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0)
            gaps.append(time.perf_counter() - began)

    looking = asyncio.create_task(look())
    answer = await world.post(an_array(*[record] * 400))
    looking.cancel()

    assert answer.status == 202
    assert len(gaps) > 10


# --- what is noticed is told


async def test_what_means_nothing_is_named_once(world: World) -> None:
    one = await world.post(b'{"event": "view", "occured_at": "2026-01-05T10:00:00Z"}')
    many = await world.post(
        an_array(VIEW, b'{"type": "view", "colour": 1}', b'{"type": "buy", "colour": 2, "size": 3}')
    )

    assert json.loads(one.body)["ignored"] == ["occured_at"]
    assert json.loads(many.body)["ignored"] == ["colour", "size"]
    assert [activity.properties for activity in world.queue.appended] == [
        '{"occured_at":"2026-01-05T10:00:00Z"}',
        None,
        '{"colour":1}',
        '{"colour":2,"size":3}',
    ]


async def test_where_everything_means_something_nothing_is_named(world: World) -> None:
    one, many = await world.post(VIEW), await world.post(an_array(VIEW, VIEW))

    assert one.body == b'{"id":"%b","status":"accepted"}' % str(UUID(int=1)).encode()
    assert b"ignored" not in many.body


async def test_an_id_that_is_a_text_is_repeated_with_the_uuid_that_stands_for_it(world: World) -> None:
    ours = str(id_of_text("web", "order 17"))

    one = await world.post(b'{"type": "view", "source": "web", "messageId": "order 17"}')
    again = await world.post(an_array(VIEW, b'{"type": "view", "source": "web", "id": "order 17"}'))

    assert json.loads(one.body) == {"id": "order 17", "activity_id": ours, "status": "accepted"}
    assert json.loads(again.body)["results"] == [
        {"index": 0, "id": str(UUID(int=1)), "status": "accepted"},
        {"index": 1, "id": "order 17", "activity_id": ours, "status": "duplicate"},
    ]


async def test_a_request_with_a_key_may_be_sent_again(world: World) -> None:
    key, body = (b"idempotency-key", b"k-1"), an_array(VIEW, b"{}", VIEW)

    first = json.loads((await world.post(body, "/events", JSON, key)).body)
    again = json.loads((await world.post(body, "/events", JSON, key)).body)
    other = json.loads((await world.post(body, "/events", JSON, (b"idempotency-key", b"k-2"))).body)

    assert (first["accepted"], again["accepted"], again["duplicates"], other["accepted"]) == (2, 0, 2, 2)
    assert [one.get("id") for one in first["results"]] == [one.get("id") for one in again["results"]]


async def test_the_key_of_a_request_leaves_ids_alone_that_were_sent(world: World) -> None:
    sent = "01890a5d-ac96-774b-bcce-b302099a8057"

    answer = await world.post(b'{"type":"view","id":"%b"}' % sent.encode(), "/events", JSON, (b"idempotency-key", b"k"))

    assert json.loads(answer.body)["id"] == sent


@pytest.mark.parametrize("key", [b"", b" ", b"k" * 256, b"\xff", b"a\x7f"])
async def test_a_key_that_is_none_is_refused(world: World, key: bytes) -> None:
    answer = await world.post(VIEW, "/events", JSON, (b"idempotency-key", key))

    assert (answer.status, error_of(answer)["code"], world.taken) == (400, "invalid_idempotency_key", [])


async def test_a_clock_that_is_off_is_corrected_by_when_the_request_came(world: World) -> None:
    late, sent = (
        b'{"type": "view", "ts": "2020-01-05T10:00:00Z", "sent_at": "2020-01-05T10:01:00Z"}',
        "2020-01-05T10:00:00Z",
    )

    await world.post(an_array(VIEW, late))

    plain, corrected = world.queue.appended
    assert corrected.occurred_at == plain.occurred_at - timedelta(minutes=1)
    assert json.loads(corrected.origin or "")["occurred_at"] == sent


async def test_a_batch_says_once_when_it_was_sent(world: World) -> None:
    record = b'{"type": "view", "occurred_at": "2020-01-05T10:00:00Z"}'

    answer = await world.post(
        b'{"events": [%b, %b], "sent_at": "2020-01-05T10:01:00Z"}' % (VIEW, record), "/events/batch"
    )

    assert b"ignored" not in answer.body
    plain, corrected = world.queue.appended
    assert corrected.occurred_at == plain.occurred_at - timedelta(minutes=1)


async def test_a_batch_whose_clock_is_right_is_taken_as_it_is(world: World) -> None:
    now = FixedClock().now().isoformat()

    answer = await world.post(b'{"events": [%b], "sent_at": "%b"}' % (VIEW, now.encode()), "/events/batch")

    assert json.loads(answer.body).keys() == {"accepted", "duplicates", "refused", "results"}
    assert world.queue.appended[0].origin is None


@pytest.mark.parametrize(
    ("beside", "ignored"),
    [(b'"sent_at": "now"', ["sent_at"]), (b'"a": [1], "sent_at": 1, "b": {}', ["a", "sent_at", "b"])],
)
async def test_what_stands_beside_the_records_of_a_batch_and_means_nothing_is_named(
    world: World, beside: bytes, ignored: list[str]
) -> None:
    answer = await world.post(b'{"events": [%b], %b}' % (VIEW, beside), "/events/batch")

    assert json.loads(answer.body)["ignored"] == ignored


def test_the_names_of_fields_are_those_of_the_model() -> None:
    assert tuple(ActivityFields.model_fields) == USUAL_FIELDS
    assert tuple(UnusualFields.model_fields) == USUAL_FIELDS + RARE_FIELDS
