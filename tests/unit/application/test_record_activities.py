"""What the door does with activities once they can be read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest

from app.application.ports.activities import QueueFullError, TypeBound
from app.application.ports.system import LiveStateUnavailableError
from app.application.record_activities import RecordActivities, SentActivity
from app.domain.activities import Activity, ActivityRules
from tests.fakes.activity_types import MemoryActivityTypes
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.remembering_queue import RememberingQueue

EARLIER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def queue() -> RememberingQueue:
    return RememberingQueue()


def a_use_case(
    queue: RememberingQueue, rules: ActivityRules | None = None, types: TypeBound | None = None
) -> RecordActivities:
    """Build one whose own ids are 1,000,000, 1,000,001, ..."""
    ids = count(1_000_000)
    return RecordActivities(queue, FixedClock(), rules or ActivityRules(), lambda: UUID(int=next(ids)), types)


def sent(number: int | None = None, type_: str = "view", at: datetime | None = EARLIER) -> SentActivity:
    return SentActivity(None if number is None else UUID(int=number), type_, at)


async def test_what_was_sent_is_appended_as_it_is(queue: RememberingQueue) -> None:
    everything = SentActivity(UUID(int=7), "buy", EARLIER, "web", "ana", Decimal("1.50"), '{"a":1}')

    recording = await a_use_case(queue)([everything])

    assert queue.appended == [Activity(UUID(int=7), "buy", EARLIER, "web", "ana", Decimal("1.50"), '{"a":1}')]
    assert (recording.ids, recording.duplicates, recording.refused) == ([UUID(int=7)], set(), {})


async def test_what_has_no_id_gets_one_each_and_is_told_it(queue: RememberingQueue) -> None:
    recording = await a_use_case(queue)([sent(), sent(5), sent()])

    assert recording.ids == [UUID(int=1_000_000), UUID(int=5), UUID(int=1_000_001)]
    assert [activity.activity_id for activity in queue.appended] == recording.ids


async def test_the_id_of_zeros_is_an_id(queue: RememberingQueue) -> None:
    assert (await a_use_case(queue)([sent(0)])).ids == [UUID(int=0)]


async def test_what_has_no_time_happened_now(queue: RememberingQueue) -> None:
    await a_use_case(queue)([sent(1, at=None), sent(2)])

    assert [activity.occurred_at for activity in queue.appended] == [NOW, EARLIER]


async def test_all_are_appended_in_one_step_in_their_order(queue: RememberingQueue) -> None:
    await a_use_case(queue)([sent(number) for number in (3, 1, 2)])

    assert [activity.activity_id.int for activity in queue.appended] == [3, 1, 2]
    assert queue.appends == 1


async def test_duplicates_are_told_by_their_position(queue: RememberingQueue) -> None:
    record = a_use_case(queue)
    await record([sent(1), sent(2)])

    recording = await record([sent(3), sent(2), sent(3), sent(1)])

    assert set(recording.duplicates) == {1, 2, 3}
    assert [activity.activity_id.int for activity in queue.appended] == [1, 2, 3]


async def test_what_is_refused_costs_the_others_nothing_and_no_position_moves(queue: RememberingQueue) -> None:
    record = a_use_case(queue, ActivityRules(types=frozenset({"view"})))
    await record([sent(4)])

    recording = await record([sent(1, "fax"), sent(2), sent(3, at=NOW + timedelta(hours=2)), sent(4), sent(5)])

    assert {position: error.code for position, error in recording.refused.items()} == {
        0: "unknown_type",
        2: "occurs_in_the_future",
    }
    assert set(recording.duplicates) == {3}
    assert [activity.activity_id.int for activity in queue.appended] == [4, 2, 5]


async def test_a_refused_activity_leaves_its_id_to_a_better_one(queue: RememberingQueue) -> None:
    record = a_use_case(queue, ActivityRules(types=frozenset({"view"})))

    recording = await record([sent(1, "fax"), sent(1)])

    assert (set(recording.refused), set(recording.duplicates)) == ({0}, set())
    assert [activity.type for activity in queue.appended] == ["view"]


async def test_a_type_too_many_is_refused_with_the_bound_and_costs_the_others_nothing(queue: RememberingQueue) -> None:
    record = a_use_case(queue, types=MemoryActivityTypes(2))
    await record([sent(1, "view"), sent(2, "click")])

    recording = await record([sent(3, "view"), sent(4, "fax"), sent(5, "click"), sent(6, "fax")])

    assert {position: (error.code, error.field) for position, error in recording.refused.items()} == {
        1: ("too_many_types", "type"),
        3: ("too_many_types", "type"),
    }
    assert str(recording.refused[1]) == (
        "'fax' is new, and there are 2 types already: use one of these, or raise activity.max_types"
    )
    assert [activity.activity_id.int for activity in queue.appended] == [1, 2, 3, 5]


async def test_what_is_refused_anyway_brings_no_type_in(queue: RememberingQueue) -> None:
    types = MemoryActivityTypes(1)
    record = a_use_case(queue, types=types)

    recording = await record([sent(1, "fax", at=NOW + timedelta(hours=2)), sent(2, "view"), sent(3, "click")])

    assert {position: error.code for position, error in recording.refused.items()} == {
        0: "occurs_in_the_future",
        2: "too_many_types",
    }
    assert await types.size() == 1


@pytest.mark.parametrize("activities", [[], [sent(1, "fax")]])
async def test_without_anything_to_append_the_queue_is_left_alone(
    queue: RememberingQueue, activities: list[SentActivity]
) -> None:
    queue.trouble = QueueFullError("full")

    recording = await a_use_case(queue, ActivityRules(types=frozenset()))(activities)

    assert len(recording.refused) == len(activities)


@pytest.mark.parametrize("trouble", [QueueFullError("full"), LiveStateUnavailableError("away")])
async def test_what_the_queue_cannot_do_is_not_hidden(queue: RememberingQueue, trouble: Exception) -> None:
    queue.trouble = trouble

    with pytest.raises(type(trouble)):
        await a_use_case(queue)([sent(1)])
