"""One at a time for each question; who asks meanwhile waits for the same answer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class SingleFlight(Generic[Key, Answer]):
    """Runs `work` once for all who ask for a key at the same time; its error is raised for all of them.

    Who is cancelled while waiting does not stop it for the others. Who asks after its end begins it anew.
    """

    def __init__(self, work: Callable[[Key], Coroutine[Any, Any, Answer]]) -> None:
        self._work = work
        self._running: dict[Key, asyncio.Task[Answer]] = {}

    async def __call__(self, key: Key) -> Answer:
        """Wait for the run of this key; begin one, if there is none."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._work(key))
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: Key, done: "asyncio.Task[Answer]") -> None:
        """Look at its error too: when all who waited were cancelled, nobody else does."""
        del self._running[key]
        if not done.cancelled():
            done.exception()
