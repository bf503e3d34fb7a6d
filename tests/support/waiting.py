"""Waiting for what other processes do, and whether they live."""

import asyncio
import inspect
import os
import subprocess
import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {seconds:g} s: {condition}")
        time.sleep(0.01)


async def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait in an event loop; a condition may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.005)


def lives(pid: int) -> bool:
    """A process that has ended and was not reaped yet (state Z) does not live."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = _state(pid)
    return bool(state.strip()) and not state.startswith("Z")


def is_stopped(pid: int) -> bool:
    """A signal that stops a process takes a moment; until then it may take connections."""
    return _state(pid).startswith("T")


def _state(pid: int) -> str:
    return subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
