"""What is packed is unpacked in bounded steps, others have their turn between, and the work has an end."""

import asyncio
import gzip
import random
import zlib
from itertools import count

import pytest

from app.adapters.formats.unpacking import SLOWEST, STEP, TooMuchWorkError, Work
from app.adapters.inbound.http.connection.connection_errors import InvalidGzipError
from app.adapters.inbound.http.connection.request_body import PIECE, unpack
from app.adapters.outbound.providers.fetching.decompression import Body
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.application.ports.providers import FeedRefusedError

MOST = 8 * 1024**2
PLAIN = random.Random(1).randbytes(20 * STEP)
PACKED = gzip.compress(PLAIN, 1, mtime=0)
STEPS = -(-len(PACKED) // STEP)


def work(*, per_step: float = 0.0, seconds: float = 1.0) -> Work:
    """Make a count by which each step takes so long; the clock is read before and after it."""
    readings = count()
    return Work(seconds, lambda: next(readings) * per_step)


def feed(body: Body, packed: bytes) -> list[bytes]:
    parts = list(body.decode(packed))
    body.finish()
    return parts


async def test_a_body_is_unpacked_in_steps_of_bounded_input() -> None:
    done = work()

    assert await unpack(PACKED, MOST, None, done) == PLAIN

    assert STEPS <= done.steps <= STEPS + 1


async def test_a_step_gives_a_bounded_piece() -> None:
    zeros = b"\0" * (4 * PIECE)
    done = work()

    assert await unpack(gzip.compress(zeros, mtime=0), MOST, None, done) == zeros

    assert done.steps >= 4


async def test_others_have_their_turn_after_each_millisecond_of_work() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    going_on = asyncio.create_task(others())
    await unpack(PACKED, MOST, None, work(per_step=0.0006))
    going_on.cancel()

    assert turns >= STEPS // 2


async def test_work_that_brings_little_has_an_end() -> None:
    done = work(per_step=0.3)

    with pytest.raises(TooMuchWorkError, match=r"1\.20 s of work"):
        await unpack(PACKED, MOST, None, done)

    assert done.steps == 4


async def test_output_pays_for_its_work() -> None:
    needed = len(PLAIN) / SLOWEST

    assert await unpack(PACKED, MOST, None, work(per_step=needed / STEPS, seconds=0.01)) == PLAIN


@pytest.mark.parametrize("behind", [b"x", b"x" * 3 * STEP])  # another member is unpacked, too
async def test_what_is_behind_the_end_is_counted_and_never_unpacked(behind: bytes) -> None:
    done = work()

    with pytest.raises(InvalidGzipError, match=f"goes on after its end, by {len(behind):,} bytes"):
        await unpack(PACKED + behind, MOST, None, done)

    assert done.steps <= STEPS + 1


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", PACKED), ("deflate", zlib.compress(PLAIN, 1)), ("deflate", zlib.compress(PLAIN, 1)[2:-4])],
    ids=["gzip", "zlib", "deflate"],
)
def test_a_feed_is_unpacked_in_steps_and_its_work_has_an_end(coding: str, packed: bytes) -> None:
    parts = feed(Body(coding, FetchLimits(), "feed", work()), packed)
    slow = work(per_step=0.3)

    with pytest.raises(FeedRefusedError, match=r"feed: expected a body in \w+: to unpack it took 1\.20 s"):
        list(Body(coding, FetchLimits(), "feed", slow).decode(packed))

    assert b"".join(parts) == PLAIN
    assert STEPS <= len(parts) <= STEPS + 1
    assert slow.steps == 4


def test_each_member_of_a_feed_is_a_step_also_one_without_content() -> None:
    members = gzip.compress(b"", mtime=0) * 30 + PACKED
    done = work()

    parts = feed(Body("gzip", FetchLimits(), "feed", done), members)

    assert b"".join(parts) == PLAIN
    assert done.steps >= 30 + STEPS
    assert parts[:30] == [b""] * 30


def test_a_fetch_is_told_when_others_are_to_have_their_turn() -> None:
    body = Body("gzip", FetchLimits(), "feed", work(per_step=0.0006))

    over = [body.turn_is_over() for _ in body.decode(PACKED)]

    assert over[:4] == [False, True, False, True]
