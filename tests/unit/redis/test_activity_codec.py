"""Entries of activities in Redis, in the forms of now and of before."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from app.adapters.outbound.redis.activity_codec import UnreadableError, pack, pack_entry, unpack_entry
from app.domain.activities import Activity

AT = datetime(2026, 1, 5, 12, 0, 0, 7, UTC)
ONE = Activity(UUID(int=1), "view", AT)
OTHER = Activity(UUID(int=2), "buy", AT, "web", "ana", Decimal("1.50"), '{"a":1}', "v-1", '{"id":"x"}')
packed_as_before = msgspec.msgpack.Encoder(uuid_format="bytes").encode


@given(appends=st.lists(st.lists(st.sampled_from([ONE, OTHER]), min_size=1, max_size=4), min_size=1, max_size=4))
def test_what_is_packed_is_read_again(appends: list[list[Activity]]) -> None:
    entry = pack_entry([pack(append) for append in appends])

    assert unpack_entry(entry) == [activity for append in appends for activity in append]


@pytest.mark.parametrize("fields", [7, 9])
def test_entries_of_before_are_read(fields: int) -> None:
    rows = [[list(ONE)[:fields]], [list(OTHER)[:fields]]]
    expected = [ONE, OTHER._replace(anonymous_id=None, origin=None) if fields == 7 else OTHER]

    assert unpack_entry(b"\x01" + packed_as_before(rows)) == expected
    assert unpack_entry(b"\x02" + isal_zlib.compress(packed_as_before(rows), 1)) == expected


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"\x07",
        b"\x02no gzip",
        b"\x03" + packed_as_before([[b"\0" * 16, ["view"] * 2, 7, *[None] * 6]]),
        b"\x03" + packed_as_before([[b"\0" * 15, "view", 7, *[None] * 6]]),
        b"\x03" + packed_as_before([[b"\0" * 16, 7, 7, *[None] * 6]]),
    ],
)
def test_anything_else_is_unreadable(entry: bytes) -> None:
    with pytest.raises(UnreadableError):
        unpack_entry(entry)
