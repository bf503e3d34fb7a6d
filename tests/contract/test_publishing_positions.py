"""What PublishingPositions promises, over memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Iterator

import pytest

from app.application.ports.publishing import PublishingPositions, ToldCounts
from app.application.ports.system import HistoryUnavailableError
from tests.fakes.publishing_positions import MemoryPublishingPositions
from tests.support.history_backends import HistoryBackend, SqlHistory


@pytest.fixture
def positions(history: HistoryBackend) -> PublishingPositions:
    return history.publishing_positions()


async def test_a_publisher_that_was_told_nothing_has_no_position(positions: PublishingPositions):
    await positions.move("other", "plans", 7, 1)
    await positions.note_failure("stream", "plans", 3)

    assert await positions.of("stream") == {}
    assert await positions.of("other") == {"plans": 7}


async def test_each_publisher_has_a_position_in_each_log(positions: PublishingPositions):
    await positions.move("stream", "plans", 2**53, 5)
    await positions.move("stream", "users", 0, 0)
    await positions.move("webhooks", "plans", 4, 4)
    await positions.move("stream", "plans", 2**53 + 1, 1)

    assert await positions.of("stream") == {"plans": 2**53 + 1, "users": 0}
    assert await positions.of("webhooks") == {"plans": 4}


async def test_a_position_is_never_set_back(positions: PublishingPositions):
    await positions.move("stream", "plans", 9, 9)

    await positions.move("stream", "plans", 3, 2)
    await positions.note_failure("stream", "plans", 4)

    assert await positions.of("stream") == {"plans": 9}
    assert await positions.counts() == {"stream": ToldCounts(11, 4)}


async def test_what_was_told_and_what_failed_is_counted_for_each_publisher(positions: PublishingPositions):
    assert await positions.counts() == {}

    await positions.note_failure("stream", "plans", 3)
    await positions.note_failure("stream", "plans", 2)
    await positions.move("stream", "plans", 10, 10)
    await positions.move("webhooks", "users", 1, 2**40)
    await positions.move("webhooks", "plans", 1, 1)
    await positions.note_failure("log", "users", 1)

    assert await positions.counts() == {
        "stream": ToldCounts(10, 5),
        "webhooks": ToldCounts(2**40 + 1, 0),
        "log": ToldCounts(0, 1),
    }
    assert await positions.of("stream") == {"plans": 10}


async def test_many_may_count_at_once(history: HistoryBackend):
    await asyncio.gather(
        *(history.publishing_positions().move("stream", "plans", number, 1) for number in range(1, 21)),
        *(history.publishing_positions().note_failure("stream", "plans", 1) for _ in range(10)),
    )

    positions = history.publishing_positions()
    assert (await positions.of("stream"), await positions.counts()) == (
        {"plans": 20},
        {"stream": ToldCounts(20, 10)},
    )


async def test_memory_that_is_away_says_so():
    positions = MemoryPublishingPositions()
    positions.unavailable = "away"

    for attempt in each_method(positions):
        with pytest.raises(HistoryUnavailableError, match="away"):
            await attempt


async def test_a_database_without_our_tables_says_what_to_do(bare_history: SqlHistory):
    for attempt in each_method(bare_history.publishing_positions()):
        with pytest.raises(HistoryUnavailableError, match="marquee migrate"):
            await attempt


def each_method(positions: PublishingPositions) -> Iterator[Awaitable[object]]:
    yield positions.of("stream")
    yield positions.move("stream", "plans", 1, 1)
    yield positions.note_failure("stream", "plans", 1)
    yield positions.counts()
