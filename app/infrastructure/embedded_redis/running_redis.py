"""The embedded Redis for as long as a block runs, however that ends, without a client of Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.processes.head_start import head_start
from app.infrastructure.processes.parent_watch import until_supervisor_gone


@asynccontextmanager
async def running(embedded: EmbeddedRedis | None) -> AsyncIterator[None]:
    """Have the embedded Redis run while the block does.

    A start that is cancelled, or whose supervisor is gone meanwhile, is given up: it leaves no server behind that
    nobody else uses, however much that has yet to read.

    Raises:
        EmbeddedRedisError: it cannot be started, or the supervisor is gone.
    """
    if embedded is None:
        yield
        return
    try:
        await _start(embedded)
        yield
    finally:
        stopping = asyncio.create_task(asyncio.to_thread(embedded.stop))
        await _finished(stopping)
        stopping.result()


@asynccontextmanager
async def running_soon(embedded: EmbeddedRedis | None, seconds: float | None) -> AsyncIterator[None]:
    """Have it run while the block does, which begins after so many seconds at the latest (None: when it runs).

    Raises:
        EmbeddedRedisError: as `running`, be it while the block runs.
    """
    async with AsyncExitStack() as stack:

        async def start() -> None:
            await stack.enter_async_context(running(embedded))

        async with head_start(start, seconds):
            yield


async def _start(embedded: EmbeddedRedis) -> None:
    starting = asyncio.create_task(asyncio.to_thread(embedded.start))
    alone = asyncio.create_task(until_supervisor_gone())
    try:
        await asyncio.wait((starting, alone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        alone.cancel()
        if not starting.done():
            embedded.give_up()
            await _finished(starting)
    starting.result()


async def _finished(task: "asyncio.Task[None]") -> None:
    """Wait until a thread's work has ended, even when this task is cancelled over it: a thread cannot be."""
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait((task,))
    task.exception()  # seen: whoever wants it raised asks for the result
