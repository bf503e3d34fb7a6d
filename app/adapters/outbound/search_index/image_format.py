"""The format of the index file: what stands where, and what is checked before anybody reads it (ADR 0090).

    magic, format | fragments by class | columns by class | details | keys, rows | head | its length, checksum

Numbers are little-endian, and each column begins at a multiple of 64 bytes. Behind each fragment stands a comma. The
keys are the first eight bytes of all plans' ids, in order. The head, which says where everything is, is msgpack.
"""

import sys
import zlib
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import Struct

import msgspec

from app.application.ports.index_file import IndexFileError

MAGIC = b"marqueeX"
FORMAT = 2
PREAMBLE = Struct("<8sI52x")
LENGTH = Struct("<I")
CHECKSUM = Struct("<I")
TRAILER = Struct("<II")
"""The length of the head, and the checksum of everything before it."""
ALIGNMENT = 64
AT_ONCE = 8 << 20
"""Bytes that are checked, or written, at one go."""

COLUMNS = "ddQQI"
"""Of a class: starts, ends, sums of marks, begins, numbers of details; as `array` and `struct` have it."""
LONGER = (2, 3)
"""Columns that have one number more than there are rows."""


class ClassHead(msgspec.Struct, array_like=True, frozen=True):
    """A class of duration."""

    shortest: float
    longest: float
    """Seconds."""
    length: int
    """Rows."""
    columns: list[int]
    """Where each column begins, in bytes from the file's begin, as all places."""


class ImageHead(msgspec.Struct, array_like=True, frozen=True):
    """What the file says of itself."""

    written_at: float
    """POSIX seconds."""
    rendering: str
    """Names how fragments and details are made: of another one, the bytes mean something else."""
    positions: dict[str, tuple[int, int, str]]
    """By provider: epoch, sequence and entry up to which its changes are in the file."""
    classes: list[ClassHead | None]
    details: tuple[int, int, int]
    """How many there are, where their offsets begin, and where they begin themselves."""
    keys: tuple[int, int]
    """Where the keys begin, and their rows."""


encode_head = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(ImageHead).decode


def read_head(file: mmap, path: Path) -> ImageHead:
    """Read and check the head of a mapped file, then the checksum of all of it: a tenth of a second for 250 MB.

    Raises:
        IndexFileError: it is no index file, one of another version, or damaged; says so and names it.
    """
    magic, version = PREAMBLE.unpack_from(file) if len(file) > PREAMBLE.size + TRAILER.size else (b"", 0)
    if magic != MAGIC:
        raise IndexFileError(f"{path} is no index file of Marquee")
    if version != FORMAT or sys.byteorder != "little":
        raise IndexFileError(f"the index file {path} has format {version}; this version of Marquee reads {FORMAT}")
    if not is_whole(file):
        raise IndexFileError(f"the index file {path} is damaged: its checksum is wrong")
    end = len(file) - TRAILER.size
    length, _ = TRAILER.unpack_from(file, end)
    try:
        return _decode_head(file[end - length : end])
    except msgspec.MsgspecError:
        raise IndexFileError(f"the index file {path} is damaged: its head cannot be read") from None


def is_whole(file: mmap) -> bool:
    """Tell whether a file, or what has become of one, has its checksum; others run meanwhile."""
    size, checksum = len(file) - CHECKSUM.size, 0
    with memoryview(file) as view:
        for at in range(0, size, AT_ONCE):
            checksum = zlib.crc32(view[at : min(at + AT_ONCE, size)], checksum)
    return CHECKSUM.unpack_from(file, size) == (checksum,)


def map_file(path: Path) -> mmap:
    """Map a file to be read.

    Raises:
        FileNotFoundError: there is none.
        IndexFileError: it cannot be read.
    """
    try:
        with path.open("rb") as opened:
            return mmap(opened.fileno(), 0, access=ACCESS_READ)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # what is empty cannot be mapped
        raise IndexFileError(f"the index file {path} cannot be read: {error}") from None
