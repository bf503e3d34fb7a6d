"""Lists over the index say what a scan over all plans says, page by page, whatever moves meanwhile."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.packed_details import pack_details, unpack_details
from app.adapters.outbound.search_index.plan_list import STEP, IndexPlanList
from app.domain.plan_listing import Bound, ListPosition, ListWindow, Match, PlanFilter, PlanQuestion
from app.domain.plans import Place, PlanDetails, PlanStatus, SearchablePlan, searchable
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.plan_list import ScanningPlanList
from tests.support.builders import a_plan
from tests.support.search_index import tag_of

BEGIN = datetime(2021, 3, 27, tzinfo=UTC)
"""The day before clocks move in Europe."""
PROVIDERS = ["demo", "other"]
CATEGORIES = ["music", "art"]

texts = st.none() | st.sampled_from(["", "Ñandú", "x" * 50])
places = st.builds(
    Place, name=texts, city=texts, country=texts, latitude=st.none() | st.floats(-90, 90), longitude=st.none()
)
some_details = st.none() | st.builds(
    PlanDetails,
    status=st.sampled_from(PlanStatus),
    place=st.none() | places,
    url=texts,
    image=texts,
    category=st.none() | st.sampled_from(CATEGORIES),
    currency=st.none() | st.just("EUR"),
)
hours = st.sampled_from([0, 0, 1, 6, 7, 23, 24, 25, 47, 48, 49, 71, 72, 400])


@st.composite
def plans(draw: st.DrawFn) -> SearchablePlan:
    """Plans of all classes of duration, many at the same time, near midnights of many zones."""
    starts = (BEGIN + timedelta(hours=draw(hours), minutes=draw(st.sampled_from([0, 0, 30])))).replace(tzinfo=None)
    ends = draw(st.none() | st.builds(lambda length: starts + timedelta(hours=length), hours))
    plan = a_plan(
        draw(st.integers(0, 30)),
        provider=draw(st.sampled_from(PROVIDERS)),
        starts=starts.isoformat(),
        timezone=draw(st.sampled_from(["UTC", "Europe/Madrid", "Pacific/Kiritimati", "Etc/GMT+12"])),
        details=draw(some_details),
    )
    return searchable(replace(plan, ends=ends))


bounds: st.SearchStrategy[Bound | None] = st.one_of(
    st.none(),
    st.builds(lambda length: BEGIN + timedelta(hours=length), hours),
    st.builds(lambda length: (BEGIN + timedelta(hours=length)).astimezone(ZoneInfo("Asia/Kathmandu")), hours),
    st.builds(lambda days: (BEGIN + timedelta(days=days)).date(), st.integers(-1, 20)),
    st.just(date.min) | st.just(date.max),
)


@st.composite
def windows(draw: st.DrawFn) -> ListWindow:
    one, two, match = draw(bounds), draw(bounds), draw(st.sampled_from(Match))
    if one and two and isinstance(one, datetime) is isinstance(two, datetime) and one > two:
        one, two = two, one
    return ListWindow(begins=one, ends=two, match=match)


def sets_of(*values: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), max_size=2)


filters = st.builds(
    PlanFilter,
    providers=sets_of(*PROVIDERS),
    statuses=st.frozensets(st.sampled_from(PlanStatus), max_size=2),
    categories=sets_of(*CATEGORIES),
)


def an_index(held: list[SearchablePlan]) -> LiveIndex:
    index = LiveIndex(RENDERING)
    index.put(held)
    index.mark_ready()
    return index


async def all_pages(listed: IndexPlanList | ScanningPlanList, question: PlanQuestion) -> list[SearchablePlan]:
    found: list[SearchablePlan] = []
    after: ListPosition | None = None
    while True:
        page = await listed.page(replace(question, after=after))
        assert len(page.plans) <= question.limit
        found += page.plans
        if page.end is None:
            return found
        after = page.end


@given(
    st.lists(plans(), max_size=40),
    st.builds(PlanQuestion, window=windows(), filter=filters, descending=st.booleans(), limit=st.integers(1, 9)),
    st.sampled_from([2, 7, 10_000]),
)
def test_pages_together_are_what_a_linear_scan_finds(
    held: list[SearchablePlan], question: PlanQuestion, patience: int
) -> None:
    ours = IndexPlanList(an_index(held), RENDERING, patience)

    found = asyncio.run(all_pages(ours, question))

    assert found == asyncio.run(all_pages(ScanningPlanList(held), question))


@given(st.lists(plans(), max_size=40), st.tuples(hours, hours))
def test_inside_a_window_of_instants_is_what_search_finds(held: list[SearchablePlan], between: tuple[int, int]) -> None:
    begins, ends = (BEGIN + timedelta(hours=length) for length in sorted(between))
    index = an_index(held)
    question = PlanQuestion(window=ListWindow(begins=begins, ends=ends), limit=1000)

    found = asyncio.run(IndexPlanList(index, RENDERING).page(question)).plans

    assert [plan.summary for plan in found] == index.find(TimeWindow(begins, ends))


@given(st.lists(plans(), min_size=1, max_size=40), windows())
def test_what_is_inside_overlaps(held: list[SearchablePlan], window: ListWindow) -> None:
    wider = ListWindow(begins=window.begins, ends=window.ends, match=Match.OVERLAPPING)

    assert all(wider.holds(plan) for plan in held if window.holds(plan))


@given(
    st.lists(plans(), max_size=20),
    st.lists(st.lists(plans(), max_size=4), max_size=12),
    st.booleans(),
    st.integers(1, 4),
)
def test_plans_that_stay_are_told_once_and_in_order_whatever_others_do(
    held: list[SearchablePlan], changes: list[list[SearchablePlan]], descending: bool, limit: int
) -> None:
    moved = {plan.summary.plan_id for change in changes for plan in change}
    index = an_index(held)
    ours, told = IndexPlanList(index, RENDERING), list[SearchablePlan]()
    page = asyncio.run(ours.page(PlanQuestion(descending=descending, limit=limit)))
    told += page.plans
    coming = iter(changes)
    while page.end is not None:
        index.put(next(coming, []))
        page = asyncio.run(ours.page(PlanQuestion(descending=descending, limit=limit, after=page.end)))
        told += page.plans

    staying = [plan for plan in told if plan.summary.plan_id not in moved]
    held_still = [plan for plan in held if plan.summary.plan_id not in moved]
    question = PlanQuestion(descending=descending, limit=1000)
    assert staying == list(asyncio.run(ScanningPlanList(held_still).page(question)).plans)


@given(plans())
def test_what_is_packed_is_read_back(plan: SearchablePlan) -> None:
    assert unpack_details(pack_details(plan)) == (plan.provider, plan.timezone, plan.details)


def test_plans_without_details_share_what_is_kept_of_that() -> None:
    index = an_index([searchable(a_plan(number)) for number in range(600)])
    index.put([searchable(a_plan(601, starts="20:00"))])

    assert len({id(entry.details) for entry in index.index.changed()}) == 1


@pytest.mark.parametrize("details", [None, PlanDetails(category="art")])
async def test_a_change_of_details_alone_is_listed_and_leaves_the_tag_of_searches(details: PlanDetails | None) -> None:
    before, after = (
        searchable(a_plan(1)),
        searchable(a_plan(1, details=details or PlanDetails(url="https://e.example"))),
    )
    index = an_index([before])
    tag = tag_of(index)

    index.put([after])

    (told,) = (await IndexPlanList(index, RENDERING).page(PlanQuestion())).plans
    assert told == after
    assert tag_of(index) == tag


@pytest.mark.parametrize("starts", ["0001-01-01T00:00", "9999-12-31T23:59:59.999999"])
@pytest.mark.parametrize("order", [False, True])
async def test_the_first_and_the_last_instant_are_listed(starts: str, order: bool) -> None:
    plan = searchable(a_plan(starts=starts))
    ours = IndexPlanList(an_index([plan, searchable(a_plan(2))]), RENDERING)

    found = await all_pages(ours, PlanQuestion(limit=1, descending=order))

    assert sorted(one.summary.title for one in found) == [plan.summary.title, plan.summary.title]
    assert plan in found


async def test_others_are_served_while_a_long_list_is_looked_through() -> None:
    turns = 0

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    held = [searchable(a_plan(number)) for number in range(STEP * 4)]
    ours = IndexPlanList(an_index(held), RENDERING)
    other = asyncio.create_task(somebody_else())

    await ours.page(PlanQuestion(filter=PlanFilter(providers=frozenset({"nobody"}))))

    other.cancel()
    assert turns >= 4
