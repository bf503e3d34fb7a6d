"""The file of an import: from a path or standard input, packed by gzip or not, read more than once."""

import codecs
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip, isal_zlib

from app.adapters.inbound.activity_files.recoded import Recoded
from app.application.import_activities import ActivityFileError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
PIECE = 1024 * 1024
BUFFER = 256 * 1024
STDIN = Path("-")

# isal's stubs say that its error is one, where it is the class of them.
_DAMAGES: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    zlib.error,
    UnicodeError,
    cast("type[Exception]", isal_zlib.error),
)


class UsageMistakeError(Exception):
    """Nothing was begun, because what was asked for cannot be done; the message says what to change."""


class Source:
    """An open file that can be read from its beginning again and again. `name` is for messages."""

    encoding: str | None = None
    """Of its text; None: UTF-16 where it begins like that, else UTF-8."""

    def __init__(self, raw: io.FileIO, name: str) -> None:
        self._raw = raw
        self.name = name
        self._state = self._look()
        self._packed = os.pread(raw.fileno(), len(GZIP), 0) == GZIP

    def content(self) -> BinaryIO:
        """Begin again: the unpacked content as UTF-8, without a byte order mark."""
        with self.damage_told():
            begin = self._unpacked().read(len(BOM))
        encoding = self.encoding or ("utf-16" if begin[:2] in UTF_16 else None)
        if encoding is not None:
            return cast("BinaryIO", io.BufferedReader(Recoded(self._unpacked(), encoding), BUFFER))
        content = self._unpacked()
        if begin == BOM:
            content.read(len(BOM))
        return content

    def _unpacked(self) -> BinaryIO:
        self._raw.seek(0)
        if self._packed:
            return cast("BinaryIO", io.BufferedReader(igzip.IGzipFile(fileobj=self._raw, mode="rb"), BUFFER))  # type: ignore[no-untyped-call]
        return open(self._raw.fileno(), "rb", BUFFER, closefd=False)

    def digest(self) -> str:
        """Sum up the unpacked content, 32 hexadecimal digits; the first of two passes over the file.

        Raises:
            ActivityFileError: it is damaged.
        """
        found = blake2b(digest_size=16)
        content = self._unpacked()
        with self.damage_told():
            while piece := content.read(PIECE):
                found.update(piece)
        return found.hexdigest()

    def share(self) -> float:
        """Tell how much of the file has been read."""
        return min(1.0, self._raw.tell() / max(self._state[0], 1))

    def check_unchanged(self) -> None:
        """See that the file is the one that was opened: ids that follow from its content would be wrong.

        Raises:
            ActivityFileError: somebody has written to it.
        """
        if self._look() != self._state:
            raise ActivityFileError(f"{self.name} has changed while it was read: import it again once it is complete")

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self._raw.fileno())
        return found.st_size, found.st_mtime_ns

    @contextmanager
    def damage_told(self) -> Iterator[None]:
        """Say in words what is wrong with a packed file or its disk."""
        try:
            yield
        except _DAMAGES as error:
            raise ActivityFileError(f"{self.name} cannot be read to its end: {error}") from error


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file; `-`, or what can be read only once, is put into a temporary file first.

    Raises:
        UsageMistakeError: there is no such file, or it may not be read.
    """
    if path == STDIN:
        with _spooled(sys.stdin.buffer) as raw:
            yield Source(raw, "standard input")
        return
    try:
        raw = io.FileIO(path)
    except OSError as error:
        raise UsageMistakeError(f"{path} cannot be read: {error.strerror}") from None
    with raw, nullcontext(raw) if raw.seekable() else _spooled(cast("BinaryIO", raw)) as file:
        yield Source(file, str(path))


@contextmanager
def _spooled(stream: BinaryIO) -> Iterator[io.FileIO]:
    with tempfile.TemporaryFile(buffering=0) as copy:
        shutil.copyfileobj(stream, copy, PIECE)
        yield copy
