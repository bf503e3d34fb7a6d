"""When something occurred by our clock, where the sender's is off."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import EARLIEST
from app.domain.sender_clocks import LONGEST_WAIT, OFF_BY, is_off, right_instant

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
instants = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    "off", [timedelta(hours=-3), timedelta(seconds=60), timedelta(days=365), timedelta(days=-9000)]
)
def test_a_clock_that_is_off_is_corrected_by_what_it_is_off(off: timedelta) -> None:
    waited = timedelta(minutes=5)

    assert right_instant(NOON + off - waited, NOON + off, NOON) == NOON - waited


def test_a_difference_below_a_minute_changes_nothing() -> None:
    sent_at = NOON - timedelta(seconds=59, microseconds=999_999)

    assert not is_off(sent_at, NOON)
    assert right_instant(sent_at, sent_at, NOON) == sent_at


@pytest.mark.parametrize(
    ("occurred_at", "sent_at"),
    [
        (NOON, EARLIEST),  # a clock that was right, and a sending by one that begins in 1970
        (NOON - timedelta(hours=1), datetime(2200, 1, 1, tzinfo=UTC)),
        (NOON - LONGEST_WAIT - timedelta(hours=1), NOON - timedelta(minutes=2)),  # a history that is sent late
        (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_instants_that_cannot_be_by_one_running_clock_stay(occurred_at: datetime, sent_at: datetime) -> None:
    assert right_instant(occurred_at, sent_at, NOON) == occurred_at


def test_what_occurred_a_moment_after_it_was_sent_by_rounding_occurred_when_it_was_received() -> None:
    sent_at = NOON - timedelta(hours=2)

    assert right_instant(sent_at + timedelta(milliseconds=900), sent_at, NOON) == NOON


def test_nothing_is_moved_before_1970() -> None:
    received_at = EARLIEST + timedelta(days=1)
    sent_at, occurred_at = received_at + timedelta(days=9), received_at - timedelta(days=3)

    assert right_instant(occurred_at, sent_at, received_at) == occurred_at


@given(instants, instants, instants.filter(lambda at: at >= EARLIEST))
def test_no_correction_leaves_the_time_between_the_longest_wait_and_the_receipt(
    occurred_at: datetime, sent_at: datetime, received_at: datetime
) -> None:
    found = right_instant(occurred_at, sent_at, received_at)

    assert found == occurred_at or received_at - LONGEST_WAIT <= found <= received_at


@given(instants, st.timedeltas(timedelta(), LONGEST_WAIT), st.timedeltas(OFF_BY, timedelta(days=1000)))
def test_two_that_waited_differently_keep_their_order(at: datetime, waited: timedelta, off: timedelta) -> None:
    received_at = max(at, EARLIEST + LONGEST_WAIT + timedelta(days=1001))
    received_at = min(received_at, datetime(9000, 1, 1, tzinfo=UTC))
    sent_at = received_at - off

    assert right_instant(sent_at - waited, sent_at, received_at) <= right_instant(sent_at, sent_at, received_at)
