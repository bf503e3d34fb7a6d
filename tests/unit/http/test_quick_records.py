"""What is read at once is what most clients send; what is not as simple is left to the one who knows all."""

import json
from dataclasses import fields
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.inbound.intake.quick_records import read_one_quickly, read_quickly
from app.application.record_activities import SentColumns
from app.domain.activities import LARGEST_ACTIVITY

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
USUAL: dict[str, Any] = {
    "id": ID,
    "type": "view",
    "occurred_at": "2026-01-05T12:00:00Z",
    "source": "web",
    "user_id": "u-17",
    "value": 12.5,
    "properties": {"page": "/plans/291", "tags": ["a", {"b": 0.10}]},
    "anonymous_id": "v-1",
}


def test_a_usual_record_becomes_columns() -> None:
    found = read_quickly(json.dumps([USUAL, USUAL | {"type": "buy", "value": None}]).encode())

    assert found is not None
    columns = found.columns
    assert (found.ids, columns.ids) == ((ID, ID), UUID(ID).bytes * 2)
    assert (columns.types, columns.values) == (("view", "buy"), [Decimal("12.5"), None])
    assert columns.occurred_at == [1767614400000000] * 2
    assert (columns.sources, columns.user_ids, columns.anonymous_ids) == (["web"] * 2, ["u-17"] * 2, ["v-1"] * 2)
    assert columns.properties == ['{"page":"/plans/291","tags":["a",{"b":0.1}]}'] * 2


def test_what_all_left_out_is_left_out() -> None:
    found = read_quickly(b'[{"type":"view"},{"type":"view"}]')

    assert found is not None
    assert (found.ids, found.columns.ids, found.columns.occurred_at) == (None, None, None)
    assert found.columns.user_ids == found.columns.values == found.columns.properties == [None, None]


def test_line_separators_in_properties_part_no_records() -> None:
    odd = "a\u2028b\x0bc\nd\x85e"

    found = read_quickly(json.dumps([{"type": "view", "properties": {"a": odd}}] * 2, ensure_ascii=False).encode())

    assert found is not None
    assert [json.loads(one or "") for one in found.columns.properties] == [{"a": odd}] * 2


ODD_VALUES: dict[str, list[Any]] = {
    "id": [ID, ID.upper(), ID[:-1], "7", None, 7],
    "type": ["view", "View", "plans", "alias", 7],
    "occurred_at": ["2026-01-05 12:00:00", "2026-01-05T12:00:00.123Z", "2026-02-30T12:00:00Z", None, 1767614400],
    "source": ["web", "", "s" * 256, "\x85", None, 7],
    "user_id": ["u-17", "null", "a\nb", "ñ", None, 7],
    "value": [12.5, 0, -3, "1", None, 1e300, True],
    "properties": [{}, {"a": 1}, {"a": 2**70}, {"a": {"b": [None]}}, None, [], {"a": "\ud800"}],
    "anonymous_id": ["v-1", "undefined", None],
    "more": [1],
}


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(ODD_VALUES["type"])},
        optional={name: st.sampled_from(values) for name, values in ODD_VALUES.items() if name != "type"},
    )
)
def test_one_record_is_read_as_an_array_of_it(record: dict[str, Any]) -> None:
    sent = json.dumps(record).encode()

    alone, listed = read_one_quickly(sent), read_quickly(b"[%b]" % sent)

    assert (alone is None) == (listed is None)
    if alone is not None and listed is not None:
        columns, others = (
            [field if isinstance(field, bytes | None) else list(field) for field in astuple_of(found.columns)]
            for found in (alone, listed)
        )
        assert (columns, alone.ids) == (others, listed.ids)


def astuple_of(columns: SentColumns) -> list[Any]:
    return [getattr(columns, field.name) for field in fields(columns)]


def text(**changes: Any) -> bytes:
    return json.dumps([USUAL | changes, USUAL]).encode()


@pytest.mark.parametrize(
    "unusual",
    [
        b"[]",
        b"[",
        b'[{"type":"view","type":"view"}]',
        b'[{"type":"view","properties":{"a":1,"a":1}}]',
        b'[{"type":"view","properties":{"a":123456789012345678901}}]',
        b'[{"type":"view","properties":' + b'{"a":' * 40 + b"1" + b"}" * 41 + b"]",
        b'[{"type":"view","properties":{"\\u003a":1}}]',
        b'[{"type":"view","value":-0}]',
        b'[{"type":"view","value":"1"}]',
        b'[{"type":"view","value":1e3}]',
        b'[{"type":"view"}]' + b" " * LARGEST_ACTIVITY,
        text(more=1),
        text(id=None),
        text(id=ID.upper()),
        text(id=ID[:-1] + "g"),
        text(id=ID[:-2] + " 7"),
        text(id=ID[1:]) + b" ",
        text(id=ID.replace("-", "") + "----"),
        text(type="plans"),
        text(type="alias"),
        text(type="View"),
        text(occurred_at=None),
        text(occurred_at=1767614400),
        text(occurred_at="2026-01-05T12:00:00+02:00"),
        text(occurred_at="2026-02-30T12:00:00Z"),
        text(source=""),
        text(source="s" * 256),
        text(user_id="a\nb"),
        text(user_id=7),
        text(properties=[]),
    ],
    ids=lambda sent: str(sent[:60]),
)
def test_what_is_not_usual_is_left_to_others(unusual: bytes) -> None:
    assert read_quickly(unusual) is None
