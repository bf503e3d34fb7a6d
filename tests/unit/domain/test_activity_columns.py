"""Activities as columns are the same activities."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns, ActivityIds, ids_of, instant_of, microseconds, types_of

AT = datetime(2026, 1, 5, 12, 0, 0, 7, UTC)
ONE = Activity(UUID(int=1), "view", AT)
OTHER = Activity(UUID(int=2), "buy", AT + timedelta(days=1), "web", "ana", Decimal("1.50"), '{"a":1}', "v-1", "{}")
texts = st.none() | st.sampled_from(["", "a", "zoë"])
some = st.builds(
    Activity,
    st.uuids(),
    st.sampled_from(["view", "buy"]),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - it wants them so
    texts,
    texts,
    st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    texts,
    texts,
    texts,
)


@given(activities=st.lists(some, max_size=5))
def test_what_is_laid_out_reads_as_before(activities: list[Activity]) -> None:
    columns = ActivityColumns.of(activities)

    assert list(columns) == activities
    assert columns == activities
    assert [columns[place] for place in range(len(columns))] == activities
    assert ids_of(columns) == ids_of(activities)
    assert list(types_of(columns)) == types_of(activities)


@given(parts=st.lists(st.lists(some, max_size=3), min_size=1, max_size=3))
def test_parts_are_joined_in_their_order(parts: list[list[Activity]]) -> None:
    joined = ActivityColumns.joined([ActivityColumns.of(part) for part in parts])

    assert joined == [activity for part in parts for activity in part]


@given(activities=st.lists(some, max_size=5), begin=st.integers(-6, 6), end=st.integers(-6, 6))
def test_a_slice_is_that_of_a_list(activities: list[Activity], begin: int, end: int) -> None:
    columns = ActivityColumns.of(activities)

    assert columns[begin:end] == activities[begin:end]
    assert ActivityIds(columns.ids)[begin:end] == [one.activity_id for one in activities[begin:end]]


def test_chosen_ones_stand_in_the_order_asked_for() -> None:
    assert ActivityColumns.of([ONE, OTHER, ONE]).chosen([2, 1]) == [ONE, OTHER]


def test_columns_are_not_laid_out_twice() -> None:
    columns = ActivityColumns.of([ONE])

    assert ActivityColumns.of(columns) is columns
    assert ActivityColumns.joined([columns]) is columns


def test_others_differ() -> None:
    columns = ActivityColumns.of([ONE, OTHER])

    assert columns != [OTHER, ONE]
    assert columns != [ONE]
    assert columns != 7
    assert ActivityIds(columns.ids) != ActivityIds(b"")


def test_there_is_none_behind_the_end() -> None:
    with pytest.raises(IndexError):
        ActivityColumns.of([ONE])[1]
    with pytest.raises(IndexError):
        ActivityIds(ONE.activity_id.bytes)[-2]


@given(instant=st.datetimes(timezones=st.just(UTC)))
def test_instants_are_kept_to_the_microsecond(instant: datetime) -> None:
    assert instant_of(microseconds(instant)) == instant


@given(activities=st.lists(some, max_size=4), again=st.lists(st.integers(0, 3), max_size=4))
def test_of_equal_ids_the_first_stays(activities: list[Activity], again: list[int]) -> None:
    more = [*activities, *(activities[place]._replace(type="again") for place in again if place < len(activities))]
    first = {one.activity_id: one for one in reversed(more)}

    kept = ActivityColumns.of(more).first_of_each_id()

    assert list(kept) == [one for one in more if first[one.activity_id] is one]
