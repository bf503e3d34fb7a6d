"""One record, as clients send it: what it means, and in which words it is refused."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.inbound.reading.activity_fields import EXPECTED
from app.adapters.inbound.reading.activity_input import read_activity
from app.adapters.inbound.reading.activity_names import FieldNames
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.reading import MOST_NAMES, Reading
from app.adapters.inbound.reading.refusals import NotJsonError, Problem, RefusedRecordError, pointer_to, shown
from app.application.record_activities import SentActivity
from app.domain.activities import ALIAS, IDENTIFY, LARGEST_ACTIVITY, PLACEHOLDERS
from app.domain.activity_ids import id_of_text

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def read(text: str | bytes) -> SentActivity:
    return read_activity(parse_record(text.encode() if isinstance(text, str) else text), Reading())


def read_fields(**fields: Any) -> SentActivity:
    return read_activity({"type": "view", **fields}, Reading())


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(RefusedRecordError) as refused:
        read(text)
    return refused.value.problems


def problem(text: str | bytes) -> tuple[str, str]:
    (only,) = problems(text)
    return only.code, only.pointer


# --- what it means


def test_by_canonical_names() -> None:
    found = read(
        f'{{"id": "{ID}", "type": "ticket.bought", "occurred_at": "2026-01-05T12:00:00Z", "source": "web",'
        '"user_id": "ana", "value": 12.50, "properties": {"zone": "Platea"}}'
    )

    assert found == SentActivity(UUID(ID), "ticket.bought", NOON, "web", "ana", Decimal("12.50"), '{"zone":"Platea"}')


def test_by_the_other_names() -> None:
    found = read(
        f'{{"event_id": "{ID}", "event_type": "view", "timestamp": "2026-01-05 12:00:00",'
        '"data": {"value": 3, "b": []}}'
    )

    assert found == SentActivity(UUID(ID), "view", NOON, None, None, Decimal(3), '{"value":3,"b":[]}')


@pytest.mark.parametrize("name", ["plan_id", "planId"])
def test_a_plan_is_kept_as_a_property(name: str) -> None:
    alone = read(f'{{"type": "view", "{name}": "{ID}"}}')
    beside = read(f'{{"type": "view", "{name}": "{ID}", "properties": {{"plan_id": "291", "page": "/"}}}}')

    assert alone.properties == f'{{"plan_id":"{ID}"}}'
    assert beside.properties == f'{{"plan_id":"{ID}","page":"/"}}'


def test_what_is_left_out_is_none() -> None:
    assert read('{"type": "view"}') == SentActivity(None, "view", None, None, None, None, None)


def test_null_is_as_good_as_absent() -> None:
    found = read(
        '{"type": "view", "id": null, "occurred_at": null, "source": null, "user_id": null, "value": null,'
        '"properties": null, "event_id": null, "timestamp": null, "data": null}'
    )

    assert found == SentActivity(None, "view")


def test_null_by_one_name_leaves_the_word_to_the_other() -> None:
    assert read(f'{{"type": "view", "id": null, "event_id": "{ID}"}}').activity_id == UUID(ID)
    assert read(f'{{"type": "view", "id": "{ID}", "event_id": null}}').activity_id == UUID(ID)


def test_what_other_fields_hold_is_kept_among_the_properties_and_named() -> None:
    reading = Reading()

    found = read_activity({"type": "view", "Type": [], "": {}, "none": None, "properties": {"a": 1}}, reading)

    assert found == SentActivity(None, "view", properties='{"a":1,"Type":[],"":{}}')
    assert list(reading.ignored) == ["Type", ""]


@pytest.mark.parametrize(
    ("fields", "properties"),
    [
        ({"plan": 1, "properties": {"plan": 2}}, '{"plan":2,"plan_":1}'),
        ({"plan": 1, "properties": {"plan": True, "plan_": 3}}, '{"plan":true,"plan_":3,"plan__":1}'),
        ({"plan": 1, "data": {"plan": 1}}, '{"plan":1}'),
    ],
)
def test_what_is_left_over_overwrites_no_property(fields: dict[str, Any], properties: str) -> None:
    assert read_fields(**fields).properties == properties


def test_what_is_left_over_does_not_hide_that_the_properties_are_none() -> None:
    assert problem('{"type": "view", "properties": [], "plan": 1}') == ("wrong_type", "/properties")


def test_names_that_mean_nothing_are_told_within_bounds() -> None:
    reading = Reading()

    read_activity({"type": "view", "x" * 100: 1} | {f"field{n}": 1 for n in range(50)}, reading)

    assert len(reading.ignored) == MOST_NAMES
    assert next(iter(reading.ignored)) == "x" * 64 + "..."


def test_unknown_fields_may_be_refused_with_the_nearest_name() -> None:
    strict = Reading(FieldNames(refuse_unknown=True))

    with pytest.raises(RefusedRecordError) as refused:
        read_activity({"type": "view", "occured_at": "2026-01-05", "xyz": 1, "nothing": None}, strict)

    assert refused.value.problems == (
        Problem("unknown_field", "'occured_at' is no field of an activity; did you mean occurred_at?", "/occured_at"),
        Problem("unknown_field", "'xyz' is no field of an activity", "/xyz"),
    )
    assert read_activity({"event": "view", "nothing": None}, strict).type == "view"


def test_a_name_that_means_something_elsewhere_is_not_its_own_correction() -> None:
    strict = Reading(FieldNames(refuse_unknown=True))

    with pytest.raises(RefusedRecordError) as refused:
        read_activity({"type": "view", "previousId": "anna", "user_id": "ana"}, strict)

    message = "'previousId' means nothing in a record of this type"
    assert refused.value.problems == (Problem("unknown_field", message, "/previousId"),)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"messageId": ID}, {"activity_id": UUID(ID)}),
        ({"message_id": ID}, {"activity_id": UUID(ID)}),
        ({"insert_id": ID}, {"activity_id": UUID(ID)}),
        ({"$insert_id": ID}, {"activity_id": UUID(ID)}),
        ({"time": "2026-01-05T12:00:00Z"}, {"occurred_at": NOON}),
        ({"ts": 1767614400000}, {"occurred_at": NOON}),
        ({"userId": "ana"}, {"user_id": "ana"}),
        ({"distinct_id": "ana"}, {"user_id": "ana"}),
        ({"anonymousId": "v-1"}, {"anonymous_id": "v-1"}),
        ({"revenue": Decimal("12.50")}, {"value": Decimal("12.50")}),
    ],
    ids=lambda given: next(iter(given)),
)
def test_the_names_of_other_clients_are_read(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read_activity({"event": "view", **fields}, Reading()) == SentActivity(None, "view")._replace(**expected)


def test_a_record_is_not_changed_by_reading_it() -> None:
    record = {"event_type": "view", "data": {"value": 1}}

    read_activity(record, Reading())

    assert record == {"event_type": "view", "data": {"value": 1}}


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ('"data": {"value": 3}', "3"),
        ('"value": 4, "data": {"value": 3}', "4"),
        ('"value": 4, "data": {"value": "three"}', "4"),
        ('"value": null, "data": {"value": 3}', "3"),
        ('"value": 0, "data": {"value": 3}', "0"),
    ],
)
def test_the_value_of_data_counts_only_when_there_is_no_other(fields: str, value: str) -> None:
    assert read(f'{{"type": "view", {fields}}}').value == Decimal(value)


def test_the_value_of_properties_is_only_a_property() -> None:
    assert read('{"type": "view", "properties": {"value": "high"}}').value is None
    assert read('{"type": "view", "data": {"value": null}}').value is None


@pytest.mark.parametrize("digits", ["1.10", "0.1", "12345678901234567.123456789012345678901234", "-0.00", "7", "1E+5"])
def test_a_value_keeps_its_digits(digits: str) -> None:
    assert str(read(f'{{"type": "view", "value": {digits}}}').value) == digits


def test_properties_are_kept_compact_and_digit_for_digit() -> None:
    found = read(
        '{"type": "view", "properties": { "b" : [1.10, 2,  "x\\n\\u00e9"], "a": {"c": 18446744073709551615} } }'
    )

    assert found.properties == '{"b":[1.10,2,"x\\né"],"a":{"c":18446744073709551615}}'


@pytest.mark.parametrize(
    "text", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"], ids=lambda text: text[:9]
)
def test_an_id_may_be_written_in_every_usual_way(text: str) -> None:
    assert read_fields(id=text).activity_id == UUID(ID)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T12:00:00Z",
        "2026-01-05t12:00:00z",
        "2026-01-05T12:00:00.000000000Z",
        "2026-01-05T12:00:00+00:00",
        "2026-01-05T13:30:00+01:30",
        "2026-01-05T12:00:00",
        "2026-01-05 12:00:00",
        "2026-01-05 12:00:00.000",
        " 2026-01-05T12:00:00Z ",
        "2026-01-05 12:00:00+00",
        "2026-01-05 12:00:00.000+00",
        "2026-01-05 12:00:00 +0000",
        "2026-01-05T14:00:00 +02",
        "2026-01-05T06:30:00-0530",
        "2026-01-05 12:00:00 UTC",
        "2026-01-05T12:00:00UTC",
        "2026-01-05 12:00:00 GMT",
        "1767614400",
        "1767614400000",
        " 1767614400.000 ",
        1767614400,
        1767614400000,
        Decimal("1767614400.0"),
        Decimal("1767614400000.000"),
    ],
)
def test_an_instant_is_rfc_3339_and_utc_without_an_offset_or_a_number_since_1970(text: str | Decimal) -> None:
    found = read_fields(occurred_at=text).occurred_at

    assert found == NOON
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(("fraction", "microsecond"), [(".5", 500_000), (".1234567", 123_456), (".000001", 1)])
def test_an_instant_is_kept_to_the_microsecond(fraction: str, microsecond: int) -> None:
    found = read_fields(occurred_at=f"2026-01-05T12:00:00{fraction}Z").occurred_at

    assert found == NOON.replace(microsecond=microsecond)


@pytest.mark.parametrize("name", ["ana", "a b", "Ñandú 😀", "a" * 255, " "])
def test_user_ids_may_be_nearly_anything(name: str) -> None:
    assert read_fields(user_id=name).user_id == name


@pytest.mark.parametrize("name", ["anonymous_id", "anonymousId"])
def test_a_visitor_who_is_not_known_has_an_id_too(name: str) -> None:
    assert read_fields(**{name: "v-1"}) == SentActivity(None, "view", anonymous_id="v-1")


# --- statements of who somebody is


def test_identify_with_both_ids_is_a_statement() -> None:
    found = read_fields(type="identify", anonymous_id="v-1", user_id="ana")

    assert found == SentActivity(None, IDENTIFY, user_id="ana", anonymous_id="v-1")


@pytest.mark.parametrize("name", ["previous_id", "previousId"])
def test_an_alias_with_both_ids_is_a_statement(name: str) -> None:
    found = read_fields(**{"type": "alias", name: "anna", "user_id": "ana"})

    assert found == SentActivity(None, ALIAS, user_id="ana", anonymous_id="anna")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "identify", "user_id": "ana"},
        {"type": "identify", "anonymous_id": "v-1"},
        {"type": "identify", "previous_id": "v-1", "user_id": "ana"},
        {"type": "alias", "previous_id": "anna"},
        {"type": "alias", "anonymous_id": "v-1", "user_id": "ana"},
    ],
)
def test_without_both_ids_these_types_are_types_as_any_other(fields: dict[str, Any]) -> None:
    assert read_fields(**fields).type == fields["type"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"type": "identify", "anonymous_id": "v-1", "user_id": "undefined"},
            SentActivity(None, IDENTIFY, anonymous_id="v-1"),
        ),
        (
            {"type": "identify", "anonymous_id": "null", "user_id": "ana"},
            SentActivity(None, IDENTIFY, user_id="ana"),
        ),
        (
            {"type": "alias", "previous_id": "anna", "user_id": "undefined"},
            SentActivity(None, ALIAS, anonymous_id="anna"),
        ),
        ({"type": "alias", "previous_id": "null", "user_id": "ana"}, SentActivity(None, ALIAS, user_id="ana")),
    ],
)
def test_a_statement_of_a_placeholder_says_nothing_and_counts_nothing(
    fields: dict[str, Any], expected: SentActivity
) -> None:
    assert read_fields(**fields) == expected


def test_the_other_id_of_an_alias_is_named_as_it_was_sent_when_it_breaks_a_rule() -> None:
    assert problem('{"type": "alias", "previous_id": "", "user_id": "ana"}') == ("empty", "/previous_id")
    assert problem('{"event_type": "alias", "previousId": 7, "user_id": "ana"}') == ("wrong_type", "/previousId")


def test_what_an_alias_or_another_type_says_beside_that_is_kept() -> None:
    alias = read_fields(type="alias", previousId="anna", user_id="ana", anonymous_id="v-1")
    other = read_fields(previousId="anna", user_id="ana")

    assert alias == SentActivity(None, ALIAS, user_id="ana", properties='{"anonymous_id":"v-1"}', anonymous_id="anna")
    assert other == SentActivity(None, "view", user_id="ana", properties='{"previousId":"anna"}')


# --- ids, users, clocks


def test_an_id_may_be_any_text_and_the_source_makes_it_another_one() -> None:
    reading = Reading()

    found = [read_activity({"type": "view", "id": "order 17", "source": s}, reading) for s in (None, "web", "web")]

    assert found[1] == found[2]
    assert [one.activity_id for one in found[:2]] == [id_of_text(None, "order 17"), id_of_text("web", "order 17")]
    assert {one.origin for one in found} == {'{"id":"order 17"}'}
    assert reading.sent_ids == {one.activity_id: "order 17" for one in found}


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_a_placeholder_is_no_user_and_is_counted(name: str) -> None:
    reading = Reading()

    found = read_activity({"type": "view", "user_id": name, "anonymous_id": name}, reading)

    assert (found.user_id, found.anonymous_id, reading.placeholders) == (None, None, {name: 2})


def test_which_users_are_none_is_told() -> None:
    names = Reading(FieldNames(no_users=frozenset({"0"})))

    assert read_activity({"type": "view", "user_id": "0"}, names).user_id is None
    assert read_activity({"type": "view", "user_id": "anonymous"}, names).user_id == "anonymous"


def sent_late(received_at: datetime | None = NOON, sent_at: datetime | None = None, **fields: Any) -> SentActivity:
    return read_activity({"type": "view", **fields}, Reading(received_at=received_at, sent_at=sent_at))


def test_a_clock_that_is_off_is_corrected_and_both_instants_are_kept() -> None:
    found = sent_late(time="2026-01-05 09:59:30", sentAt="2026-01-05T10:00:00Z")

    assert found.occurred_at == NOON - timedelta(seconds=30)
    assert json.loads(found.origin or "") == {
        "sent_at": "2026-01-05T10:00:00+00:00",
        "received_at": "2026-01-05T12:00:00+00:00",
        "occurred_at": "2026-01-05 09:59:30",
    }


def test_the_instant_at_which_all_was_sent_counts_for_each_record_that_has_none() -> None:
    early = NOON - timedelta(hours=2)

    assert sent_late(sent_at=early, time="2026-01-05T10:00:00Z").occurred_at == NOON
    assert sent_late(sent_at=early, time="2026-01-05T11:59:00Z", sentAt="2026-01-05T12:00:00Z").origin is None


def test_what_is_not_corrected_keeps_what_was_sent() -> None:
    late = sent_late(time="2026-01-05T11:00:00Z", sent_at=datetime(2099, 1, 1, tzinfo=UTC))

    assert late.occurred_at == NOON - timedelta(hours=1)
    assert set(json.loads(late.origin or "")) == {"sent_at", "received_at"}
    assert set(json.loads(sent_late(sentAt="2026-01-05T10:00:00Z").origin or "")) == {"sent_at", "received_at"}


def test_without_an_instant_of_ours_nothing_is_corrected() -> None:
    assert sent_late(None, time="2026-01-05T09:00:00Z", sentAt="2026-01-05T10:00:00Z").origin is None


# --- names that a configuration maps

MAPPED = FieldNames({"context.page.url": "properties.url", "what": "type", "who.id": "user_id", "time": "data"})


def test_mapped_names_and_paths_are_read_and_taken_out_of_what_is_left_over() -> None:
    reading, context = Reading(MAPPED), {"page": {"url": "/a"}, "ip": "::1"}
    record = {"what": "view", "who": {"id": "ana"}, "context": context, "time": {"value": 5}}

    found = read_activity(record, reading)

    assert (found.type, found.user_id, found.value) == ("view", "ana", Decimal(5))
    assert json.loads(found.properties or "") == {"value": 5, "url": "/a", "context": {"ip": "::1"}}
    assert list(reading.ignored) == ["context"]
    assert context == {"page": {"url": "/a"}, "ip": "::1"}


def test_a_mapped_name_is_told_as_it_was_sent() -> None:
    with pytest.raises(RefusedRecordError) as refused:
        read_activity({"what": "View", "who": {"id": 7}}, Reading(MAPPED))

    assert [each.pointer for each in refused.value.problems] == ["/what", "/who/id"]


def test_a_mapped_name_and_ours_that_differ_are_ambiguous() -> None:
    with pytest.raises(RefusedRecordError, match="type and what are two names"):
        read_activity({"what": "view", "type": "buy"}, Reading(MAPPED))


# --- what is refused


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ('"x": 1', "missing_field", "/type"),
        ('"type": null', "wrong_type", "/type"),
        ('"event_type": 5', "wrong_type", "/event_type"),
        ('"type": "View"', "invalid_type", "/type"),
        ('"type": ""', "invalid_type", "/type"),
        ('"type": "view\\n"', "invalid_type", "/type"),
        ('"type": "dau"', "reserved_type", "/type"),
        ('"event_type": "top-events"', "reserved_type", "/event_type"),
        ('"type": "series"', "reserved_type", "/type"),
        ('"type": "funnel"', "reserved_type", "/type"),
        ('"type": "plans"', "reserved_type", "/type"),
        ('"type": "$identify"', "invalid_type", "/type"),
        ('"type": "alias", "user_id": "ana", "previous_id": {}', "wrong_type", "/previous_id"),
        (f'"type": "view", "id": "{"i" * 256}"', "invalid_id", "/id"),
        ('"type": "view", "messageId": "a\\u0000"', "invalid_id", "/messageId"),
        ('"type": "view", "event_id": 17', "wrong_type", "/event_id"),
        ('"type": "view", "id": ""', "invalid_id", "/id"),
        ('"type": "view", "occurred_at": "yesterday"', "invalid_date_time", "/occurred_at"),
        ('"type": "view", "timestamp": 20260105', "invalid_date_time", "/timestamp"),
        ('"type": "view", "timestamp": "202601051200"', "invalid_date_time", "/timestamp"),
        ('"type": "view", "time": -1767614400', "invalid_date_time", "/time"),
        ('"type": "view", "ts": true', "wrong_type", "/ts"),
        ('"type": "view", "ts": "2026-01-05"', "invalid_date_time", "/ts"),
        ('"type": "view", "sentAt": "now"', "invalid_date_time", "/sentAt"),
        ('"type": "view", "time": 1767614400, "timestamp": "2026-01-05T12:00:01Z"', "ambiguous_field", "/timestamp"),
        ('"type": "view", "time": 1767614400, "timestamp": "soon"', "ambiguous_field", "/timestamp"),
        ('"type": "view", "id": "a", "messageId": "b"', "ambiguous_field", "/messageId"),
        ('"messageId": "a", "type": "view", "id": 7', "ambiguous_field", "/messageId"),
        ('"type": "view", "timestamp": "2026-02-30T00:00:00Z"', "invalid_date_time", "/timestamp"),
        ('"type": "view", "timestamp": "0001-01-01T00:00:00+14:00"', "invalid_date_time", "/timestamp"),
        ('"type": "view", "timestamp": "2026-01-05T12:00:00Z\\n"', "invalid_date_time", "/timestamp"),
        ('"type": "view", "source": ""', "empty", "/source"),
        ('"type": "view", "source": 7', "wrong_type", "/source"),
        (f'"type": "view", "source": "{"s" * 256}"', "too_long", "/source"),
        ('"type": "view", "source": "a\\u0000"', "control_character", "/source"),
        ('"type": "view", "user_id": ""', "empty", "/user_id"),
        ('"type": "view", "user_id": 17', "wrong_type", "/user_id"),
        ('"type": "view", "user_id": {}', "wrong_type", "/user_id"),
        (f'"type": "view", "user_id": "{"u" * 256}"', "too_long", "/user_id"),
        ('"type": "view", "user_id": "a\\u0085"', "control_character", "/user_id"),
        ('"type": "view", "value": true', "wrong_type", "/value"),
        ('"type": "view", "value": "12"', "wrong_type", "/value"),
        ('"type": "view", "value": [1]', "wrong_type", "/value"),
        ('"type": "view", "value": 1000000000000000000', "value_out_of_range", "/value"),
        ('"type": "view", "value": 1e18', "value_out_of_range", "/value"),
        ('"type": "view", "value": 1e-25', "value_out_of_range", "/value"),
        ('"type": "view", "data": {"value": "high"}', "wrong_type", "/data/value"),
        ('"type": "view", "data": {"value": false}', "wrong_type", "/data/value"),
        ('"type": "view", "properties": []', "wrong_type", "/properties"),
        ('"type": "view", "data": "x"', "wrong_type", "/data"),
        ('"type": "view", "event_type": "buy"', "ambiguous_field", "/event_type"),
        ('"type": "view", "properties": {"a": 1}, "data": {"a": true}', "ambiguous_field", "/data"),
        ('"type": "view", "properties": {"a": 1.0}, "data": {"a": 1}', "ambiguous_field", "/data"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named_as_it_was_sent(fields: str, code: str, pointer: str) -> None:
    assert problem(f"{{{fields}}}") == (code, pointer)


@pytest.mark.parametrize(
    "fields",
    [
        {"time": 1767614400, "timestamp": "2026-01-05T12:00:00Z", "occurred_at": "2026-01-05 14:00:00+02"},
        {"id": ID.upper(), "messageId": f"{{{ID}}}"},
        {"event_type": None, "event": "view"},
    ],
)
def test_two_names_that_say_the_same_in_other_words_are_no_riddle(fields: dict[str, Any]) -> None:
    read_fields(**fields)


def test_two_names_that_say_the_same_are_no_riddle() -> None:
    found = read(
        f'{{"type": "view", "event_type": "view", "id": "{ID}", "event_id": "{ID}",'
        '"properties": {"a": 1, "b": 2}, "data": {"b": 2, "a": 1}}'
    )

    assert (found.activity_id, found.properties) == (UUID(ID), '{"a":1,"b":2}')


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            '"event_type": "Buy!"',
            f"event_type: expected {EXPECTED['type']}, found 'Buy!'",
        ),
        ('"type": "dau"', "type: 'dau' is the name of a question to the stats; choose another one"),
        (
            '"type": "view", "data": {"value": "12"}',
            "data.value: expected a number below 10^18 with at most 24 digits after the point, found '12'",
        ),
        ('"type": "view", "id": true', f"id: expected {EXPECTED['id']}, found true"),
        (
            '"type": "view", "timestamp": 1.5',
            f"timestamp: expected {EXPECTED['occurred_at']}, found the number 1.5",
        ),
        (
            f'"type": "view", "user_id": "{"u" * 256}"',
            f"user_id: expected {EXPECTED['user_id']}, found a string of 256 characters",
        ),
    ],
)
def test_a_message_is_one_sentence_with_what_was_expected_and_found(fields: str, message: str) -> None:
    (only,) = problems(f"{{{fields}}}")

    assert only.message == message


def test_every_field_that_breaks_a_rule_is_told_once() -> None:
    found = problems('{"id": 5, "event_type": "X", "user_id": "", "value": true, "data": 7}')

    assert [(each.code, each.pointer) for each in found] == [
        ("wrong_type", "/id"),
        ("invalid_type", "/event_type"),
        ("empty", "/user_id"),
        ("wrong_type", "/value"),
        ("wrong_type", "/data"),
    ]


# --- JSON that parsers do not agree on


def nested(levels: int) -> str:
    """Build a record with so many levels, itself included."""
    return '{"type": "view", "properties": ' + '{"a":' * (levels - 2) + "{}" + "}" * (levels - 1)


@pytest.mark.parametrize(
    ("text", "code", "pointer"),
    [
        ('{"type": "view", "value": NaN}', "not_finite", "/value"),
        ('{"type": "view", "data": {"a/b": [1, -Infinity]}}', "not_finite", "/data/a~1b/1"),
        ('{"type": "view", "value": 1e999}', "huge_number", "/value"),
        ('{"type": "view", "data": {"x": -1e400}}', "huge_number", "/data/x"),
        ('{"type": "view", "data": {"x": 1e-99999999999999999999}}', "huge_number", "/data/x"),
        ('{"type": "view", "data": {"x": 18446744073709551616}}', "huge_number", "/data/x"),
        ('{"type": "view", "data": {"x": -9223372036854775809}}', "huge_number", "/data/x"),
        ('{"type": "view", "other": [123456789012345678901234567890]}', "huge_number", "/other/0"),
        ('{"type": "view", "x": ' + "9" * 10_000 + "}", "huge_number", "/x"),
        (nested(33), "too_deep", "/properties" + "/a" * 31),
        ('{"type": "view", "x": ' + "[" * 33 + "]" * 33 + "}", "too_deep", "/x" + "/0" * 31),
        ('{"x": ' + "[" * 20_000 + "]" * 20_000 + "}", "too_deep", ""),
        ('{"type": "view", "user_id": "\\ud800"}', "lone_surrogate", "/user_id"),
        ('{"type": "view", "data": {"x": ["\\udc00\\ud83d"]}}', "lone_surrogate", "/data/x/0"),
        ('{"type": "view", "data": {"\\ud800": 1}}', "lone_surrogate", "/data"),
        ('{"type": "view", "data": {"\\ud800": NaN}}', "lone_surrogate", "/data"),
        ('{"type": "view", "type": "view"}', "duplicate_key", "/type"),
        ('{"type": "view", "data": {"a": [{"b": 1, "b": 2}]}}', "duplicate_key", "/data/a/0/b"),
        ('{"type": "view", "t\\u0079pe": "buy"}', "duplicate_key", "/type"),
        ('{"type": "view", "data": {"a": 1, "\\u0061": 1}}', "duplicate_key", "/data/a"),
        ('{"type": "view", "a:": 1, "a\\u003a": 1}', "duplicate_key", "/a:"),
        ('{"type": "view", "a": "", "a": "\\u003a"}', "duplicate_key", "/a"),
        ('[{"type": "view"}]', "not_an_object", ""),
        ("null", "not_an_object", ""),
        ("1.5", "not_an_object", ""),
        ('{"type": "' + "a" * LARGEST_ACTIVITY + '"}', "too_large", ""),
    ],
    ids=lambda given: given[:40] if isinstance(given, str) else None,
)
def test_what_receivers_would_read_differently_is_refused_with_its_place(text: str, code: str, pointer: str) -> None:
    assert problem(text) == (code, pointer)


def test_bytes_that_are_no_text_are_refused() -> None:
    assert problem(b'{"type": "view", "user_id": "\xff"}') == ("invalid_utf8", "")
    assert problem(b'{"type": "view", "user_id": "\xed\xa0\x80"}') == ("invalid_utf8", "")


@pytest.mark.parametrize(
    "text",
    [
        nested(32),
        '{"type": "view", "properties": {"l": [' + ",".join(["[]"] * 100) + "]}}",
        '{"type": "view", "user_id": "\\ud83d\\ude00"}',
        '{"type": "view", "user_id": "\\\\ud800"}',
        '{"type": "view", "data": {"a": {"x": 1}, "b": {"x": 1}}}',
        '{"type": "view", "data": {"url": "https://x:80/?a:b", "k:": "\\u003a"}}',
        '{"type": "view", "data": {"x": -9223372036854775808, "y": 18446744073709551615, "z": 1.7e308}}',
        '{"type": "view", "user_id": "12345678901234567890123"}',
        '{"type": "view", "user_id": "NaN"}',
    ],
    ids=lambda text: text[:60],
)
def test_what_only_looks_like_it_is_taken(text: str) -> None:
    assert read(text).type == "view"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "byte 0"),
        ('{"type": "view"', "byte 15"),
        ('{"type": "view",}', "byte 1"),
        ('{"é": 01}', "byte 8"),
        ("{'type': 1}", "byte 1"),
        ('{"type": "a\tb"}', "byte 11"),
        ('{"type": "\\x"}', "byte 10"),
        ('{"type": "view"} x', "byte 17"),
    ],
)
def test_what_is_no_json_is_told_by_its_place(text: str, place: str) -> None:
    with pytest.raises(NotJsonError, match=place):
        parse_record(text.encode())


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), json_values), st.booleans())
def test_every_other_record_is_read_as_python_reads_it(record: dict[str, Any], ascii_only: bool) -> None:
    text = json.dumps(record, ensure_ascii=ascii_only).encode()

    assert json.loads(text, parse_float=Decimal) == parse_record(text)


@settings(max_examples=50)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_nothing_that_is_sent_raises_anything_else(sent: bytes) -> None:
    with suppress(RefusedRecordError, NotJsonError):
        read_activity(parse_record(sent), Reading())


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "event_id",
                "type",
                "event_type",
                "source",
                "occurred_at",
                "timestamp",
                "user_id",
                "value",
                "properties",
                "data",
            ]
        ),
        json_values,
    )
)
def test_no_field_raises_anything_else_and_each_problem_points_at_what_was_sent(record: dict[str, Any]) -> None:
    try:
        read_activity(parse_record(json.dumps(record).encode()), Reading())
    except RefusedRecordError as error:
        for each in error.problems:
            assert each.code == "missing_field" or points_into(record, each.pointer)
    except NotJsonError as error:
        pytest.fail(str(error))


def points_into(record: Any, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        record = record[int(step) if isinstance(record, list) else step]
    return True


# --- the words


@pytest.mark.parametrize(
    ("record", "field", "place"),
    [
        ({"value": 1, "data": {"value": 2}}, "value", ("value",)),
        ({"data": {"value": 2}}, "value", ("data", "value")),
        ({"data": {"value": None}}, "value", ("value",)),
        ({"event_type": "a"}, "type", ("event_type",)),
        ({"type": None, "event_type": "a"}, "type", ("event_type",)),
        ({}, "type", ("type",)),
    ],
)
def test_the_place_of_a_field_is_the_name_that_was_used(record: dict[str, Any], field: str, place: Any) -> None:
    assert FieldNames().place_of(record, field) == place


def test_pointers_are_written_as_rfc_6901_has_it() -> None:
    assert pointer_to([]) == ""
    assert pointer_to(["a/b", "m~n", 0, ""]) == "/a~1b/m~0n/0/"
    assert pointer_to(["\ud800"]) == "/?"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("a\n", r"'a\n'"),
        ("a" * 65, "a string of 65 characters"),
        ({}, "an object"),
        ([], "an array"),
        (Decimal("1.50"), "the number 1.50"),
        (10**70, "a number of 71 characters"),
    ],
)
def test_what_was_found_is_quoted_unless_it_is_long(value: Any, words: str) -> None:
    assert shown(value) == words
