from datetime import timedelta
from uuid import uuid4

import pytest

from app.application.read_history import ListPlanStates, SearchPast, WindowTooWideError
from app.domain.errors import UnknownPlanError
from app.domain.time_window import TimeWindow
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld


async def test_a_plan_never_seen_is_unknown() -> None:
    with pytest.raises(UnknownPlanError):
        await ListPlanStates(JournalWorld().plan_journal)(uuid4(), 10)


async def test_a_plans_states_are_listed_newest_first() -> None:
    world = JournalWorld()
    for title in "abc":
        await world.sync_with(a_plan(title=title))
    await world.journal_changes()

    states = await ListPlanStates(world.plan_journal)(a_plan().key.plan_id, 2)

    assert [state.found.plan.title for state in states] == ["c", "b"]


async def test_a_search_of_the_past_finds_what_was_known_then() -> None:
    world = JournalWorld()
    for title in "abc":
        await world.sync_with(a_plan(title=title))
    await world.journal_changes()
    search, now = SearchPast(world.plan_journal), world.clock.now()

    found = [await search(TimeWindow(), now + timedelta(seconds=by)) for by in (-600, -61, -1, 0, 10**9)]

    assert [[plan.title for plan in plans] for plans in found] == [[], ["a"], ["b"], ["c"], ["c"]]


async def test_an_answer_of_too_many_plans_is_refused_and_one_of_just_enough_given() -> None:
    world = JournalWorld()
    await world.sync_with(*(a_plan(number) for number in range(4)))
    await world.journal_changes()

    assert len(await SearchPast(world.plan_journal, most=4)(TimeWindow(), world.clock.now())) == 4
    with pytest.raises(WindowTooWideError, match=r"more than 3 plans .* narrower"):
        await SearchPast(world.plan_journal, most=3)(TimeWindow(), world.clock.now())
