"""Who may ask which funnel, and for how long it is read."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from app.application.ask_funnel import AskFunnel, FunnelBusyError, FunnelTooSlowError
from app.application.ports.funnels import ActivitiesGoneError, WantedInstants
from app.application.read_stats import FromAfterToError
from app.domain.funnels import Funnel, FunnelEvidence, FunnelStep
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.funnel_instants import MemoryFunnelInstants
from tests.support.builders import an_activity
from tests.support.fixed_clock import FixedClock

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


class HeldInstants(MemoryFunnelInstants):
    """Answers when it is let."""

    def __init__(self, store: MemoryActivityStore) -> None:
        super().__init__(store)
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def evidence(self, wanted: WantedInstants, go_on: Callable[[], None]) -> FunnelEvidence:
        if wanted.raw:
            self.begun.set()
            await self.let.wait()
        return await super().evidence(wanted, go_on)


@pytest.fixture
def store() -> MemoryActivityStore:
    return MemoryActivityStore(UTC)


async def test_users_count_for_each_step_up_to_the_furthest_they_reached(store: MemoryActivityStore) -> None:
    await store.store(
        [
            an_activity(1, type_="view", at=NOON, user="ana"),
            an_activity(2, type_="purchase", at=NOON + timedelta(hours=1), user="ana"),
            an_activity(3, type_="view", at=NOON, user="bob"),
        ]
    )
    ask = AskFunnel(MemoryFunnelInstants(store), FixedClock(NOON), UTC)

    found = await ask(Funnel(["view", "purchase"], WEEK))

    assert found == [FunnelStep(1, "view", 2), FunnelStep(2, "purchase", 1)]


async def test_a_range_that_ends_before_it_begins_is_refused(store: MemoryActivityStore) -> None:
    ask = AskFunnel(MemoryFunnelInstants(store), FixedClock(NOON), UTC)

    with pytest.raises(FromAfterToError):
        await ask(Funnel(["view"], WEEK), date(2026, 1, 2), date(2026, 1, 1))


async def test_types_that_are_not_kept_are_read_for_one_question_at_a_time(store: MemoryActivityStore) -> None:
    await store.store([an_activity(1, type_="share", at=NOON)])
    instants = HeldInstants(store)
    ask = AskFunnel(instants, FixedClock(NOON), UTC)
    first = asyncio.create_task(ask(Funnel(["share"], WEEK)))
    await instants.begun.wait()

    with pytest.raises(FunnelBusyError, match="the instants of share, search kept"):
        await ask(Funnel(["share", "search", "share"], WEEK))
    assert await ask(Funnel(["view"], WEEK)) == [FunnelStep(1, "view", 0)]

    instants.let.set()
    assert await first == [FunnelStep(1, "share", 1)]
    assert await ask(Funnel(["share"], WEEK)) == [FunnelStep(1, "share", 1)]


async def test_reading_them_has_an_end(store: MemoryActivityStore) -> None:
    ask = AskFunnel(MemoryFunnelInstants(store), FixedClock(NOON), UTC, seconds=-1)

    with pytest.raises(FunnelTooSlowError, match="reading share from single activities took more than -1 s"):
        await ask(Funnel(["view", "share"], WEEK))


async def test_days_whose_activities_have_left_are_refused(store: MemoryActivityStore) -> None:
    await store.store([an_activity(1, type_="share", at=NOON)])
    await store.remove_some(date(2026, 1, 6))
    ask = AskFunnel(MemoryFunnelInstants(store), FixedClock(NOON), UTC)

    with pytest.raises(ActivitiesGoneError):
        await ask(Funnel(["share"], WEEK))
