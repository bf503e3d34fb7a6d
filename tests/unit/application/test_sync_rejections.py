"""The list of what is wrong with a feed now."""

from app.application.ports.providers import FeedBrokenError
from app.domain.feeds import Rejection, RejectionReason, Tombstone
from app.domain.plans import PlanKey
from tests.support.builders import a_plan
from tests.support.scripted_provider import a_snapshot
from tests.support.sync_world import SyncWorld


def a_rejection(item: str | None = "1", part: str | None = None, line: int = 7) -> Rejection:
    return Rejection(
        reason=RejectionReason.INVALID_DATE,
        message="no",
        line=line,
        source=f"<plan {line}/>",
        key=PlanKey("demo", item, item) if item else None,
        part=part,
    )


async def standing(world: SyncWorld) -> list[tuple[str | None, int]]:
    rows = await world.rejections.standing("demo", 10)
    return [(row.rejection.key and row.rejection.key.item_id, row.times) for row in rows]


async def test_a_rejection_stands_until_the_feed_is_read_whole_without_it() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(9), a_rejection("1"), a_rejection("2"))
    await world.sync_with(a_plan(9), a_plan(8), a_rejection("2"))
    assert await standing(world) == [("2", 2)]
    assert (await world.catalog.state("demo")).rejections == 1

    await world.sync_with(a_plan(9))

    assert await standing(world) == []
    mended = await world.rejections.mended("demo", 10)
    assert [(row.rejection.key and row.rejection.key.item_id, row.run_id) for row in mended] == [
        ("2", "run-2"),
        ("1", "run-1"),
    ]
    assert mended[0].mended_at == world.clock.now()


async def test_a_run_without_a_new_document_leaves_the_list_as_it_is() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(9), a_rejection("1"))

    await world.sync()

    assert await standing(world) == [("1", 1)]
    assert (await world.catalog.state("demo")).rejections == 1


async def test_a_feed_that_breaks_mends_what_it_showed_to_be_well() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(9), a_rejection("1"), a_rejection("2"), a_rejection("3"), a_rejection(None))
    world.provider.now_says(a_plan(1), a_rejection("3"), broken=FeedBrokenError("cut", line=3))

    await world.sync()

    assert await standing(world) == [("3", 2), ("2", 1), (None, 1)]


async def test_a_tombstone_mends_what_was_wrong_with_its_plan() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(9), a_rejection("1"))
    snapshot = world.provider.says = a_snapshot([Tombstone(PlanKey("demo", "1", "1"))])
    snapshot.incremental = True

    await world.sync()

    assert await standing(world) == []


async def test_a_part_that_cannot_be_used_is_a_row_of_its_own() -> None:
    world = SyncWorld()

    await world.sync_with(a_plan(1), a_rejection("1", "sell_to"), a_rejection("1", "zone 40: price"))

    rows = await world.rejections.standing("demo", 10)
    assert [row.rejection.part for row in rows] == ["sell_to", "zone 40: price"]


async def test_where_more_is_wrong_than_is_kept_nothing_seems_mended() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(9), a_rejection("late"))

    await world.sync_with(a_plan(9), *(a_rejection(None, line=line) for line in range(1000)), a_rejection("late"))

    assert list(await world.rejections.mended("demo", 10)) == []
    assert (await world.catalog.state("demo")).rejections == 1001


async def test_a_dry_run_notes_nothing() -> None:
    world = SyncWorld()
    world.provider.now_says(a_plan(9), a_rejection("1"))

    report = await world.sync(dry_run=True)

    assert report.rejected == 1
    assert await standing(world) == []
