"""Plans are ranked by what visitors do with them, under the titles of the catalog."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.application.read_plan_stats import FEWEST_VIEWS, PlanByDay, PlansByFigures, WhatSells
from app.application.read_stats import FromAfterToError
from app.domain.activities import Activity
from app.domain.plan_totals import PlanOrder
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.fakes.store import MemoryStore
from tests.support.builders import a_change, a_plan
from tests.support.fixed_clock import FixedClock
from tests.support.journal_world import JournalWorld

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
KNOWN = a_plan()
SOLD, VIEWED, SELDOM = str(KNOWN.plan_id), str(UUID(int=2)), str(UUID(int=3))


def a_catalog(unavailable: str | None = None) -> MemoryPlanCatalog:
    """Know one of them."""
    shelves = MemoryStore()
    shelf = shelves.shelf("demo")
    shelf.plans[KNOWN.plan_id], shelf.known[KNOWN.plan_id] = KNOWN, a_change(KNOWN).known
    shelves.unavailable = unavailable
    return MemoryPlanCatalog(shelves)


@pytest.fixture
async def store() -> MemoryActivityStore:
    found = MemoryActivityStore(UTC)
    did = [("view", SOLD)] * 4 + [("purchase", SOLD)] * 2 + [("view", VIEWED)] * FEWEST_VIEWS
    did += [("view", SELDOM)] * (FEWEST_VIEWS - 1)
    await found.store(
        [
            Activity(UUID(int=n), type_, NOW, value=Decimal(n), properties=f'{{"plan_id":"{plan}"}}')
            for n, (type_, plan) in enumerate(did)
        ]
    )
    return found


async def test_plans_are_ranked_and_the_range_ends_today_by_default(store: MemoryActivityStore) -> None:
    plans = PlansByFigures(store, a_catalog(), MemoryPlanJournal(), FixedClock(NOW), UTC)

    by_views = await plans(None, None)
    by_purchases = await plans(date(2026, 1, 5), None, PlanOrder.PURCHASES, 1)
    by_conversion = await plans(None, date(2026, 1, 5), PlanOrder.CONVERSION)

    assert [one.figures.plan_id for one in by_views] == [VIEWED, SELDOM, SOLD]
    assert [(one.figures.plan_id, one.figures.sum, one.title) for one in by_purchases] == [
        (SOLD, Decimal(9), KNOWN.title)
    ]
    assert by_conversion[0].figures.conversion == 0.5
    assert await plans(date(2026, 1, 6), date(2026, 1, 7)) == []
    with pytest.raises(FromAfterToError):
        await plans(date(2026, 1, 6), None)


async def test_without_the_catalog_plans_have_the_titles_of_the_journal(store: MemoryActivityStore) -> None:
    world = JournalWorld()
    await world.sync_with(KNOWN)
    await world.journal_changes()

    found = await PlansByFigures(store, a_catalog("away"), world.plan_journal, FixedClock(NOW), UTC)(None, None)

    assert [one.title for one in found] == [None, None, KNOWN.title]


async def test_what_sells_is_told_from_what_is_only_looked_at(store: MemoryActivityStore) -> None:
    found = await WhatSells(PlansByFigures(store, a_catalog(), MemoryPlanJournal(), FixedClock(NOW), UTC))(None, None)

    assert [one.figures.plan_id for one in found.bought] == [SOLD]
    assert [one.figures.plan_id for one in found.only_viewed] == [VIEWED]


async def test_a_plan_has_every_day_of_a_range(store: MemoryActivityStore) -> None:
    found = await PlanByDay(store, FixedClock(NOW), UTC)(UUID(SOLD), NOW.date() - timedelta(days=1), None)

    assert [(day.date, day.views, day.purchases) for day in found] == [
        (date(2026, 1, 4), 0, 0),
        (date(2026, 1, 5), 4, 2),
    ]
