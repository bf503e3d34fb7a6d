"""Fetching a feed from files: read where they lie, recognised by their time, size and content."""

import asyncio
import hashlib
import os
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.decompression import GZIP_MAGIC, PIECE, Body, check_size
from app.adapters.outbound.providers.fetching.fetch import Fetch, FetchSession
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed, FetchLimits, Used
from app.adapters.outbound.providers.fetching.newest_mark import unchanged
from app.adapters.outbound.providers.fetching.urls import path_of
from app.application.ports.providers import (
    FeedMark,
    FeedRefusedError,
    FeedUnavailableError,
    FeedUnchanged,
    FeedWatcher,
)
from app.application.ports.system import Clock

# A file that was written this shortly before may be written again without its time changing: only its content counts.
_SETTLED_AFTER = 2.0


class FileFetch(Fetch):
    """Fetches one file, and those that it leads to. Relative paths are relative to the working directory."""

    def __init__(self, path: Path, limits: FetchLimits, clock: Clock = SYSTEM_CLOCK) -> None:
        self.path = path
        self.clock = clock
        self.limits = limits

    @property
    def source(self) -> str:
        """As the Protocol says."""
        return str(self.path)

    def session(self, watcher: FeedWatcher | None = None) -> AbstractAsyncContextManager[FetchSession]:
        """As the Protocol says."""
        return self._session(watcher)

    @asynccontextmanager
    async def _session(self, watcher: FeedWatcher | None) -> AsyncIterator["FileSession"]:
        yield FileSession(self, watcher, self.path)


@dataclass(slots=True)
class FileSession(FetchSession):
    """One fetch: what it has used, and where it is."""

    fetch: FileFetch
    watcher: FeedWatcher | None
    _at: Path
    _used: Used = field(default_factory=Used)

    async def first(self, since: FeedMark | None = None) -> FetchedFeed | FeedUnchanged | None:
        """As the Protocol says."""
        return await self._read(self.fetch.path, since)

    async def get(self, url: str) -> FetchedFeed:
        """As the Protocol says."""
        self._at = self._following(url)
        feed = await self._read(self._at, None)
        assert isinstance(feed, FetchedFeed)  # noqa: S101 - nothing is the same as nothing
        return feed

    def _following(self, url: str) -> Path:
        """Give the file that a document leads to, which is none of those that it has no business with."""
        try:
            parts = urlsplit(urljoin(self._at.absolute().as_uri(), url))
        except ValueError as error:
            raise FeedRefusedError(f"{self._at}: expected the URL of a page, found none that can be") from error
        if parts.scheme != "file" or parts.query:
            raise FeedRefusedError(f"{self._at}: expected the URL of a page to be a file's, found another one")
        path, folder = path_of(parts.geturl()), self.fetch.path.parent
        if "\0" in str(path) or not path.resolve().is_relative_to(folder.resolve()):
            raise FeedRefusedError(f"{self._at}: expected a page in {folder}, or beneath it, found one elsewhere")
        return path

    async def _read(self, path: Path, since: FeedMark | None) -> FetchedFeed | FeedUnchanged | None:
        try:
            feed = await asyncio.to_thread(self._open, path, since)
        except OSError as error:
            raise FeedUnavailableError(f"{path}: expected a file to read: {error.strerror}") from error
        if feed and self.watcher:
            self.watcher.fetched(self._used.wire_bytes, self._used.wire_bytes)
        return feed

    def _open(self, path: Path, since: FeedMark | None) -> FetchedFeed | FeedUnchanged | None:
        if not stat.S_ISREG(path.stat().st_mode):  # a directory, or a pipe that would never end
            raise FeedRefusedError(f"{path}: expected a regular file")
        with ExitStack() as unless_handed_on:
            file: IO[bytes] = unless_handed_on.enter_context(path.open("rb"))
            status = os.fstat(file.fileno())
            check_size(self._used.wire_bytes + status.st_size, self.fetch.limits, str(path))
            version = _version(status, self.fetch.clock.now())
            if since and version and version == since.etag:
                return None
            file = unless_handed_on.enter_context(self._unpacked(file, path))
            mark = FeedMark(etag=version, content=_digest(file))
            if since and mark.content == since.content:
                return unchanged(since, mark)
            file.seek(0)
            unless_handed_on.pop_all()
            return FetchedFeed(file, mark, status.st_size, source=str(path), url=path.absolute().as_uri())

    def _unpacked(self, file: IO[bytes], path: Path) -> IO[bytes]:
        """Give the file itself, or what a packed one stands for; both at their start."""
        is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        if not is_packed:
            self._used.wire_bytes += os.fstat(file.fileno()).st_size
            return file
        with file, ExitStack() as unless_handed_on:
            unpacked = unless_handed_on.enter_context(tempfile.TemporaryFile())
            body = Body("", self.fetch.limits, str(path), used=self._used)
            while piece := file.read(PIECE):
                unpacked.writelines(body.decode(piece))
            body.finish()
            unpacked.seek(0)
            unless_handed_on.pop_all()
            return unpacked


def _digest(file: IO[bytes]) -> str:
    content = hashlib.sha256()
    while piece := file.read(PIECE):
        content.update(piece)
    return content.hexdigest()


def _version(status: os.stat_result, now: datetime) -> str | None:
    if now.timestamp() - status.st_mtime < _SETTLED_AFTER:
        return None
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
