"""From dates and date-times to a span, both bounds included."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.activity_spans import ActivitySpan, span_of
from app.domain.errors import ListEndsBeforeItStartsError

MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def test_a_date_is_the_whole_day_in_the_zone() -> None:
    span = span_of(date(2026, 1, 5), date(2026, 1, 5), MADRID)

    assert span == ActivitySpan(datetime(2026, 1, 4, 23, tzinfo=UTC), datetime(2026, 1, 5, 23, tzinfo=UTC))
    assert span.holds(NOON)


def test_an_instant_is_included_at_both_ends() -> None:
    span = span_of(NOON, NOON, MADRID)

    assert [span.holds(NOON + MICROSECOND * step) for step in (-1, 0, 1)] == [False, True, False]


def test_without_bounds_everything_is_in_it() -> None:
    assert span_of(None, None, UTC) == ActivitySpan()
    assert ActivitySpan().holds(NOON)


def test_a_bound_at_the_end_of_the_calendar_leaves_the_side_open() -> None:
    assert span_of(None, date.max, UTC).ends is None
    assert span_of(None, datetime.max.replace(tzinfo=UTC), UTC).ends is None


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ListEndsBeforeItStartsError, match="2026-01-06"):
        span_of(date(2026, 1, 6), date(2026, 1, 5), UTC)
