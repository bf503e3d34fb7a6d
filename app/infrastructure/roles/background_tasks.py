"""A role's main work and its background tasks, until it is told to end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import structlog

from app.infrastructure.embedded_redis.embedded_redis import embedded_redis
from app.infrastructure.embedded_redis.running_redis import running
from app.infrastructure.processes.parent_watch import has_supervisor, until_supervisor_gone
from app.infrastructure.settings.settings import Settings

log = structlog.get_logger()

CANCELLED_AGAIN = 8.0
"""Seconds after which a task that goes on is cancelled again: longer than any takes to end what it has in hand."""


async def run_with_background(
    main: Awaitable[None],
    background: Sequence[Coroutine[Any, Any, None]],
    stop: Callable[[], object],
    settings: Settings,
) -> None:
    """Do the main work while background tasks run; an unforeseen end of either ends both."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(work) for work in (*background, _end_with_supervisor(stop), _keep_redis(settings))]
    for task in tasks:
        task.add_done_callback(lambda task: None if task.cancelled() or task.exception() is None else stop())
    try:
        await main
    finally:
        await end_tasks(tasks)
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def end_tasks(tasks: Collection[asyncio.Task[None]], again: float = CANCELLED_AGAIN) -> None:
    """Cancel tasks until all have ended: `asyncio.wait_for` of Python 3.11, by which libraries wait, may lose one."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again)


async def until_cancelled(task: asyncio.Task[None]) -> None:
    """Wait for a task that may be cancelled."""
    with suppress(asyncio.CancelledError):
        await task


async def _end_with_supervisor(stop: Callable[[], object]) -> None:
    await until_supervisor_gone()
    log.warning("the supervisor is gone, so this process ends too")
    stop()


async def _keep_redis(settings: Settings) -> None:
    """Watch over the embedded Redis in a role that runs without a supervisor (which would do it)."""
    embedded = None if has_supervisor() else embedded_redis(settings)
    if embedded is None:
        return
    async with running(embedded):
        while True:
            await asyncio.sleep(1)
            await asyncio.to_thread(embedded.ensure)
