"""Columns are folded as the same activities are."""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import Fold, fold_columns
from app.domain.identities import ANONYMOUS
from app.domain.rollups import LocalClock, add
from app.domain.stats import day_number, today
from app.domain.user_days import days_with
from app.domain.usual_rollups import ROLLUPS

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


def fold(sent: list[Activity], zone: tzinfo) -> Fold:
    """Add them up one by one."""
    result = Fold()
    visits: dict[str, dict[str, set[int]]] = {}
    for activity in sent:
        if activity.type == "$identify":
            result.statements.append(activity)
            continue
        local = activity.occurred_at.astimezone(zone)
        into = local.minute * 60 + local.second
        hour = int(activity.occurred_at.timestamp()) - into
        day = day_number(today(activity.occurred_at, zone))
        value = activity.value or Decimal()
        for sums, key in ((result.totals, day), (result.sums.setdefault("hourly_totals", {}), hour)):
            count, sum_ = sums.get((key, activity.type), (0, Decimal()))
            sums[key, activity.type] = (count + 1, add(sum_, value))
        visitor = activity.user_id or (activity.anonymous_id and ANONYMOUS + activity.anonymous_id)
        if visitor:
            visits.setdefault(visitor, {}).setdefault(activity.type, set()).add(day)
    result.visits = {visitor: days_with(days) for visitor, days in visits.items()}
    return result


@given(
    sent=st.lists(activities, max_size=6),
    zone=st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati")]),
)
def test_the_fold_of_columns_is_that_of_activities(sent: list[Activity], zone: ZoneInfo) -> None:
    assert fold_columns(ActivityColumns.of(sent), LocalClock(zone), ROLLUPS) == fold(sent, zone)


@pytest.mark.parametrize(
    "begins", [datetime(1971, 6, 1, 0, 44, 29, 999_999, UTC), datetime(1972, 1, 7, 0, 20, tzinfo=UTC)]
)
@pytest.mark.parametrize("later", [timedelta(), timedelta(microseconds=1), timedelta(minutes=30)])
def test_days_begin_when_they_do(begins: datetime, later: timedelta) -> None:
    sent = [Activity(UUID(int=n), "view", at, None, "ana", Decimal(n)) for n, at in enumerate((begins, begins + later))]

    assert fold_columns(ActivityColumns.of(sent), LocalClock(MONROVIA), ROLLUPS) == fold(sent, MONROVIA)


def test_visitors_who_did_the_same_on_one_day_share_their_days() -> None:
    sent = [Activity(UUID(int=n), "view", NOON, None, f"user-{n}") for n in range(3)]

    days = list(fold_columns(ActivityColumns.of(sent), LocalClock(UTC)).visits.values())

    assert days[0] is days[1] is days[2]
