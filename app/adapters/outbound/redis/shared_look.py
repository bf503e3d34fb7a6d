"""One look at a time, whoever needs it: so that a thousand commands that fail do not ask a thousand times."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from app.application.single_flight import SingleFlight

PAUSE = 0.1
"""Seconds between two looks, at least."""


class SharedLook(SingleFlight[None]):
    """Runs `look`, which finds out where a server is, for all who ask meanwhile; each waits `timeout` s at most."""

    def __init__(self, look: Callable[[], Awaitable[None]], timeout: float) -> None:
        super().__init__(self._timed)
        self._look = look
        self._timeout = timeout
        self._ended_at = float("-inf")

    @property
    def age(self) -> float:
        """Seconds since the last look ended."""
        return monotonic() - self._ended_at

    async def __call__(self) -> None:
        """Wait for a look that is under way or begins now, and share its error."""
        async with asyncio.timeout(self._timeout):
            await super().__call__()

    async def _timed(self) -> None:
        try:
            await self._look()
        finally:
            self._ended_at = monotonic()
