"""Columns are folded as the same activities are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import fold_columns
from app.domain.stats import fold

NOON = datetime(2026, 10, 25, 12, tzinfo=UTC)
MONROVIA = ZoneInfo("Africa/Monrovia")
"""Its days began at 00:44:30 UTC until 1972."""
activities = st.builds(
    Activity,
    st.uuids(),
    st.sampled_from(["view", "buy", "$identify"]) | st.just("view"),
    st.sampled_from([0, 0, 0, 1, 59, 61, 60 * 13, 60 * 36, -60 * 30]).map(lambda m: NOON + timedelta(minutes=m)),
    st.none(),
    st.none() | st.sampled_from(["ana", "bob", "cem"]),
    st.none() | st.decimals(-100, 100, places=2),
    st.none(),
    st.none() | st.just("v-1"),
)


@given(
    sent=st.lists(activities, max_size=6),
    zone=st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati")]),
)
def test_the_fold_of_columns_is_that_of_activities(sent: list[Activity], zone: ZoneInfo) -> None:
    assert fold_columns(ActivityColumns.of(sent), zone) == fold(sent, zone)


@pytest.mark.parametrize(
    "begins", [datetime(1971, 6, 1, 0, 44, 29, 999_999, UTC), datetime(1972, 1, 7, 0, 20, tzinfo=UTC)]
)
@pytest.mark.parametrize("later", [timedelta(), timedelta(microseconds=1), timedelta(minutes=30)])
def test_days_begin_when_they_do(begins: datetime, later: timedelta) -> None:
    sent = [Activity(UUID(int=n), "view", at, None, "ana", Decimal(n)) for n, at in enumerate((begins, begins + later))]

    assert fold_columns(ActivityColumns.of(sent), MONROVIA) == fold(sent, MONROVIA)


def test_activities_at_one_time_share_the_set_of_their_day() -> None:
    sent = [Activity(UUID(int=n), "view", NOON, None, f"user-{n}") for n in range(3)]

    days = list(fold_columns(ActivityColumns.of(sent), UTC).days.values())

    assert days[0] is days[1] is days[2]
