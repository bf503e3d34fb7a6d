"""What DaySums promises, over memory, SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from app.domain.stats import day_number
from tests.support.activity_backends import ActivityBackend
from tests.support.builders import an_activity

FIRST, LAST = date(2025, 3, 28), date(2025, 4, 2)
MADRID = ZoneInfo("Europe/Madrid")
"""Its clocks went forward on 2025-03-30."""


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


async def test_days_have_counts_and_exact_sums_in_the_zone_of_the_stats(backend: ActivityBackend) -> None:
    begin = datetime(2025, 3, 27, 12, tzinfo=UTC)
    at = [begin + timedelta(minutes=37 * number) for number in range(300)]
    values = [None if number % 3 else f"{number}.0{number % 10}" for number in range(300)]
    types = [("purchase", "view", "click")[number % 7 % 3] for number in range(300)]
    activities = [
        an_activity(number, at=at[number], type_=types[number], value=values[number]) for number in range(300)
    ]
    await backend.store(MADRID).store(activities)

    found = await backend.day_sums().of_types(["purchase", "view"], FIRST, LAST)

    expected: dict[tuple[int, str], list[Decimal]] = {}
    for activity in activities:
        day = activity.occurred_at.astimezone(MADRID).date()
        if FIRST <= day <= LAST and activity.type != "click":
            expected.setdefault((day_number(day), activity.type), []).append(activity.value or Decimal())
    assert found == {key: (len(values), sum(values)) for key, values in expected.items()}


async def test_sums_keep_all_their_digits(backend: ActivityBackend) -> None:
    values = ["123456789012.12345678", "0.00000001", "-5"]
    await backend.store().store([an_activity(number, value=value) for number, value in enumerate(values)])

    (found,) = (await backend.day_sums().of_types(["view"], date(2026, 1, 5), date(2026, 1, 5))).values()

    assert found == (3, Decimal("123456789007.12345679"))


async def test_nothing_is_found_of_no_type_of_another_one_or_of_other_days(backend: ActivityBackend) -> None:
    await backend.store().store([an_activity()])
    sums = backend.day_sums()

    assert not await sums.of_types([], date(2026, 1, 1), date(2026, 1, 9))
    assert not await sums.of_types(["click"], date(2026, 1, 1), date(2026, 1, 9))
    assert not await sums.of_types(["view"], date(2026, 1, 6), date(2026, 1, 9))
