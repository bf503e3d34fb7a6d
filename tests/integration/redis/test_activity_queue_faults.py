"""The queue of activities on a Redis that is killed, paused, full, or touched by an operator."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest

from app.adapters.outbound.redis.activity_inbox import GROUP, RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import FIGURES, STREAM, RedisActivityQueue
from app.adapters.outbound.redis.connection import RedisClient, connect
from app.adapters.outbound.redis.dead_letters import RedisDeadLetters
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.application.ports.activities import ActivityInbox, ActivityQueue, QueuedBatch
from app.application.ports.system import LiveStateUnavailableError
from app.domain.activities import Activity
from tests.support.builders import an_activity
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.redis_server

KILLS = 20
APPENDERS = 6
TIMEOUT = 1.0
BLOCK = 0.2


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[RedisClient]:
    client = connect(server.url, timeout=TIMEOUT)
    yield client
    server.resume()
    await client.aclose()


@pytest.fixture
async def blocking(server: RedisServer) -> AsyncIterator[RedisClient]:
    client = connect(server.url, timeout=TIMEOUT + BLOCK)
    yield client
    server.resume()
    await client.aclose()


@pytest.fixture
def queue(client: RedisClient) -> RedisActivityQueue:
    return RedisActivityQueue(client)


@pytest.fixture
def inbox(client: RedisClient, blocking: RedisClient) -> RedisActivityInbox:
    return RedisActivityInbox(client, blocking, block=BLOCK)


async def all_of(inbox: ActivityInbox) -> list[QueuedBatch]:
    """Take until nothing comes."""
    batches: list[QueuedBatch] = []
    while some := await inbox.take():
        batches += some
    return batches


def ids_of(batches: list[QueuedBatch]) -> list[int]:
    return [activity.activity_id.int for batch in batches for activity in batch.activities]


class Appender:
    """A client that repeats what was not acknowledged, and some of what was."""

    def __init__(self, queue: ActivityQueue) -> None:
        self._queue = queue
        self.acknowledged: set[UUID] = set()
        self.repeated = 0

    async def work(self) -> None:
        while True:
            new = [an_activity(secrets.randbits(128)) for _ in range(random.choice([1, 3, 20]))]
            await self._append(new)
            if random.random() < 0.2:
                self.repeated += len(await self._append(new[:2]))

    async def _append(self, activities: list[Activity]) -> list[int]:
        while True:
            try:
                duplicates = list(await self._queue.append(activities))
            except LiveStateUnavailableError:
                await asyncio.sleep(0.01)
            else:
                self.acknowledged |= {activity.activity_id for activity in activities}
                return duplicates


class Reader:
    """A worker: what it takes it settles, soon."""

    def __init__(self, inbox: ActivityInbox) -> None:
        self._inbox = inbox
        self.batches: dict[str, set[UUID]] = {}

    async def work(self) -> None:
        while True:
            try:
                await self._take_and_settle()
            except LiveStateUnavailableError:
                await asyncio.sleep(0.01)

    async def _take_and_settle(self) -> None:
        batches = await self._inbox.take()
        for batch in batches:
            self.batches[batch.token] = {activity.activity_id for activity in batch.activities}
        await self._inbox.settle(batches)


@pytest.mark.slow
async def test_a_server_killed_again_and_again_costs_no_activity_and_doubles_none(
    server: RedisServer, client: RedisClient, blocking: RedisClient
):
    queues = [RedisActivityQueue(client), RedisActivityQueue(client)]
    appenders = [Appender(queues[number % 2]) for number in range(APPENDERS)]
    readers = [Reader(RedisActivityInbox(client, blocking, takeover=1.0, block=BLOCK)) for _ in range(2)]
    writing = [asyncio.create_task(appender.work()) for appender in appenders]
    reading = [asyncio.create_task(reader.work()) for reader in readers]

    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.02, 0.2))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    await asyncio.sleep(0.1)
    for task in writing:
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)
    await _drained(client)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)

    batches = readers[0].batches | readers[1].batches
    came = Counter(activity_id for batch in batches.values() for activity_id in batch)
    acknowledged = set().union(*(appender.acknowledged for appender in appenders))
    assert len(acknowledged) > 10 * KILLS
    assert acknowledged - set(came) == set()
    assert {activity_id for activity_id, count in came.items() if count > 1} == set()
    figures = await RedisQueueWatch(client).figures()
    assert (figures.accepted, figures.backlog, figures.backlog_bytes) == (len(came), 0, 0)
    assert await client.command("XLEN", STREAM) == 0


async def _drained(client: RedisClient) -> None:
    for _ in range(200):
        if not (await RedisQueueWatch(client).figures()).backlog:
            return
        await asyncio.sleep(0.1)


async def test_a_paused_server_is_told_to_all_who_wait_in_about_the_timeout(
    server: RedisServer, queue: RedisActivityQueue
):
    appends = [[an_activity(1000 * number + i) for i in range(100)] for number in range(50)]
    await queue.append([an_activity(1)])
    server.pause()
    begun = time.monotonic()

    answers = await asyncio.gather(*(queue.append(append) for append in appends), return_exceptions=True)

    assert {type(answer) for answer in answers} == {LiveStateUnavailableError}
    assert time.monotonic() - begun < TIMEOUT * 5
    server.resume()
    again = await asyncio.gather(*(queue.append(append) for append in appends))
    assert {tuple(answer) for answer in again} <= {(), (1,), tuple(range(100))}


async def test_what_an_answer_that_was_lost_had_delivered_comes_again(
    server: RedisServer, client: RedisClient, queue: RedisActivityQueue
):
    hasty = connect(server.url, timeout=0.5)
    inbox = RedisActivityInbox(client, hasty, takeover=2.0, block=0.1)
    assert list(await inbox.take()) == []
    await queue.append([an_activity(1)])
    server.pause()
    with pytest.raises(LiveStateUnavailableError):
        await inbox.take()
    server.resume()
    assert list(await inbox.take()) == []
    assert (await client.command("XPENDING", STREAM, GROUP))["pending"] == 1

    await asyncio.sleep(2.0)

    assert ids_of(list(await inbox.take())) == [1]
    await hasty.aclose()


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 3, "b": 9, "d": b""},
        {"n": 3, "b": 9, "d": b"\x07whatever"},
        {"n": 3, "b": 9, "d": b"\x01\xff\xff"},
        {"n": 3, "b": 9, "d": b"\x02not compressed"},
        {"n": 3, "b": 9, "d": b"\x01\x91\x91\x97\xc4\x02ab"},
        {"n": 3, "b": 9, "d": b"\x01\x90", "skip": "1,x"},
        {"n": 3, "b": 9},
        {"n": "many", "b": "-1", "d": b"\x03"},
        {"who": "knows"},
    ],
)
async def test_an_entry_that_cannot_be_read_becomes_a_dead_letter_and_those_behind_it_come(
    client: RedisClient, queue: RedisActivityQueue, inbox: RedisActivityInbox, fields: dict[str, bytes | str | int]
):
    parts = [part for field in fields.items() for part in field]
    await queue.append([an_activity(1)])
    await client.command("XADD", STREAM, "*", *parts)
    await queue.append([an_activity(2)])
    counted = fields.get("n") == 3
    for counter, number in ("accepted", 3), ("accepted_bytes", 9):
        await client.command("HINCRBY", FIGURES, counter, number if counted else 0)

    batches = await all_of(inbox)
    await inbox.settle(batches)

    assert ids_of(batches) == [1, 2]
    letters = RedisDeadLetters(client)
    (letter,) = await letters.list(10)
    assert letter.reason.startswith("unreadable: ")
    assert (list(letter.activities), letter.source is not None) == ([], True)
    assert await letters.retry([letter.letter_id]) == 0
    figures = await RedisQueueWatch(client).figures()
    assert (figures.backlog, figures.backlog_bytes, figures.dead_letters) == (0, 0, 1)
    assert await letters.drop([letter.letter_id]) == 1


async def test_any_damage_to_an_entry_costs_that_entry_at_most(
    client: RedisClient, queue: RedisActivityQueue, inbox: RedisActivityInbox
):
    chance = random.Random(1)
    await queue.append([an_activity(number, value="1.5", properties='{"a":1}') for number in range(100)])
    ((_, fields),) = await client.command("XRANGE", STREAM, "-", "+")
    for _ in range(300):
        damaged = bytearray(fields[b"d"])
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        await client.command("XADD", STREAM, "*", "n", 0, "b", 0, "d", bytes(damaged[: chance.randrange(1, 3000)]))
    await queue.append([an_activity(1000)])

    batches = [batch for _ in range(25) for batch in await inbox.take()]

    assert ids_of(batches)[:100] == list(range(100))
    assert ids_of(batches)[-1] == 1000
    assert (await RedisQueueWatch(client).figures()).dead_letters >= 250


async def lengths(client: RedisClient) -> int:
    return int(await client.command("XLEN", STREAM))


async def test_nothing_is_removed_that_another_group_has_not_finished(
    client: RedisClient, queue: RedisActivityQueue, inbox: RedisActivityInbox
):
    await client.command("XGROUP", "CREATE", STREAM, "other", "0", "MKSTREAM")
    for number in range(1, 6):
        await queue.append([an_activity(number)])

    await inbox.settle(await all_of(inbox))
    unread = await lengths(client)
    reading = ("XREADGROUP", "GROUP", "other", "me", "COUNT", 3, "STREAMS", STREAM, ">")
    ((_, entries),) = await client.command(*reading)
    await queue.append([an_activity(6)])
    await inbox.settle(await all_of(inbox))
    pending = await lengths(client)
    await client.command("XACK", STREAM, "other", entries[0][0], entries[2][0])
    await queue.append([an_activity(7)])
    await inbox.settle(await all_of(inbox))
    one_pending = await lengths(client)
    await client.command("XACK", STREAM, "other", entries[1][0])
    await queue.append([an_activity(8)])
    await inbox.settle(await all_of(inbox))

    assert (unread, pending, one_pending) == (5, 6, 6)
    ((_, rest),) = await client.command("XREADGROUP", "GROUP", "other", "me", "STREAMS", STREAM, ">")
    assert len(rest) == await lengths(client) == 5


async def test_nothing_is_removed_that_one_of_us_has_in_hand(
    client: RedisClient, blocking: RedisClient, queue: RedisActivityQueue, inbox: RedisActivityInbox
):
    for number in range(1, 5):
        await queue.append([an_activity(number)])
    batches = list(await inbox.take())

    await inbox.settle([batches[0], *batches[2:]])

    assert await lengths(client) == 3
    await asyncio.sleep(0.1)
    heir = RedisActivityInbox(client, blocking, takeover=0.05, block=BLOCK)
    assert ids_of(list(await heir.take())) == [2]
    await heir.settle(batches)
    assert await lengths(client) == 0


async def test_an_entry_that_an_operator_deleted_holds_nobody_up(
    client: RedisClient, blocking: RedisClient, queue: RedisActivityQueue, inbox: RedisActivityInbox
):
    for number in range(1, 4):
        await queue.append([an_activity(number)])
    batches = await inbox.take()
    await client.command("XDEL", STREAM, batches[0].token.split()[0])
    await asyncio.sleep(0.1)
    heir = RedisActivityInbox(client, blocking, takeover=0.05, block=BLOCK)

    found = list(await heir.take())
    await heir.settle(found)

    assert ids_of(found) == [2, 3]
    assert await lengths(client) == 0
    assert (await client.command("XPENDING", STREAM, GROUP))["pending"] == 0


async def readers(client: RedisClient) -> int:
    return len(await client.command("XINFO CONSUMERS", STREAM, GROUP))


async def test_readers_that_are_gone_are_forgotten_unless_they_left_something(
    client: RedisClient, blocking: RedisClient, queue: RedisActivityQueue
):
    gone = [RedisActivityInbox(client, blocking, block=BLOCK) for _ in range(3)]
    for number, inbox in enumerate(gone):
        await queue.append([an_activity(number)])
        batches = await inbox.take()
        if number:
            await inbox.settle(batches)
    assert await readers(client) == 3
    await asyncio.sleep(0.6)

    heir = RedisActivityInbox(client, blocking, takeover=0.05, block=BLOCK)
    batches = await heir.take()

    assert ids_of(list(batches)) == [0]
    assert await readers(client) == 1
    await heir.aclose()
    assert await readers(client) == 1
    await heir.settle(batches)
    await heir.aclose()
    assert await readers(client) == 0


async def test_an_inbox_closes_whatever_has_become_of_the_server(
    server: RedisServer, client: RedisClient, inbox: RedisActivityInbox, queue: RedisActivityQueue
):
    await inbox.aclose()
    await queue.append([an_activity(1)])
    await inbox.aclose()
    await client.command("FLUSHALL")
    await inbox.aclose()
    server.kill()
    await inbox.aclose()


async def test_a_server_whose_memory_is_full_refuses_what_comes_and_lets_the_backlog_be_drained(
    client: RedisClient, queue: RedisActivityQueue, inbox: RedisActivityInbox
):
    for number in range(100):
        await queue.append([an_activity(number, properties=secrets.token_hex(5000))])
    others = await inbox.take()
    await client.command("CONFIG SET", "maxmemory", 1)

    with pytest.raises(LiveStateUnavailableError, match="memory"):
        await queue.append([an_activity(100)])
    batches = list(await inbox.take())
    await inbox.settle(batches[1:])
    await inbox.bury(batches[0], batches[0].activities, "why not")

    figures = await RedisQueueWatch(client).figures()
    assert (figures.accepted, figures.settled, figures.dead_letters) == (100, len(batches), 1)
    assert len(others) < len(batches) < 100
    await client.command("CONFIG SET", "maxmemory", 0)
    assert list(await queue.append([an_activity(100)])) == []


async def test_appends_that_wait_for_each_other_become_one_entry_within_bounds(
    client: RedisClient, queue: RedisActivityQueue
):
    await asyncio.gather(*(queue.append([an_activity(number)]) for number in range(400)))
    together = await lengths(client)
    await asyncio.gather(
        *(queue.append([an_activity(1000 + 300 * i + j) for j in range(300)]) for i in range(10)),
    )

    assert together <= 3
    entries = await client.command("XRANGE", STREAM, "-", "+")
    assert max(int(fields[b"n"]) for _, fields in entries) <= 1000
    assert sum(int(fields[b"n"]) for _, fields in entries) == 3400


async def test_what_was_given_up_before_it_was_sent_is_not_sent(client: RedisClient, queue: RedisActivityQueue):
    appends = [asyncio.create_task(queue.append([an_activity(number)])) for number in range(4)]
    await asyncio.sleep(0)  # each has begun, and no call has

    appends[0].cancel()
    appends[2].cancel()
    answers = await asyncio.gather(*appends, return_exceptions=True)

    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [True, False, True, False]
    assert (await RedisQueueWatch(client).figures()).accepted == 2
