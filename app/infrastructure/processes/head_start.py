"""Work that a process would rather have done before it begins, but does not wait for as long as it takes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def head_start(work: Callable[[], Coroutine[Any, Any, object]], seconds: float | None) -> AsyncIterator[None]:
    """Do the work for so many seconds (None: to its end), and go on with it while the block runs.

    What it raises, then or later, ends the block and is raised. A block that ends first ends the work.
    """
    working = asyncio.create_task(work())
    block = asyncio.current_task()
    try:
        await asyncio.wait((working,), timeout=seconds)
        if working.done():
            working.result()
        working.add_done_callback(lambda _: _has_failed(working) and block and block.cancel())
        yield
    except asyncio.CancelledError:
        if _has_failed(working):
            working.result()
        raise
    finally:
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))


def _has_failed(working: "asyncio.Task[object]") -> bool:
    return working.done() and not working.cancelled() and working.exception() is not None
