"""Fetching a feed from a file: read where it lies, recognised by its time, size and content."""

import asyncio
import hashlib
import os
import stat
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.decompression import check_size
from app.adapters.outbound.providers.fetched_feed import FetchedFeed, FetchLimits
from app.application.ports.providers import FeedMark, FeedRefusedError, FeedUnavailableError, FeedWatcher
from app.application.ports.system import Clock

# A file that was written this shortly before may be written again without its time changing: only its content counts.
_SETTLED_AFTER = 2.0


class FileFetch:
    """Fetches one file. Relative paths are relative to the working directory."""

    def __init__(self, path: Path, limits: FetchLimits, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._clock = clock
        self._limits = limits
        self.source = str(path)

    async def __call__(self, since: FeedMark | None, watcher: FeedWatcher | None) -> FetchedFeed | None:
        """Take what the file holds now; None when it is what `since` marks.

        Raises:
            FeedError: as `Provider.fetch`.
        """
        try:
            feed = await asyncio.to_thread(self._open, since)
        except OSError as error:
            raise FeedUnavailableError(f"{self.source}: expected a file to read: {error.strerror}") from error
        if feed and watcher:
            watcher.fetched(feed.received, feed.received)
        return feed

    def _open(self, since: FeedMark | None) -> FetchedFeed | None:
        if not stat.S_ISREG(self._path.stat().st_mode):  # a directory, or a pipe that would never end
            raise FeedRefusedError(f"{self.source}: expected a regular file")
        with ExitStack() as unless_handed_on:
            file = unless_handed_on.enter_context(self._path.open("rb"))
            status = os.fstat(file.fileno())
            check_size(status.st_size, self._limits, self.source)
            version = _version(status, self._clock.now())
            if since and version and version == since.etag:
                return None
            content = hashlib.file_digest(file, "sha256").hexdigest()
            if since and content == since.content:
                return None
            file.seek(0)
            unless_handed_on.pop_all()
            return FetchedFeed(file, FeedMark(etag=version, content=content), status.st_size)


def _version(status: os.stat_result, now: datetime) -> str | None:
    if now.timestamp() - status.st_mtime < _SETTLED_AFTER:
        return None
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
