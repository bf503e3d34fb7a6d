"""What every PlanList promises: the scan over all plans, and the index of an API process."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.plan_list import IndexPlanList
from app.application.ports.plan_list import PlanList, PlansNotLoadedError
from app.domain.plan_listing import ListWindow, Match, PlanFilter, PlanQuestion
from app.domain.plans import Place, PlanDetails, PlanStatus, SearchablePlan, searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.plan_list import ScanningPlanList
from tests.support.builders import a_plan

Put = Callable[..., None]


class World:
    """A list, and how plans get into it."""

    def __init__(self, plan_list: PlanList, put: Callable[[Sequence[SearchablePlan]], None]) -> None:
        self.list = plan_list
        self._put = put

    def put(self, *plans: SearchablePlan) -> None:
        self._put(plans)

    async def titles(self, **question: Any) -> list[str]:
        return [plan.summary.title for plan in (await self.list.page(PlanQuestion(**question))).plans]

    async def pages(self, between: Callable[[], None] = lambda: None, **question: Any) -> list[str]:
        """Read to the end, page by page."""
        titles: list[str] = []
        after = None
        while True:
            page = await self.list.page(PlanQuestion(after=after, **question))
            titles += [plan.summary.title for plan in page.plans]
            after = page.end
            if after is None:
                return titles
            between()


def scanning() -> World:
    plan_list = ScanningPlanList()
    return World(plan_list, lambda plans: plan_list.plans.update({plan.summary.plan_id: plan for plan in plans}))


def indexed() -> World:
    index = LiveIndex(RENDERING)
    index.mark_ready()
    return World(IndexPlanList(index, RENDERING), index.put)


def indexed_with_little_patience() -> World:
    index = LiveIndex(RENDERING)
    index.mark_ready()
    return World(IndexPlanList(index, RENDERING, most_looked_at=3), index.put)


@pytest.fixture(params=[scanning, indexed])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.param()
    return made


def told(title: str, starts: str, ends: str | None = None, **more: Any) -> SearchablePlan:
    return searchable(a_plan(title, title=title, starts=starts, ends=ends, **more))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


CONCERT = told("concert", "2026-06-02T21:00", "2026-06-02T23:00", details=PlanDetails(category="Music"))
PLAY = told("play", "2026-06-03T20:00", "2026-06-03T22:00", provider="other")
EXHIBITION = told("exhibition", "2026-05-01T10:00", "2026-07-31T18:00", details=PlanDetails(category="Art, modern"))
GALA = told("gala", "2026-06-02T18:00", "2026-06-03T01:00", details=PlanDetails(status=PlanStatus.CANCELLED))
ALL = (CONCERT, PLAY, EXHIBITION, GALA)


async def test_without_a_question_everything_is_listed_by_start(world: World) -> None:
    world.put(*ALL)

    assert await world.titles() == ["exhibition", "gala", "concert", "play"]
    assert await world.titles(descending=True) == ["play", "concert", "gala", "exhibition"]


async def test_everything_that_is_known_of_a_plan_is_told(world: World) -> None:
    details = PlanDetails(
        status=PlanStatus.POSTPONED,
        place=Place(name="Sala", city="Madrid", country="ES", latitude=40.4, longitude=-3.7),
        url="https://e.example/1",
        image="https://e.example/1.png",
        category="Music",
        currency="EUR",
    )
    whole = told("whole", "2026-06-02T21:00", timezone="Europe/Madrid", details=details)
    bare = told("bare", "2026-06-03T21:00", details=PlanDetails(place=Place(city="Lugo")))
    world.put(whole, bare, PLAY)

    page = await world.list.page(PlanQuestion())

    assert list(page.plans) == [whole, PLAY, bare]
    assert (whole.provider, whole.timezone) == ("demo", "Europe/Madrid")


async def test_inside_is_what_lies_wholly_in_the_window_both_bounds_included(world: World) -> None:
    world.put(*ALL)

    day = ListWindow(begins=at("2026-06-02T21:00"), ends=at("2026-06-03T22:00"))

    assert await world.titles(window=day) == ["concert", "play"]


async def test_overlapping_finds_what_began_before_or_goes_on_behind(world: World) -> None:
    world.put(*ALL)

    night = ListWindow(begins=at("2026-06-03T01:00"), ends=at("2026-06-03T20:00"), match=Match.OVERLAPPING)

    assert await world.titles(window=night) == ["exhibition", "gala", "play"]
    assert await world.titles(window=ListWindow(begins=at("2026-08-01T00:00"), match=Match.OVERLAPPING)) == []
    assert await world.titles(window=ListWindow(ends=at("2026-05-31T00:00"), match=Match.OVERLAPPING)) == ["exhibition"]


async def test_a_date_is_that_day_on_the_plans_own_clock(world: World) -> None:
    tokyo = told("tokyo", "2026-06-02T00:30", "2026-06-02T02:00", timezone="Asia/Tokyo")
    apia = told("honolulu", "2026-06-02T22:00", "2026-06-02T23:59:59", timezone="Pacific/Honolulu")
    late = told("late", "2026-06-02T23:00", "2026-06-03T00:00", timezone="Asia/Tokyo")
    world.put(tokyo, apia, late)

    day = date(2026, 6, 2)

    assert await world.titles(window=ListWindow(begins=day, ends=day)) == ["tokyo", "honolulu"]
    overlapping = ListWindow(begins=day, ends=day, match=Match.OVERLAPPING)
    assert await world.titles(window=overlapping) == ["tokyo", "late", "honolulu"]
    behind = ListWindow(begins=date(2026, 6, 3), match=Match.OVERLAPPING)
    assert await world.titles(window=behind) == ["late"]


async def test_a_date_and_an_instant_make_a_window_too(world: World) -> None:
    world.put(*ALL)

    assert await world.titles(window=ListWindow(begins=date(2026, 6, 2), ends=at("2026-06-02T23:00"))) == ["concert"]


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ({"providers": {"other"}}, ["play"]),
        ({"providers": {"other", "demo"}, "statuses": {PlanStatus.CANCELLED}}, ["gala"]),
        ({"statuses": {PlanStatus.SCHEDULED}}, ["exhibition", "concert", "play"]),
        ({"categories": {"Music", "Art, modern"}}, ["exhibition", "concert"]),
        ({"categories": {"music"}}, []),
        ({"providers": {"nobody"}}, []),
    ],
)
async def test_plans_are_filtered_by_what_they_are(world: World, wanted: dict[str, Any], titles: list[str]) -> None:
    world.put(*ALL)

    kept = PlanFilter(**{name: frozenset(values) for name, values in wanted.items()})

    assert await world.titles(filter=kept) == titles


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_pages_are_the_list_cut_into_pieces(world: World, limit: int, descending: bool) -> None:
    world.put(*ALL, *(told(f"at once {number}", "2026-06-02T21:00") for number in range(5)))

    whole = await world.titles(descending=descending)

    assert await world.pages(limit=limit, descending=descending) == whole
    assert len(whole) == 9


@pytest.mark.parametrize("descending", [False, True])
async def test_what_changes_between_two_pages_costs_the_others_nothing(world: World, descending: bool) -> None:
    stay = [told(f"stays {number}", f"2026-06-{number + 1:02}T21:00") for number in range(20)]
    move = [told(f"moves {number}", f"2026-06-{number + 1:02}T21:00") for number in range(20)]
    world.put(*stay, *move)
    days = iter(range(1, 60))

    def change() -> None:
        day = next(days)
        world.put(told(f"added {day}", f"2026-06-{day % 27 + 1:02}T21:00"))
        world.put(told(f"moves {day % 20}", f"2026-0{5 + day % 3}-{day % 13 + 1:02}T21:00"))

    titles = await world.pages(change, limit=3, descending=descending)

    expected = [plan.summary.title for plan in stay]
    assert [title for title in titles if title.startswith("stays")] == (expected[::-1] if descending else expected)


async def test_the_last_page_says_that_it_is_the_last(world: World) -> None:
    world.put(*ALL)

    assert (await world.list.page(PlanQuestion(limit=4))).end is None
    assert (await world.list.page(PlanQuestion(limit=3))).end is not None


async def test_an_empty_list_has_an_end(world: World) -> None:
    page = await world.list.page(PlanQuestion())

    assert (list(page.plans), page.end) == ([], None)


async def test_before_the_plans_are_loaded_there_is_no_list() -> None:
    index = LiveIndex(RENDERING)

    for plan_list in (IndexPlanList(index, RENDERING), ScanningPlanList(ready=False)):
        with pytest.raises(PlansNotLoadedError, match="not loaded yet"):
            await plan_list.page(PlanQuestion())


async def test_a_page_that_looks_long_ends_early_and_says_where_to_read_on() -> None:
    world = indexed_with_little_patience()
    world.put(*ALL, *(told(f"more {number}", f"2026-06-{number + 10}T21:00") for number in range(9)))
    rare = PlanFilter(providers=frozenset({"other"}))

    first = await world.list.page(PlanQuestion(filter=rare))

    assert (list(first.plans), first.end is None) == ([], False)
    assert await world.pages(filter=rare) == ["play"]
    assert len(await world.pages()) == 13
