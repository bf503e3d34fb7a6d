"""Any order and any split of feeds gives the same catalog as the reference model."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.domain.plans import Plan, searchable
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import a_plan, a_zone
from tests.support.reference_catalog import ReferenceCatalog
from tests.support.scripted_provider import a_snapshot
from tests.support.sync_world import SyncWorld

EPOCH = datetime(2021, 6, 28, tzinfo=UTC)
PROVIDERS = ("one", "two")

items = st.builds(
    lambda item, hour, length, mode, title, capacity: (item, hour, length, mode, title, capacity),
    item=st.integers(0, 5),
    hour=st.integers(0, 71),
    length=st.sampled_from((0, 1, 7, 50)),
    mode=st.sampled_from(("online", "offline")),
    title=st.sampled_from(("a", "b")),
    capacity=st.integers(0, 1),
)
feeds = st.tuples(st.sampled_from(PROVIDERS), st.lists(items, max_size=6, unique_by=lambda item: item[0]))
hours = st.one_of(st.none(), st.integers(-1, 130))


def as_plan(provider: str, item: tuple[int, int, int, str, str, int]) -> Plan:
    number, hour, length, mode, title, capacity = item
    start = EPOCH + timedelta(hours=hour)
    return a_plan(
        number,
        base=number % 2,
        provider=provider,
        title=title,
        sell_mode=mode,
        starts=start.replace(tzinfo=None).isoformat(),
        ends=(start + timedelta(hours=length)).replace(tzinfo=None).isoformat(),
        zones=(a_zone(capacity=capacity), a_zone(price="5.00")),
    )


@settings(deadline=None, max_examples=150)
@given(
    said=st.lists(feeds, max_size=6),
    order=st.randoms(use_true_random=False),
    size=st.integers(1, 4),
    bounds=st.lists(st.tuples(hours, hours), max_size=4),
)
def test_the_catalog_says_what_the_reference_says(
    said: list[tuple[str, list[tuple[int, int, int, str, str, int]]]],
    order: "object",
    size: int,
    bounds: list[tuple[int | None, int | None]],
) -> None:
    async def check() -> None:
        first = SyncWorld(name="one")
        worlds = {"one": first, "two": SyncWorld(name="two", store=first.store)}
        reference = ReferenceCatalog()
        index = LiveIndex(RENDERING)
        for provider, items_said in said:
            plans = [as_plan(provider, item) for item in items_said]
            reference.apply(provider, plans)
            order.shuffle(plans)  # type: ignore[attr-defined] # a random.Random that Hypothesis controls
            worlds[provider].provider.says = a_snapshot(plans, size=size)
            await worlds[provider].sync(approve=True)  # the gate has its own tests
        for name, world in worlds.items():
            await index.load(world.log.searchable(name))
            shelf = world.store.shelf(name)
            expected = {id_: kept for id_, kept in reference.plans.items() if kept.plan.key.provider == name}
            assert shelf.plans == {plan_id: kept.plan for plan_id, kept in expected.items()}
            assert {plan_id: known.in_feed for plan_id, known in shelf.known.items()} == {
                plan_id: kept.in_feed for plan_id, kept in expected.items()
            }
        for low, high in [*bounds, (None, None)]:
            after, before = (None if hour is None else EPOCH + timedelta(hours=hour) for hour in (low, high))
            if after is None or before is None or after <= before:
                found = index.find(TimeWindow(after, before))
                assert found == [searchable(plan).summary for plan in reference.search(after, before)]

    asyncio.run(check())
