"""IndexCopies of files: checked as a start would check them, whole before they have their names."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from app.adapters.machine.index_place import PLACE
from app.adapters.machine.private_files import make_private_directory
from app.adapters.outbound.search_index.index_image import open_image
from app.adapters.outbound.search_index.rendering import Rendering, name_of
from app.application.ports.copies import CopyError, IndexCopies
from app.application.ports.index_file import IndexFileError, IndexFileFacts


class FileIndexCopies(IndexCopies):
    """Copies of the index file of one data directory."""

    def __init__(self, data_dir: Path, rendering: Rendering) -> None:
        self._path = data_dir / PLACE
        self._rendering = name_of(rendering)

    async def export_to(self, target: Path) -> IndexFileFacts:
        """See IndexCopies."""
        return await asyncio.to_thread(self._export, target)

    async def import_from(self, source: Path) -> IndexFileFacts:
        """See IndexCopies. The rename is what a writer does, too: of the two the later counts, and both are whole."""
        return await asyncio.to_thread(self._import, source)

    def _export(self, target: Path) -> IndexFileFacts:
        if target.exists():
            raise CopyError(f"{target} is in the way")
        if not self._path.exists():
            raise IndexFileError(
                f"there is no index file yet: {self._path} is written by `marquee run`, api or indexer"
            )
        with _copy(self._path, target.parent) as copy:
            facts = open_image(copy, self._rendering).facts
            copy.rename(target)
        return facts

    def _import(self, source: Path) -> IndexFileFacts:
        if not source.is_file():
            raise CopyError(f"{source} is no file")
        open_image(source, self._rendering)  # first, so that what is told of it names it
        try:
            make_private_directory(self._path.parent)
        except OSError as error:
            raise CopyError(f"{self._path.parent} cannot be written: {error.strerror}") from None
        with _copy(source, self._path.parent) as copy:
            facts = open_image(copy, self._rendering).facts
            copy.replace(self._path)
        return facts


@contextmanager
def _copy(source: Path, folder: Path) -> Iterator[Path]:
    """Copy a file into a folder, under a name of its own, for us alone; it goes when the block has not renamed it.

    Raises:
        CopyError: it cannot be read, or not be written there.
    """
    copy = folder / f".{token_hex(8)}.index"
    try:
        with (
            source.open("rb") as read,
            os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written,
        ):
            shutil.copyfileobj(read, written, 1 << 20)
            written.flush()
            os.fsync(written.fileno())
        yield copy
    except OSError as error:
        raise CopyError(f"{source} cannot be copied into {folder}: {error.strerror}") from None
    finally:
        copy.unlink(missing_ok=True)
