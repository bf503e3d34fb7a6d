"""Work that is done once for all who want it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
Key = TypeVar("Key")


class SingleFlight(Generic[T]):
    """Runs `work` in a task of its own, so that whoever leaves meanwhile does not end it for the others."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None

    @property
    def is_flying(self) -> bool:
        """Whether the work goes on."""
        return self._task is not None and not self._task.done()

    async def __call__(self) -> T:
        """Join the flight in the air, or start one, and share its result or its error."""
        return await asyncio.shield(self.begin())

    def begin(self) -> "asyncio.Task[T]":
        """See that one is in the air, without waiting."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(_note)
        return self._task

    async def aclose(self) -> None:
        """End it."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> T:
        return await self._work()


def _note(flight: "asyncio.Task[T]") -> None:
    """Take note of how a flight ended for which nobody may wait any more."""
    if not flight.cancelled():
        flight.exception()


class SingleFlights(Generic[Key, T]):
    """Runs `work` once for all who want it of the same key at the same time."""

    def __init__(self, work: Callable[[Key], Awaitable[T]]) -> None:
        self._work = work
        self._flights: dict[Key, SingleFlight[T]] = {}

    async def __call__(self, key: Key) -> T:
        """Join this key's flight, or start one, and share its result or its error."""
        return await self._flights.setdefault(key, SingleFlight(partial(self._run, key)))()

    async def _run(self, key: Key) -> T:
        try:
            return await self._work(key)
        finally:
            del self._flights[key]
