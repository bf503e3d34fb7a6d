"""Loops of a worker that run while a test looks on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.adapters.inbound.worker.leased_loop import LeasedLoop


@asynccontextmanager
async def running(*loops: LeasedLoop) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(loop()) for loop in loops]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
