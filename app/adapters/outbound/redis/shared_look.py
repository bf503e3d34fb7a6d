"""One look at a time, whoever needs it: so that a thousand commands that fail do not ask a thousand times."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any

PAUSE = 0.1
"""Seconds between two looks, at least."""


class SharedLook:
    """Runs `look`, which finds out where a server is, for all who ask meanwhile; each waits `timeout` s at most."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, None]], timeout: float) -> None:
        self._look = look
        self._timeout = timeout
        self._task: asyncio.Task[None] | None = None
        self._ended_at = float("-inf")

    @property
    def age(self) -> float:
        """Seconds since the last look ended."""
        return monotonic() - self._ended_at

    async def __call__(self) -> None:
        """Wait for a look that is under way or begins now, and share its error."""
        async with asyncio.timeout(self._timeout):
            await asyncio.shield(self.begin())

    def begin(self) -> asyncio.Task[None]:
        """See that one is under way, without waiting."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be left to ask
        return self._task

    async def _run(self) -> None:
        try:
            await self._look()
        finally:
            self._ended_at = monotonic()

    async def aclose(self) -> None:
        """End it."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
