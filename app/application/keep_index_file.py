"""Keep the index file fresh, so that whoever starts next has an index at once (ADR 0085)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from app.application.follow_catalog import FollowCatalog
from app.application.ports.index_file import IndexFile, IndexFileError, IndexFileFacts
from app.application.trouble import Tell, Trouble
from app.domain.backoff import Backoff

LOOK_INTERVAL = 1.0
"""Seconds between two looks whether anything has changed."""

RETRY = Backoff(first=1.0, longest=60.0)
"""Between two attempts to write, for instance while the disk is full."""


@dataclass(slots=True, kw_only=True)
class KeepIndexFile:
    """Write the index file at the latest `interval` seconds after a change, unless a write takes longer than that.

    Nothing is written before the index has caught up with the live state once: half a catalog must not replace a whole
    one. What cannot be written costs freshness of the file and nothing else.
    """

    follow: FollowCatalog
    index_file: IndexFile
    interval: float
    on_trouble: Tell = lambda _: None
    """Told why the file cannot be written, and None when it can again."""
    on_written: Callable[[IndexFileFacts], None] = lambda _: None
    look_interval: float = LOOK_INTERVAL
    retry: Backoff = RETRY
    _has_caught_up: bool = False
    _behind_since: float | None = None
    """When it was first seen that the file lacks something, by a clock that only moves ahead; None: it does not."""
    _took: float = 0.0
    """Seconds of the last write."""
    _failures: int = 0
    _trouble: Trouble = field(init=False)

    def __post_init__(self) -> None:
        self._trouble = Trouble(self.on_trouble)

    async def __call__(self, stopping: asyncio.Event) -> None:
        """Keep it until told to stop, then write once more what it lacks.

        How long that may take is for those to say who end this process: killed, it leaves the file before, whole.
        """
        while not stopping.is_set():
            if self._is_time():
                await self._write()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await stopping.wait()
        if self._lacks_something():
            await self._write()

    def _lacks_something(self) -> bool:
        """Whether the file does; from when the index has caught up once, for it never knows less again."""
        self._has_caught_up = self._has_caught_up or self.follow.caught_up
        return self._has_caught_up and self.index_file.is_behind

    @property
    def _pause(self) -> float:
        return self.retry.delay(self._failures) if self._failures else self.look_interval

    def _is_time(self) -> bool:
        if not self._lacks_something():
            self._behind_since = None
            return False
        now = _now()
        if self._behind_since is None:
            self._behind_since = now
        return now >= self._behind_since + self.interval - self.look_interval - self._took

    async def _write(self) -> None:
        began = _now()
        try:
            facts = await self.index_file.write(self.follow.positions)
        except IndexFileError as error:
            self._failures += 1
            self._trouble.note(str(error))
            return
        self._took, self._failures = _now() - began, 0
        self._behind_since = began  # what it lacks by now has come since
        self._trouble.note(None)
        self.on_written(facts)


def _now() -> float:
    return asyncio.get_running_loop().time()
