"""Fetching a feed from a file: read where it lies, recognised by its time, size and content."""

import asyncio
import hashlib
import os
import stat
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
        if not self._path.is_file():
            self._refuse_what_is_no_file()
        file = self._path.open("rb")
        try:
            status = os.fstat(file.fileno())
            check_size(status.st_size, self._limits, self.source)
            version = _version(status, self._clock.now())
            content = None
            if not (since and version and version == since.etag):
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except BaseException:
            file.close()
            raise
        if content is None or (since and content == since.content):
            file.close()
            return None
        file.seek(0)
        return FetchedFeed(file, FeedMark(etag=version, content=content), status.st_size)

    def _refuse_what_is_no_file(self) -> None:
        mode = self._path.stat().st_mode  # raises when there is nothing
        if not stat.S_ISREG(mode):  # a directory, or a pipe that would never end
            raise FeedRefusedError(f"{self.source}: expected a regular file")


def _version(status: os.stat_result, now: datetime) -> str | None:
    if now.timestamp() - status.st_mtime < _SETTLED_AFTER:
        return None
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
