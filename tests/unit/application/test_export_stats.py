"""The figures of days are taken out day by day."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.application.export_stats import TYPES, DayFigure, ExportStats
from app.application.read_stats import FromAfterToError
from tests.fakes.activity_store import MemoryActivityStore
from tests.support.builders import an_activity
from tests.support.fixed_clock import FixedClock

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIRST, SECOND = date(2026, 1, 3), date(2026, 1, 5)


@pytest.fixture
def store() -> MemoryActivityStore:
    return MemoryActivityStore(UTC)


def figures_of(store: MemoryActivityStore) -> ExportStats:
    return ExportStats(store, store, FixedClock(NOON), UTC)


async def test_a_day_has_its_users_and_then_its_types(store: MemoryActivityStore) -> None:
    await store.store(
        [
            an_activity(1, type_="view", at=NOON, user="ana"),
            an_activity(2, type_="buy", at=NOON, user="bob", value="12.50"),
            an_activity(3, type_="view", at=NOON.replace(day=3), user=None),
        ]
    )

    found = [figure async for some in figures_of(store)() for figure in some]

    assert found == [
        DayFigure(FIRST, None, None, None, 0),
        DayFigure(FIRST, "view", 1, Decimal(), None),
        DayFigure(SECOND, None, None, None, 2),
        DayFigure(SECOND, "buy", 1, Decimal("12.50"), None),
        DayFigure(SECOND, "view", 1, Decimal(), None),
    ]
    assert [one async for one in figures_of(store)(FIRST, FIRST)] == [found[:2]]


async def test_all_types_of_a_day_are_there(store: MemoryActivityStore) -> None:
    await store.store([an_activity(number + 1, type_=f"t{number}", at=NOON) for number in range(TYPES + 1)])

    found = [figure.type or "" async for some in figures_of(store)() for figure in some]

    assert sorted(found[1:]) == sorted(f"t{number}" for number in range(TYPES + 1))


async def test_a_range_that_ends_before_it_begins_is_refused(store: MemoryActivityStore) -> None:
    with pytest.raises(FromAfterToError):
        await anext(figures_of(store)(SECOND, FIRST))
