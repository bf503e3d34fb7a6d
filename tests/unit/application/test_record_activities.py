"""What the door does with activities once they can be read."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.application.ports.activities import QueueFullError, TypeBound
from app.application.ports.system import LiveStateUnavailableError
from app.application.record_activities import RecordActivities, SentActivity, SentColumns
from app.domain.activities import ALIAS, EARLIEST, GROUP, IDENTIFY, Activity, ActivityRules, with_origin
from app.domain.activity_columns import ActivityColumns, microseconds
from app.domain.senders import Sender
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


async def test_statements_of_who_somebody_is_take_no_room_among_the_types(queue: RememberingQueue) -> None:
    types = MemoryActivityTypes(1)

    recording = await a_use_case(queue, types=types)([sent(1, IDENTIFY), sent(2, "view")])

    assert (recording.refused, await types.size()) == ({}, 1)


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


async def test_what_a_publishable_key_says_of_who_somebody_is_keeps_a_note_of_it(queue: RememberingQueue) -> None:
    said, done = SentActivity(UUID(int=1), IDENTIFY, EARLIER, anonymous_id="a", user_id="u"), sent(2)

    await a_use_case(queue)([said, done], Sender(publishable=True))

    noted, other = queue.appended
    assert json.loads(noted.origin or "") == {"publishable": True, "received_at": NOW.isoformat()}
    assert other.origin is None


def test_a_note_of_how_an_activity_came_is_added_to_those_that_are_there() -> None:
    assert with_origin(with_origin(None, id="é"), id="b", type="Order") == '{"id":"b","type":"Order"}'


RULES = ActivityRules(frozenset({"view", "buy"}), frozenset({"web", "app"}))
LATE = NOW + timedelta(hours=2)
instants = st.sampled_from([EARLIER, EARLIER, NOW, NOW + timedelta(minutes=59), LATE, EARLIEST - timedelta(days=1)])
rows = st.tuples(
    st.integers(1, 6),
    st.sampled_from(["view", "buy", "buy", "share"]),
    instants,
    st.sampled_from([None, "web", "web", "fax"]),
    st.sampled_from([None, "ana"]),
)


@given(
    given_rows=st.lists(rows, min_size=1, max_size=4),
    rules=st.sampled_from([ActivityRules(), RULES]),
    has_ids=st.booleans(),
    has_times=st.booleans(),
    most=st.none() | st.integers(0, 2),
)
async def test_columns_are_recorded_as_the_same_activities_are(
    given_rows: list[tuple[int, str, datetime, str | None, str | None]],
    rules: ActivityRules,
    has_ids: bool,
    has_times: bool,
    most: int | None,
) -> None:
    numbers, types, times, sources, users = zip(*given_rows, strict=True)
    nothing = [None] * len(types)
    columns = SentColumns(
        b"".join(UUID(int=number).bytes for number in numbers) if has_ids else None,
        types,
        [microseconds(time) for time in times] if has_times else None,
        *(sources, users, nothing, nothing, nothing, nothing),
    )
    one_by_one = [
        SentActivity(UUID(int=number) if has_ids else None, type_, time if has_times else None, source, user)
        for number, type_, time, source, user in given_rows
    ]
    queues = RememberingQueue(), RememberingQueue()

    bounds = [None if most is None else MemoryActivityTypes(most) for _ in queues]
    at_once = await a_use_case(queues[0], rules, bounds[0])(columns)
    apart = await a_use_case(queues[1], rules, bounds[1])(one_by_one)

    assert len(columns) == len(one_by_one)
    assert at_once.ids == apart.ids
    assert set(at_once.duplicates) == set(apart.duplicates)
    assert {place: str(why) for place, why in at_once.refused.items()} == {
        place: str(why) for place, why in apart.refused.items()
    }
    assert queues[0].appended == queues[1].appended


async def test_columns_stay_columns_where_all_of_them_are_taken() -> None:
    class Queue(RememberingQueue):
        async def append(self, activities: object) -> set[int]:
            assert isinstance(activities, ActivityColumns)
            return set()

    nothing = [None]
    columns = SentColumns(None, ["view"], None, nothing, nothing, nothing, nothing, nothing, nothing)

    assert (await a_use_case(Queue())(columns)).ids == [UUID(int=1_000_000)]


async def test_a_sender_of_some_types_sends_no_other_and_that_costs_the_others_nothing(queue: RememberingQueue) -> None:
    sender = Sender("key:1", publishable=True, types=frozenset({"view", "buy"}))

    recording = await a_use_case(queue)([sent(1), sent(2, "fax"), sent(3, IDENTIFY), sent(4, GROUP)], sender)

    assert {position: (error.code, error.field) for position, error in recording.refused.items()} == {
        1: ("type_not_allowed", "type")
    }
    assert str(recording.refused[1]) == "'fax' is none of those of this key: buy, view"
    assert [activity.activity_id.int for activity in queue.appended] == [1, 3, 4]


async def test_no_two_users_are_joined_by_a_key_that_all_the_world_may_have(queue: RememberingQueue) -> None:
    recording = await a_use_case(queue)([sent(1, ALIAS), sent(2, "fax")], Sender("key:1", publishable=True))
    by_secret = await a_use_case(queue)([sent(3, ALIAS)], Sender("key:2"))

    assert {position: error.code for position, error in recording.refused.items()} == {0: "not_allowed"}
    assert by_secret.refused == {}
