"""Work before a block that does not wait for it for ever."""

import asyncio

import pytest

from app.infrastructure.processes.head_start import head_start

LONG = 60.0


class MistakeError(Exception):
    pass


async def test_work_that_is_quick_is_done_before_the_block() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("work")

    async with head_start(work, LONG):
        done.append("block")

    assert done == ["work", "block"]


async def test_work_that_takes_longer_goes_on_beside_the_block() -> None:
    go_on, over = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        over.set()

    async with head_start(work, 0.01):
        go_on.set()
        await asyncio.wait_for(over.wait(), 5)


async def test_without_a_bound_the_block_waits_to_the_end() -> None:
    over = False

    async def work() -> None:
        nonlocal over
        await asyncio.sleep(0.05)
        over = True

    async with head_start(work, None):
        assert over


async def test_what_the_work_raises_at_first_keeps_the_block_from_beginning() -> None:
    async def work() -> None:
        raise MistakeError

    with pytest.raises(MistakeError):
        async with head_start(work, LONG):
            pytest.fail("it began")


async def test_what_the_work_raises_later_ends_the_block() -> None:
    go_on = asyncio.Event()

    async def work() -> None:
        await go_on.wait()
        raise MistakeError

    async def whole() -> None:
        async with head_start(work, 0.01):
            go_on.set()
            await asyncio.sleep(LONG)

    with pytest.raises(MistakeError):
        await whole()


async def test_a_block_that_ends_first_ends_the_work() -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(LONG)
        finally:
            ended = True

    async with head_start(work, 0.01):
        pass

    assert ended


async def test_a_cancelled_block_stays_cancelled() -> None:
    async def work() -> None:
        await asyncio.sleep(LONG)

    async def whole() -> None:
        async with head_start(work, 0.01):
            await asyncio.sleep(LONG)

    task = asyncio.create_task(whole())
    await asyncio.sleep(0.05)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
