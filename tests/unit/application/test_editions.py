"""Ids that are used again for another show, and ids that are not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.feeds import FeedRecord, PlanRecord, Rejection, RejectionReason, RememberedRecord, Tombstone
from app.domain.gate import GatePolicy
from app.domain.plans import Plan, searchable
from app.domain.reconciliation import ChangeKind
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld
from tests.support.scripted_provider import a_record, a_snapshot
from tests.support.sync_world import SyncWorld

CHANGED, LISTED, SUPERSEDED, WITHDRAWN = (
    ChangeKind.CHANGED,
    ChangeKind.LISTED,
    ChangeKind.SUPERSEDED,
    ChangeKind.WITHDRAWN,
)
SPRING = a_plan(1, title="Spring Gala", starts="2025-04-01T20:00", ends="2025-04-01T22:00")
AUTUMN = a_plan(1, title="Autumn Ball", starts="2025-10-01T20:00", ends="2025-10-01T22:00")
EDITION = replace(AUTUMN, edition=AUTUMN.starts)


def remembered(plan: Plan) -> RememberedRecord:
    record = a_record(plan)
    return RememberedRecord(record.plan_id, record.digest, lambda: record)


def spoiled(plan: Plan) -> Rejection:
    return Rejection(reason=RejectionReason.INVALID_DATE, message="no", line=1, source="", key=plan.key)


async def a_season(*more: Plan) -> SyncWorld:
    """The ids of the spring's show name the autumn's by now."""
    world = SyncWorld()
    await world.sync_with(SPRING, *more)
    await world.sync_with(AUTUMN, *more)
    return world


async def test_a_show_that_takes_the_ids_of_one_that_is_over_is_a_plan_of_its_own() -> None:
    world = SyncWorld()
    await world.sync_with(SPRING)
    last_seen_at = world.clock.now()

    report = await world.sync_with(AUTUMN)

    assert report.changes == {WITHDRAWN: 1, SUPERSEDED: 1, LISTED: 1}
    assert await world.titles() == ["Autumn Ball", "Spring Gala"]
    old, new = await world.catalog.find(SPRING.plan_id), await world.catalog.find(EDITION.plan_id)
    assert old is not None
    assert new is not None
    assert (old.plan, old.known.in_feed, old.known.last_seen_at) == (SPRING, False, last_seen_at)
    assert (new.plan, new.known.in_feed, new.known.first_seen_at) == (EDITION, True, world.clock.now())
    assert new.plan.plan_id != old.plan.plan_id


async def test_an_edition_keeps_its_id_whatever_becomes_of_it() -> None:
    world = await a_season()
    moved = replace(AUTUMN, title="Autumn Ball (new hall)", starts=datetime(2025, 9, 30, 20), ends=None)  # noqa: DTZ001

    assert (await world.sync_with(AUTUMN, a_plan(7))).changes == {LISTED: 1}
    assert (await world.sync_with(moved, a_plan(7))).changes == {CHANGED: 1}
    assert (await world.sync_with(a_plan(7))).changes == {WITHDRAWN: 1}
    assert (await world.sync_with(moved, a_plan(7))).changes == {ChangeKind.RETURNED: 1}

    found = await world.catalog.find(EDITION.plan_id)
    assert found is not None
    assert found.plan == replace(moved, edition=EDITION.edition)
    assert await world.titles() == ["Autumn Ball (new hall)", "Camela en concierto", "Spring Gala"]


async def test_a_third_show_follows_the_second() -> None:
    world = await a_season()
    third = a_plan(1, title="Winter Night", starts="2025-12-01T20:00")

    assert (await world.sync_with(third)).changes == {WITHDRAWN: 1, SUPERSEDED: 1, LISTED: 1}
    assert (await world.sync_with(third, a_plan(7))).changes == {LISTED: 1}
    assert await world.titles() == ["Autumn Ball", "Camela en concierto", "Spring Gala", "Winter Night"]


async def test_a_show_that_was_withdrawn_before_its_ids_came_back_is_only_superseded() -> None:
    world = SyncWorld()
    await world.sync_with(SPRING, a_plan(7))
    await world.sync_with(a_plan(7))
    withdrawn_at = world.clock.now()

    report = await world.sync_with(AUTUMN, a_plan(7))

    assert report.changes == {SUPERSEDED: 1, LISTED: 1}
    old = await world.catalog.find(SPRING.plan_id)
    assert old is not None
    assert old.known.withdrawn_at == withdrawn_at


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(replace(AUTUMN, title="  spring   GALA "), id="the same title, but for case and white space"),
        pytest.param(replace(SPRING, title="Another"), id="the same dates"),
        pytest.param(replace(SPRING, title="Another", ends=AUTUMN.ends), id="it goes on for longer"),
    ],
)
async def test_a_show_that_is_the_same_has_changed(after: Plan) -> None:
    world = SyncWorld()
    await world.sync_with(SPRING)

    assert (await world.sync_with(after)).changes == {CHANGED: 1}
    assert len(await world.titles()) == 1


async def test_a_show_that_is_not_over_yet_has_changed() -> None:
    world = SyncWorld()
    to_come = world.clock.now() + timedelta(days=1)
    soon, late = (
        a_plan(1, title=title, starts=at.replace(tzinfo=None).isoformat())
        for title, at in (("A", to_come), ("B", to_come + timedelta(days=30)))
    )
    await world.sync_with(soon)

    assert (await world.sync_with(late)).changes == {CHANGED: 1}


@pytest.mark.parametrize("say", [spoiled, remembered])
async def test_what_a_feed_says_of_the_ids_is_about_the_edition_that_they_name_now(say: "object") -> None:
    world = await a_season(a_plan(7))

    report = await world.sync_with(say(AUTUMN), a_plan(7))  # type: ignore[operator] # one of the builders above

    assert WITHDRAWN not in report.changes
    assert (await world.catalog.known("demo"))[EDITION.plan_id].in_feed


async def test_a_tombstone_withdraws_the_edition() -> None:
    world = await a_season()
    snapshot = world.provider.says = a_snapshot([Tombstone(AUTUMN.key)])
    snapshot.incremental = True

    assert (await world.sync()).changes == {WITHDRAWN: 1}
    assert not (await world.catalog.known("demo"))[EDITION.plan_id].in_feed


async def test_in_an_increment_two_shows_may_follow_each_other_at_once() -> None:
    world = SyncWorld()
    records: list[FeedRecord] = [a_record(SPRING), a_record(AUTUMN)]
    snapshot = world.provider.says = a_snapshot(records, size=1)
    snapshot.incremental = True

    await world.sync()

    assert (await world.titles()) == ["Autumn Ball"]  # what was listed in the same run is not in the catalog yet


async def test_many_shows_that_follow_others_are_no_accident() -> None:
    world = SyncWorld(gate=GatePolicy())
    await world.sync_with(*(a_plan(number, title=f"A{number}") for number in range(20)))

    report = await world.sync_with(*(a_plan(n, title=f"B{n}", starts="2021-08-01T20:00") for n in range(20)))

    assert report.changes == {WITHDRAWN: 20, SUPERSEDED: 20, LISTED: 20}


async def test_an_edition_that_would_have_the_id_of_an_older_one_gets_the_next() -> None:
    world = await a_season()
    earlier = replace(AUTUMN, starts=datetime(2025, 5, 1, 20), ends=None)  # noqa: DTZ001
    await world.sync_with(earlier)

    await world.sync_with(replace(AUTUMN, title="Third"))

    third = replace(AUTUMN, title="Third", edition=AUTUMN.starts + timedelta(microseconds=1))
    found = await world.catalog.find(third.plan_id)
    assert found is not None
    assert found.plan == third


async def test_the_journal_and_a_restore_know_editions() -> None:
    world = JournalWorld()
    await world.sync_with(SPRING)
    await world.sync_with(AUTUMN)
    await world.journal_changes()
    known = await world.catalog.known("demo")
    world.store.lose_everything()

    await world.restore()

    assert await world.catalog.known("demo") == known
    report = await world.sync_with(replace(AUTUMN, title="Autumn Ball!"))
    assert report.changes == {CHANGED: 1}
    found = await world.catalog.find(EDITION.plan_id)
    assert found is not None
    assert found.plan.title == "Autumn Ball!"


def test_what_is_told_of_an_edition_has_its_id() -> None:
    assert searchable(EDITION).summary.plan_id == EDITION.plan_id != AUTUMN.plan_id
    assert EDITION.key.id_of(EDITION.edition) == EDITION.plan_id
    assert searchable(EDITION).starts_at == datetime(2025, 10, 1, 20, tzinfo=UTC)


def test_a_record_of_the_feed_names_the_first_plan_of_its_ids() -> None:
    assert PlanRecord(AUTUMN, b"").plan_id == SPRING.plan_id
