"""What ActivityQueue, ActivityInbox, DeadLetters and QueueWatch promise together."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.application.ports.activities import (
    ActivityInbox,
    ActivityQueue,
    QueuedBatch,
    QueueFigures,
    QueueFullError,
)
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import Activity
from tests.contract.conftest import Backend, RedisBackend
from tests.support.builders import NOW, an_activity
from tests.support.redis_server import RedisServer

TAKEOVER = 0.4


def activities(first: int, last: int) -> list[Activity]:
    return [an_activity(number) for number in range(first, last + 1)]


async def taken(inbox: ActivityInbox, count: int) -> list[QueuedBatch]:
    """Take until `count` activities came, within two seconds."""
    batches: list[QueuedBatch] = []
    async with asyncio.timeout(10):
        while sum(len(batch.activities) for batch in batches) < count:
            batches += await inbox.take()
    return batches


def contents(batches: Sequence[QueuedBatch]) -> list[Activity]:
    return [activity for batch in batches for activity in batch.activities]


async def drain(backend: Backend, count: int) -> list[Activity]:
    """Take `count` activities, settle them."""
    inbox = backend.activity_inbox()
    batches = await taken(inbox, count)
    await inbox.settle(batches)
    return contents(batches)


async def backlog(backend: Backend) -> int:
    return (await backend.queue_watch().figures()).backlog


async def test_what_was_appended_comes_in_its_order(backend: Backend):
    queue = backend.activity_queue()
    for first in range(1, 300, 10):
        assert list(await queue.append(activities(first, first + 9))) == []

    assert await drain(backend, 300) == activities(1, 300)


@pytest.mark.parametrize(
    "activity",
    [
        an_activity(value="0.10"),
        an_activity(value="1E+2"),
        an_activity(value="-999999999999999999.123456789012345678901234"),
        an_activity(value="-0.00"),
        an_activity(at=datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=UTC)),
        an_activity(at=datetime(2038, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        an_activity(at=datetime(1970, 1, 1, tzinfo=UTC)),
        an_activity(source="señal", user="Zoë 👩‍👩‍👧 \u0000 \u2028", properties='{"title":"Ñandú 🎸"}'),
        an_activity(source=None, user=None, value=None, properties=None),
        an_activity(2**128 - 1, properties="{" + " " * 60_000 + "}"),
        an_activity(0),
    ],
)
async def test_an_activity_comes_as_it_went(backend: Backend, activity: Activity):
    await backend.activity_queue().append((activity,))

    (came,) = await drain(backend, 1)

    assert came == activity
    assert repr(came) == repr(activity)  # 0.10 equals 0.1, and its digits are to be kept
    assert isinstance(came.value, Decimal | None)
    assert isinstance(came.activity_id, UUID)


async def test_what_is_noted_at_an_append_comes_with_its_batch(backend: Backend):
    await backend.activity_queue(trace=lambda: "00-trace").append([an_activity(1)])
    await backend.activity_queue(trace=lambda: None).append([an_activity(2)])
    await backend.activity_queue().append([an_activity(3)])

    batches = await taken(backend.activity_inbox(), 3)

    assert [batch.trace for batch in batches] == ["00-trace", None, None]


async def test_an_id_that_came_before_is_a_duplicate(backend: Backend):
    queue = backend.activity_queue()
    await queue.append(activities(1, 3))

    duplicates = await backend.activity_queue().append([*activities(3, 5), an_activity(1, type_="click")])

    assert list(duplicates) == [0, 3]
    assert await drain(backend, 5) == activities(1, 5)


async def test_of_two_equal_ids_in_one_append_the_first_counts(backend: Backend):
    twice = [an_activity(1), an_activity(2), an_activity(1, type_="click"), an_activity(2, type_="click")]

    assert list(await backend.activity_queue().append(twice)) == [2, 3]

    assert await drain(backend, 2) == activities(1, 2)


async def test_an_append_of_duplicates_alone_brings_nothing(backend: Backend):
    queue = backend.activity_queue()
    await queue.append(activities(1, 3))
    await drain(backend, 3)

    assert list(await queue.append(activities(1, 3))) == [0, 1, 2]

    assert list(await backend.activity_inbox().take()) == []
    assert await backlog(backend) == 0


async def test_an_append_of_nothing_brings_nothing(backend: Backend):
    assert list(await backend.activity_queue().append([])) == []

    assert list(await backend.activity_inbox().take()) == []


async def test_who_appends_at_the_same_time_hears_of_his_own_duplicates(backend: Backend):
    queues = [backend.activity_queue(), backend.activity_queue()]
    chance = random.Random(1)
    appends = [[an_activity(chance.randrange(1000)) for _ in range(chance.choice([1, 1, 7, 100]))] for _ in range(200)]

    answers = await asyncio.gather(*(queues[number % 2].append(append) for number, append in enumerate(appends)))

    ids = {activity.activity_id for append in appends for activity in append}
    new = [
        append[position].activity_id
        for append, duplicates in zip(appends, answers, strict=True)
        for position in range(len(append))
        if position not in duplicates
    ]
    assert sorted(new) == sorted(ids)
    assert sorted(activity.activity_id for activity in await drain(backend, len(ids))) == sorted(ids)
    assert (await backend.queue_watch().figures()).duplicates == sum(map(len, appends)) - len(ids)


async def test_who_appends_at_the_same_time_keeps_his_order_and_place(backend: Backend):
    queue = backend.activity_queue()

    answers = await asyncio.gather(*(queue.append([an_activity(1), an_activity(number)]) for number in range(2, 60)))

    assert sorted(tuple(answer) for answer in answers) == [(), *[(0,)] * 57]
    assert sorted(await drain(backend, 59)) == sorted(activities(1, 59))


async def test_an_appender_that_gives_up_harms_no_other(backend: Backend):
    queue = backend.activity_queue()
    appends = [asyncio.create_task(queue.append([an_activity(number)])) for number in range(1, 101)]
    for number in range(0, 100, 3):
        appends[number].cancel()
        await asyncio.sleep(0)

    answers = await asyncio.gather(*appends, return_exceptions=True)

    assert [answer for number, answer in enumerate(answers) if number % 3] == [[]] * 66
    stayed = {an_activity(number) for number in range(1, 101) if (number - 1) % 3}
    came = set(await drain(backend, await backlog(backend)))
    assert stayed <= came <= set(activities(1, 100))
    assert list(await queue.append([an_activity(1000)])) == []


async def test_an_id_is_remembered_for_the_window_and_forgotten_after_two(backend: Backend):
    queue = backend.activity_queue(window=1.0)
    await queue.append([an_activity(1)])
    begun = time.monotonic()
    while time.monotonic() - begun < 0.6:
        queue = backend.activity_queue(window=1.0)
        other = an_activity(random.getrandbits(100))
        assert list(await queue.append([other])) == []
        await asyncio.sleep(0.05)

    assert list(await queue.append([an_activity(2), an_activity(1)])) == [1]
    await asyncio.sleep(2.1)
    assert list(await queue.append([an_activity(1), an_activity(2)])) == []


async def test_a_full_queue_takes_nothing_until_some_is_settled(backend: Backend):
    queue = backend.activity_queue(max_backlog=10)
    await queue.append(activities(1, 4))
    await queue.append(activities(5, 12))

    with pytest.raises(QueueFullError):
        await queue.append([an_activity(13)])
    with pytest.raises(QueueFullError):
        await queue.append([an_activity(1)])
    inbox = backend.activity_inbox()
    batches = await taken(inbox, 12)
    with pytest.raises(QueueFullError):
        await queue.append([an_activity(13)])
    await inbox.settle(batches[:1])

    assert list(await queue.append([an_activity(13)])) == []
    figures = await backend.queue_watch().figures()
    assert (figures.accepted, figures.duplicates, figures.backlog) == (13, 0, 9)


async def test_an_append_larger_than_the_limit_passes_when_there_is_no_backlog(backend: Backend):
    queue = backend.activity_queue(max_backlog=10, max_backlog_bytes=100)

    assert list(await queue.append(activities(1, 50))) == []

    assert await drain(backend, 50) == activities(1, 50)
    assert list(await queue.append(activities(51, 100))) == []


async def until_refused(queue: ActivityQueue, some: Iterable[Activity]) -> None:
    for activity in some:
        await queue.append([activity])


async def test_a_queue_is_full_by_its_bytes_as_well(backend: Backend):
    queue = backend.activity_queue(max_backlog_bytes=5000)
    noise = random.Random(1)

    with pytest.raises(QueueFullError):
        await until_refused(queue, (an_activity(n, properties=noise.randbytes(400).hex()) for n in range(100)))

    assert 5000 <= (await backend.queue_watch().figures()).backlog_bytes < 6500
    await drain(backend, await backlog(backend))
    assert (await backend.queue_watch().figures()).backlog_bytes == 0
    assert list(await queue.append([an_activity(100)])) == []


async def test_everybody_hears_that_the_queue_is_full(backend: Backend):
    queue = backend.activity_queue(max_backlog=1)
    await queue.append([an_activity(1)])

    answers = await asyncio.gather(
        *(queue.append([an_activity(number)]) for number in range(2, 30)), return_exceptions=True
    )

    assert {type(answer) for answer in answers} == {QueueFullError}
    assert await drain(backend, 1) == [an_activity(1)]


async def test_a_waiting_inbox_hears_at_once(backend: Backend):
    inbox, queue = backend.activity_inbox(), backend.activity_queue()
    await inbox.take()
    waited = []
    for number in range(5):
        waiting = asyncio.create_task(taken(inbox, 1))  # a slow machine may take in vain first
        await asyncio.sleep(0.05)
        begun = time.monotonic()
        await queue.append([an_activity(number)])
        assert contents(await waiting) == [an_activity(number)]
        waited.append(time.monotonic() - begun)

    assert min(waited) < 0.14  # a busy machine may make some of them wait


async def test_an_empty_queue_is_waited_for_about_a_second_at_most(backend: Backend):
    begun = time.monotonic()

    assert list(await backend.activity_inbox().take()) == []

    assert 0.1 < time.monotonic() - begun < 1.5


async def test_what_was_settled_does_not_come_again_and_counts_once(backend: Backend):
    await backend.activity_queue().append(activities(1, 5))
    inbox = backend.activity_inbox(takeover=TAKEOVER)
    batches = await taken(inbox, 5)

    await inbox.settle(batches)
    await inbox.settle([*batches, *batches])
    await backend.activity_inbox().settle(batches)

    assert (await backend.queue_watch().figures()).settled == 5
    await asyncio.sleep(TAKEOVER * 1.3)
    assert list(await inbox.take()) == []
    assert list(await backend.activity_inbox(takeover=TAKEOVER).take()) == []


async def test_of_two_inboxes_each_batch_comes_to_one(backend: Backend):
    one, two = backend.activity_inbox(), backend.activity_inbox()
    queue = backend.activity_queue()
    for number in range(1, 101):
        await queue.append([an_activity(number)])

    batches = [batch for _ in range(6) for some in await asyncio.gather(one.take(), two.take()) for batch in some]

    assert sorted(contents(batches)) == activities(1, 100)


async def test_what_a_reader_left_is_taken_over_not_before_its_time_and_first(backend: Backend):
    takeover = 1.5
    gone, heir = backend.activity_inbox(takeover=takeover), backend.activity_inbox(takeover=takeover)
    queue = backend.activity_queue()
    await queue.append([an_activity(1)])
    await taken(gone, 1)
    begun = time.monotonic()
    await queue.append([an_activity(2)])
    own = await taken(heir, 1)
    assert contents(own) == [an_activity(2)]
    await heir.settle(own)

    batches = await taken(heir, 1)

    assert contents(batches) == [an_activity(1)]
    assert takeover - 0.05 < time.monotonic() - begun < takeover * 2 + 2
    await heir.settle(batches)
    await gone.settle(batches)
    assert (await backend.queue_watch().figures()).settled == 2


async def test_what_readers_left_is_taken_over_at_the_start_and_before_what_is_new(backend: Backend):
    queue = backend.activity_queue()
    for number in range(1, 51):
        await queue.append([an_activity(number)])
    await taken(backend.activity_inbox(), 50)
    await asyncio.sleep(TAKEOVER + 0.1)
    await queue.append([an_activity(51)])

    batches = await taken(backend.activity_inbox(takeover=TAKEOVER), 51)

    assert contents(batches) == activities(1, 51)


async def test_the_dead_are_buried_and_the_others_of_the_batch_are_settled(backend: Backend):
    await backend.activity_queue().append(activities(1, 5))
    inbox = backend.activity_inbox(takeover=TAKEOVER)
    (batch,) = await taken(inbox, 5)
    before = datetime.now(UTC) - timedelta(seconds=1)

    await inbox.bury(batch, activities(2, 3), "no room for «ñ»")
    await inbox.bury(batch, activities(2, 3), "once more")
    await inbox.settle([batch])

    (letter,) = await backend.dead_letters().list(10)
    assert (letter.reason, list(letter.activities), letter.source) == ("no room for «ñ»", activities(2, 3), None)
    assert before < letter.buried_at < datetime.now(UTC) + timedelta(seconds=1)
    figures = await backend.queue_watch().figures()
    assert (figures.settled, figures.backlog, figures.backlog_bytes, figures.dead_letters) == (5, 0, 0, 1)
    await asyncio.sleep(TAKEOVER * 1.3)
    assert list(await inbox.take()) == []


async def a_letter(backend: Backend, number: int) -> str:
    """Bury an activity; return the letter's id."""
    await backend.activity_queue().append([an_activity(number)])
    inbox = backend.activity_inbox()
    (batch,) = await taken(inbox, 1)
    await inbox.bury(batch, [an_activity(number)], f"reason {number}")
    return (await backend.dead_letters().list(100))[-1].letter_id


async def test_letters_are_listed_from_the_oldest(backend: Backend):
    for number in range(5):
        await a_letter(backend, number)

    letters = backend.dead_letters()

    assert [letter.reason for letter in await letters.list(3)] == ["reason 0", "reason 1", "reason 2"]
    assert len(await letters.list(100)) == 5
    assert list(await letters.list(0)) == []


async def test_a_letter_that_is_retried_comes_again_though_its_ids_are_known(backend: Backend):
    ids = [await a_letter(backend, number) for number in (1, 2, 3)]

    assert await backend.dead_letters().retry([ids[0], ids[2], ids[0]]) == 2

    assert [letter.letter_id for letter in await backend.dead_letters().list(10)] == [ids[1]]
    assert (await backend.queue_watch().figures()).backlog == 2
    assert await drain(backend, 2) == [an_activity(1), an_activity(3)]
    figures = await backend.queue_watch().figures()
    assert (figures.accepted, figures.settled, figures.backlog_bytes, figures.dead_letters) == (5, 5, 0, 1)


async def test_a_letter_that_is_dropped_is_gone(backend: Backend):
    ids = [await a_letter(backend, number) for number in (1, 2, 3)]

    assert await backend.dead_letters().drop([ids[1], ids[2]]) == 2
    assert await backend.dead_letters().drop(ids[1:]) == 0

    assert [letter.letter_id for letter in await backend.dead_letters().list(10)] == [ids[0]]
    assert list(await backend.activity_inbox().take()) == []


@pytest.mark.parametrize("letter_id", ["", "no id", "1-2-3", "-1", "²-1", "99999999999999999999-1", "1735689600000-7"])
async def test_a_letter_that_is_not_there_is_neither_retried_nor_dropped(backend: Backend, letter_id: str):
    real = await a_letter(backend, 1)

    assert await backend.dead_letters().retry([letter_id]) == 0
    assert await backend.dead_letters().retry([]) == 0
    assert await backend.dead_letters().drop([letter_id]) == 0
    assert await backend.dead_letters().drop([]) == 0
    assert await backend.dead_letters().drop([letter_id, real]) == 1


async def test_the_figures_of_a_queue_that_was_never_used_are_zero(backend: Backend):
    assert await backend.queue_watch().figures() == QueueFigures(0, 0, 0, 0, 0, 0)


async def test_the_figures_count_activities(backend: Backend):
    queue, inbox = backend.activity_queue(), backend.activity_inbox()
    await queue.append(activities(1, 10))
    await queue.append(activities(6, 15))
    (first, _) = await taken(inbox, 15)

    await inbox.settle([first])

    figures = await backend.queue_watch().figures()
    assert figures.backlog_bytes > 0
    assert figures == QueueFigures(
        accepted=15,
        duplicates=5,
        settled=10,
        dead_letters=0,
        backlog=5,
        backlog_bytes=figures.backlog_bytes,
        waited=figures.waited,
        timed=10,
        oldest_age=figures.oldest_age,
    )


async def test_the_figures_weigh_waits_by_activities(backend: Backend):
    queue, inbox, began = backend.activity_queue(), backend.activity_inbox(), time.monotonic()
    await queue.append(activities(1, 9))
    await asyncio.sleep(0.3)
    await queue.append(activities(10, 10))
    batches = await taken(inbox, 10)

    await inbox.settle(batches)
    longest = time.monotonic() - began
    await inbox.settle(batches)

    figures = await backend.queue_watch().figures()
    assert (figures.timed, figures.received, figures.processed) == (10, 10, 10)
    assert 0.26 < figures.average_wait < longest  # at least 0.3 s for nine of ten
    assert figures.waited == pytest.approx(figures.average_wait * 10)


async def test_nobody_has_waited_before_the_first_is_settled(backend: Backend):
    assert (await backend.queue_watch().figures()).average_wait == 0


async def oldest_age(backend: Backend) -> float:
    return (await backend.queue_watch().figures()).oldest_age


async def test_the_age_of_the_oldest_is_that_of_the_oldest_that_is_not_settled(backend: Backend):
    queue, inbox = backend.activity_queue(), backend.activity_inbox()
    await queue.append(activities(1, 2))
    await asyncio.sleep(0.6)
    nobody_reads = await oldest_age(backend)
    old = await taken(inbox, 2)
    await queue.append(activities(3, 4))
    in_hand = await oldest_age(backend)
    await inbox.settle(old)
    not_taken = await oldest_age(backend)
    await drain(backend, 2)

    assert 0.59 < nobody_reads <= in_hand < 5
    assert not_taken < 0.59
    assert await oldest_age(backend) == 0


async def test_the_dead_are_no_more_processed_than_received_twice(backend: Backend):
    await backend.activity_queue().append(activities(1, 5))
    inbox = backend.activity_inbox()
    (batch,) = await taken(inbox, 5)
    await inbox.bury(batch, activities(2, 3), "no room")
    await inbox.bury(batch, activities(2, 3), "once more")
    buried = await backend.queue_watch().figures()
    (letter,) = await backend.dead_letters().list(1)
    await backend.dead_letters().retry([letter.letter_id])
    await drain(backend, 2)

    figures = await backend.queue_watch().figures()

    assert (buried.received, buried.processed, buried.buried, buried.dead_letters) == (5, 3, 2, 1)
    assert (figures.received, figures.processed, figures.buried, figures.retried) == (5, 5, 2, 2)
    assert (figures.backlog, figures.dead_letters) == (0, 0)


async def test_a_queue_that_was_lost_goes_on(backend: Backend):
    queue, inbox = backend.activity_queue(), backend.activity_inbox(takeover=TAKEOVER)
    await queue.append(activities(1, 3))
    old = await taken(inbox, 3)
    waiting = asyncio.create_task(inbox.take())
    await asyncio.sleep(0.05)

    backend.lose_everything()

    assert list(await waiting) == []
    await inbox.settle(old)
    await queue.append(activities(2, 5))
    batches = await taken(inbox, 4)
    assert contents(batches) == activities(2, 5)
    await inbox.settle(old)
    await inbox.settle(batches)
    figures = await backend.queue_watch().figures()
    assert (figures.accepted, figures.settled) == (4, 4)


async def test_two_thousand_large_activities_go_in_one_append(backend: Backend):
    noise = random.Random(1)
    large = [an_activity(number, properties=f'{{"noise":"{noise.randbytes(2000).hex()}"}}') for number in range(2000)]

    assert list(await backend.activity_queue().append(large)) == []
    assert list(await backend.activity_queue().append(large)) == list(range(2000))

    (batch,) = await taken(backend.activity_inbox(), 2000)
    assert batch.activities == large


async def test_many_activities_go_in_one_append(backend: Backend):
    many = activities(0, 20_000)

    assert list(await backend.activity_queue().append([*many, an_activity(7)])) == [20_001]

    (batch,) = await taken(backend.activity_inbox(), 20_001)
    assert batch.activities == many


async def test_an_id_that_was_freed_is_taken_again(backend: Backend) -> None:
    queue = backend.activity_queue()
    await queue.append(activities(1, 1_500))

    await backend.recent_ids().free([one.activity_id for one in activities(2, 1_400)])

    assert list(await queue.append(activities(1, 1_500))) == [0, *range(1_400, 1_500)]


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_without_a_server_every_method_says_so_soon(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    batch = QueuedBatch("1-0 1 1", activities(1, 1))
    inbox, letters = redis.activity_inbox(), redis.dead_letters()
    break_it(server)

    for attempt in (
        lambda: redis.activity_queue().append(activities(1, 3)),
        inbox.take,
        lambda: inbox.settle([batch]),
        lambda: inbox.bury(batch, batch.activities, "why"),
        lambda: letters.list(1),
        lambda: letters.retry(["1-0"]),
        lambda: letters.drop(["1-0"]),
        redis.queue_watch().figures,
    ):
        begun = time.monotonic()
        with pytest.raises(LiveStateUnavailableError):
            await attempt()
        assert time.monotonic() - begun < 2


async def test_a_batch_has_the_instants_that_it_went_with(backend: Backend):
    chance = random.Random(1)
    spread = [an_activity(n, at=NOW + timedelta(microseconds=chance.randrange(10**12))) for n in range(500)]

    await backend.activity_queue().append(spread)

    assert await drain(backend, 500) == spread


@pytest.mark.redis_server
async def test_what_cannot_be_written_is_the_fault_of_its_own_appender(redis: RedisBackend):
    queue = redis.activity_queue()

    good, bad, other = await asyncio.gather(
        queue.append(activities(1, 3)),
        queue.append([an_activity(4, user="\ud800")]),
        queue.append(activities(5, 6)),
        return_exceptions=True,
    )

    assert isinstance(bad, UnicodeEncodeError)
    assert (good, other) == ([], [])
    assert await drain(redis, 5) == [*activities(1, 3), *activities(5, 6)]


@pytest.mark.redis_server
async def test_ids_of_the_past_take_no_room(redis: RedisBackend):
    queue = redis.activity_queue(window=0.2)
    for number in range(12):
        await asyncio.sleep(0.1)
        await queue.append([an_activity(number)])
    keys = [f"marquee:1:{{activities}}:ids:200:{number}" for number in range(4)]

    assert await redis.client.command("EXISTS", *keys) <= 2
    for key in keys:
        assert await redis.client.command("PTTL", key) != -1
    await asyncio.sleep(0.7)
    assert await redis.client.command("EXISTS", *keys) == 0


@pytest.mark.redis_server
async def test_what_cannot_be_read_has_failed_by_the_number_that_it_says(redis: RedisBackend):
    forged = ("n", "999999999999999", "b", "1", "d", "no activities")
    await redis.client.command("XADD", "marquee:1:{activities}:stream", "1-1", *forged)
    await redis.client.command("XADD", "marquee:1:{activities}:stream", "*", "n", "3", "b", "1", "d", "neither")

    await redis.activity_inbox().take()

    figures = await redis.queue_watch().figures()
    assert (figures.dead_letters, figures.buried, figures.settled) == (2, 10**15 + 2, 10**15 + 2)
    assert (figures.timed, figures.processed, figures.oldest_age) == (3, 0, 0)  # a wait beyond counting is left out


async def test_what_comes_soon_behind_a_read_is_read_together(redis: RedisBackend):
    queue = redis.activity_queue()
    inbox = RedisActivityInbox(redis.client, redis.blocking, gathering=0.5)
    await queue.append(activities(1, 1))
    first = await inbox.take()

    reading = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    for number in (2, 3):
        await queue.append(activities(number, number))

    assert contents(first) == activities(1, 1)
    assert contents(await reading) == activities(2, 3)


async def test_a_read_that_found_all_that_it_may_is_followed_at_once(redis: RedisBackend):
    queue = redis.activity_queue()
    inbox = RedisActivityInbox(redis.client, redis.blocking, gathering=3600)
    for number in range(1, 7):
        await queue.append(activities(number, number))

    async with asyncio.timeout(10):
        found = [*contents(await inbox.take()), *contents(await inbox.take())]

    assert found == activities(1, 6)
