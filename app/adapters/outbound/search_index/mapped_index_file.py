"""IndexFile in the data directory: written beside the file that is read, and put in its place when it is whole."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from app.adapters.machine.index_place import PLACE
from app.adapters.machine.private_files import make_private_directory
from app.adapters.outbound.search_index.image_format import is_whole
from app.adapters.outbound.search_index.image_writer import Imprint, write_image
from app.adapters.outbound.search_index.index_image import open_image
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.plan_index import PlanIndex
from app.adapters.outbound.search_index.rendering import Rendering, name_of
from app.application.ports.catalog import LogPosition
from app.application.ports.index_file import IndexFile, IndexFileError, IndexFileFacts, SpoiltIndexError
from app.application.ports.system import Clock

Identity = tuple[int, int, int, int]


class MappedIndexFile(IndexFile):
    """The file of one data directory, and the index of this process that stands on it."""

    def __init__(self, live: LiveIndex, rendering: Rendering, clock: Clock, data_dir: Path) -> None:
        self._live = live
        self._key = rendering.key
        self._rendering = name_of(rendering)
        self._clock = clock
        self._path = data_dir / PLACE
        self._seen: Identity | None = None
        """Which file was looked at last."""
        self._written: PlanIndex | None = None
        """What was written last, until this index stands on it."""
        self._is_lost = False
        """Whether there is no file, or one that nobody can use."""

    @property
    def in_use(self) -> IndexFileFacts | None:
        """See IndexFile."""
        image = self._live.index.image
        return image and image.facts

    @property
    def is_behind(self) -> bool:
        """See IndexFile."""
        index = self._live.index
        return (index.is_changed and index is not self._written) or (self._is_lost and index.size > 0)

    async def write(self, at: Mapping[str, LogPosition]) -> IndexFileFacts:
        """See IndexFile: in a thread."""
        index, now = self._live.index, self._clock.now()
        imprint = Imprint(self._rendering, now.timestamp(), dict(at))
        try:
            size = await asyncio.to_thread(self._write, index, imprint)
        except OSError as error:
            raise IndexFileError(f"the index file {self._path} cannot be written: {error.strerror}") from error
        self._written, self._is_lost = index, False
        return IndexFileFacts(now, index.size, size)

    def _write(self, index: PlanIndex, imprint: Imprint) -> int:
        if index.image is not None and not is_whole(index.image.file):  # else what is damaged got a right checksum
            raise SpoiltIndexError(f"the index file {self._path} was changed where it lies")
        make_private_directory(self._path.parent)
        for left in self._path.parent.glob("*.new"):  # by one that was killed; another writer would have to try again
            left.unlink(missing_ok=True)
        new = self._path.with_suffix(f".{token_hex(4)}.new")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                size = write_image(index, imprint, self._key, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        _sync_directory(self._path.parent)
        return size

    async def renew(self, at: Mapping[str, LogPosition]) -> Mapping[str, LogPosition] | None:
        """See IndexFile: checked in a thread, taken up in steps."""
        identity = _identity(self._path)
        if identity is not None and identity == self._seen:
            return None
        self._seen, self._is_lost = identity, True
        if identity is None:
            return None
        try:
            image = await asyncio.to_thread(open_image, self._path, self._rendering)
        except FileNotFoundError:
            return None
        self._is_lost = False
        used = self._live.index.image.positions if self._live.index.image else {}
        theirs = image.positions
        kept = {name for name, mine in at.items() if not _knows(theirs.get(name), mine)}
        whole = {name for name in kept if not _knows(theirs.get(name), used.get(name))} if used else set()
        await self._live.stand_on(image, kept.__contains__, whole)
        self._written = None  # it may hold a whole catalog, as it was loaded from the live state
        return {name: position for name, position in theirs.items() if name not in kept}


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _knows(theirs: LogPosition | None, mine: LogPosition | None) -> bool:
    """Tell whether a file has all that another position has, for sure: of two logs nobody knows which is newer."""
    if theirs is None or mine is None:
        return theirs is not None
    return theirs.epoch == mine.epoch and theirs.sequence >= mine.sequence


def _sync_directory(path: Path) -> None:
    """Have the file's new name outlive a loss of power."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
