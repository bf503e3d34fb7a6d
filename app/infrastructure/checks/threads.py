"""Work that may block for ever (a disk of a server that is gone) and must keep nobody from ending."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Do the work in a thread of its own; whoever stops waiting for it may end the process."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # who stops waiting cannot stop the work

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)
