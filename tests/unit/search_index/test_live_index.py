"""The index that searches read keeps up with the plans, in whatever order and portions they come."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.domain.plans import PlanSummary, SearchablePlan, searchable
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.builders import a_plan
from tests.support.search_index import tag_of

EVERYTHING = TimeWindow()
MANY = 1_500
"""Plans that fill several chunks."""

instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)) | st.integers(0, 8).map(  # noqa: DTZ001 -- hypothesis adds the zone
    lambda hour: datetime(2021, 6, 30, hour, tzinfo=UTC)
)
durations = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(hours=2), timedelta(days=40)])


@st.composite
def plans(draw: st.DrawFn) -> SearchablePlan:
    starts_at = draw(instants)
    ends_at = starts_at + draw(durations)
    title = draw(st.sampled_from(["Camela", "Pantomima Full", 'Los "Morancos" ñ']))
    found = searchable(a_plan(draw(st.integers(0, 12)), title=title))
    return SearchablePlan(starts_at, ends_at, found.summary)


@st.composite
def windows(draw: st.DrawFn) -> TimeWindow:
    starts_at, ends_at = sorted((draw(instants), draw(instants)))
    return TimeWindow(draw(st.sampled_from([None, starts_at])), draw(st.sampled_from([None, ends_at])))


def an_index(*plans: SearchablePlan) -> LiveIndex:
    index = LiveIndex(RENDERING)
    index.put(plans)
    return index


def a_searchable(item: int = 1, *, title: str = "Camela", starts: str = "21:00", ends: str = "22:00") -> SearchablePlan:
    return searchable(a_plan(item, title=title, starts=starts, ends=ends))


async def batches(
    *portions: Sequence[SearchablePlan], then: Exception | None = None
) -> AsyncIterator[Sequence[SearchablePlan]]:
    for portion in portions:
        yield portion
    if then:
        raise then


def scan(held: Sequence[SearchablePlan], window: TimeWindow) -> list[PlanSummary]:
    inside = [plan for plan in latest(held) if window.holds(plan.starts_at, plan.ends_at)]
    inside.sort(key=lambda plan: (plan.starts_at, str(plan.summary.plan_id)))
    return [plan.summary for plan in inside]


def latest(held: Sequence[SearchablePlan]) -> list[SearchablePlan]:
    return list({plan.summary.plan_id: plan for plan in held}.values())


def between(starts: str, ends: str) -> TimeWindow:
    return TimeWindow(
        datetime.fromisoformat(f"2021-06-30T{starts}+00:00"), datetime.fromisoformat(f"2021-06-30T{ends}+00:00")
    )


@given(st.lists(plans(), max_size=40), windows(), st.data())
def test_it_finds_what_a_linear_scan_over_the_latest_states_finds(
    states: list[SearchablePlan], window: TimeWindow, data: st.DataObject
):
    index = an_index()

    rest = states
    while rest:
        portion = data.draw(st.integers(1, len(rest)))
        index.put(rest[:portion])
        rest = rest[portion:]

    assert list(index.find(window)) == scan(states, window)
    assert index.size == len(latest(states))


@given(st.lists(plans(), max_size=40), st.lists(plans(), max_size=40), windows())
async def test_a_load_over_what_is_there_finds_the_same_as_a_linear_scan(
    before: list[SearchablePlan], loaded: list[SearchablePlan], window: TimeWindow
):
    index = an_index(*before)
    once = latest(loaded)

    await index.load(batches(once[:10], once[10:]))

    assert list(index.find(window)) == scan(before + once, window)


@given(st.lists(plans(), max_size=30), st.randoms(use_true_random=False))
def test_equal_content_has_an_equal_etag_whatever_the_order_and_the_way(states: list[SearchablePlan], random: Random):
    content = latest(states)
    shuffled = random.sample(content, len(content))

    at_once, one_by_one, with_detours = an_index(*content), an_index(), an_index(*states)
    for plan in shuffled:
        one_by_one.put([plan])
    with_detours.put(shuffled)

    assert tag_of(at_once) == tag_of(one_by_one) == tag_of(with_detours)


@given(st.lists(plans(), max_size=20), st.lists(plans(), max_size=20))
def test_different_content_has_a_different_etag(some: list[SearchablePlan], others: list[SearchablePlan]):
    same = set(map(repr, latest(some))) == set(map(repr, latest(others)))

    assert (tag_of(an_index(*some)) == tag_of(an_index(*others))) is same


def test_an_etag_is_a_quoted_strong_tag():
    assert tag_of(an_index()).startswith(b'"')
    assert tag_of(an_index(a_searchable())).endswith(b'"')


def test_a_plan_that_moved_is_found_where_it_is_now_and_only_there():
    index = an_index(*(a_searchable(item) for item in range(100)))

    index.put([a_searchable(7, starts="10:00", ends="11:00")])

    assert [found.starts.hour for found in index.find(between("09:00", "12:00"))] == [10]
    assert len(index.find(between("20:00", "23:00"))) == 99
    assert index.size == 100


def test_a_plan_that_became_longer_is_found_by_windows_that_hold_all_of_it():
    index = an_index(*(a_searchable(item) for item in range(100)))

    index.put([a_searchable(7, ends="23:30")])

    assert len(index.find(between("21:00", "22:00"))) == 99
    assert len(index.find(between("21:00", "23:30"))) == 100


def test_of_a_plan_twice_in_one_put_the_later_state_counts():
    index = an_index(a_searchable(title="first"), a_searchable(title="second", starts="10:00"))

    assert [found.title for found in index.find(EVERYTHING)] == ["second"]


async def test_a_plan_that_a_load_hands_out_twice_is_found_once():
    index = an_index()

    await index.load(batches([a_searchable()], [a_searchable(), a_searchable(2)]))

    assert len(index.find(EVERYTHING)) == index.size == 2


async def test_a_load_that_fails_changes_nothing():
    index = an_index(a_searchable())
    before = tag_of(index)

    with pytest.raises(ConnectionError):
        await index.load(batches([a_searchable(title="other"), a_searchable(2)], then=ConnectionError()))

    assert [found.title for found in index.find(EVERYTHING)] == ["Camela"]
    assert tag_of(index) == before


async def test_a_load_that_failed_can_be_done_again():
    index = an_index()
    with pytest.raises(ConnectionError):
        await index.load(batches([a_searchable()], then=ConnectionError()))

    await index.load(batches([a_searchable(), a_searchable(2)]))

    assert len(index.find(EVERYTHING)) == 2


async def test_searches_see_nothing_of_a_load_before_it_is_whole():
    index = an_index(a_searchable())
    seen: list[int] = []

    async def observed() -> AsyncIterator[Sequence[SearchablePlan]]:
        yield [a_searchable(2)]
        seen.append(len(index.find(EVERYTHING)))
        yield [a_searchable(3)]

    await index.load(observed())

    assert seen == [1]
    assert len(index.find(EVERYTHING)) == 3


def test_the_same_state_again_makes_no_new_index():
    index = an_index(a_searchable())
    before = index.index

    index.put([a_searchable()])

    assert index.index is before


def test_a_search_that_holds_an_index_is_not_disturbed_by_changes():
    index = an_index(*(a_searchable(item) for item in range(20)))
    found = index.index.find(float("-inf"), float("inf"))
    before = found.fragments()

    index.put([a_searchable(3, title="other", starts="10:00")])

    assert found.fragments() == before


def test_it_is_ready_only_when_told_so():
    index = an_index(a_searchable())

    assert not index.ready
    index.mark_ready()
    assert index.ready


async def test_a_large_index_that_is_searched_moves_on_in_steps_to_the_same_content():
    chance = Random(7)
    before = [a_searchable(item, starts=f"{chance.randrange(24):02}:00", ends="23:30") for item in range(MANY)]
    after = [
        a_searchable(item, title="moved", starts=f"{chance.randrange(24):02}:00", ends="23:59") for item in range(350)
    ]
    index = an_index(*before)
    index.mark_ready()

    await index.load(batches(after))
    index.put([a_searchable(MANY + 1)])

    at_once = an_index(*after, *before[350:], a_searchable(MANY + 1))
    assert tag_of(index) == tag_of(at_once)
    assert index.find(EVERYTHING) == at_once.find(EVERYTHING)
    assert index.size == MANY + 1
