"""The codings in which answers are sent: zstd and gzip, at the levels that pay (ADR 0089)."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol
from weakref import WeakSet

from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WHOLE_ZSTD = -1
"""The level of what is compressed at one go: fast. 1 costs a third more, and saves a third of the bytes."""
LEVEL = 1
"""Of all else. zstd's 3 makes JSON of a few kB no smaller, in a quarter more time."""
GZIP = 16 + 15
"""As zlib has it: gzip's head and a window of 32 kB."""
ZSTD_PIECEWISE: Mapping[int, int] = {
    zstd.CompressionParameter.compression_level: LEVEL,
    zstd.CompressionParameter.window_log: 15,
}
"""A window of 32 kB, as gzip's: 180 kB of memory in the place of 360, and lists get no larger."""
MOST_PIECEWISE = 64
"""Answers of one process that are compressed piece by piece at a time, each with 90 to 180 kB of memory."""


class Packing(Protocol):
    """One answer that is compressed piece by piece."""

    def piece(self, data: bytes) -> bytes:
        """Compress the next piece, so that whoever reads so far can read all of it."""

    def end(self) -> bytes:
        """Finish."""


class Coding(NamedTuple):
    """A content coding (RFC 9110, 8.4.1)."""

    name: bytes
    pack: Callable[[bytes], bytes]
    """Compresses a whole answer at once."""
    begin: Callable[[], Packing]

    @property
    def field(self) -> tuple[bytes, bytes]:
        """The header field that tells it."""
        return b"content-encoding", self.name

    def tag(self, tag: bytes) -> bytes:
        """Name an answer in this coding; `tag` names it as it is (RFC 9110, 8.8.3.3)."""
        return b'%b-%b"' % (tag[:-1], self.name)


class _ZstdPacking:
    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(options=ZSTD_PIECEWISE)

    def piece(self, data: bytes) -> bytes:
        return self._compressor.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._compressor.flush()


class _GzipPacking:
    def __init__(self) -> None:
        self._compressor = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, GZIP)

    def piece(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(isal_zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._compressor.flush()


_whole_zstd = zstd.ZstdCompressor(WHOLE_ZSTD)


def _zstd(data: bytes) -> bytes:
    """Make a frame of its own; a compressor that was used before takes half of the time of a new one."""
    return _whole_zstd.compress(data, zstd.ZstdCompressor.FLUSH_FRAME)


def _gzip(data: bytes) -> bytes:
    return isal_zlib.compress(data, LEVEL, GZIP)


CODINGS = (Coding(b"zstd", _zstd, _ZstdPacking), Coding(b"gzip", _gzip, _GzipPacking))
"""The better first."""


class Packings:
    """Places for answers that are compressed piece by piece: slow readers hold a bounded number of compressors.

    A place is taken for as long as somebody has the Packing.
    """

    def __init__(self, most: int = MOST_PIECEWISE) -> None:
        self._most = most
        self._begun: WeakSet[Packing] = WeakSet()

    @property
    def taken(self) -> int:
        """How many are."""
        return len(self._begun)

    def begin(self, coding: Coding | None) -> Packing | None:
        """Begin one; None when there is no coding or no place: the answer is sent as it is."""
        if coding is None or self.taken >= self._most:
            return None
        packing = coding.begin()
        self._begun.add(packing)
        return packing


def packed(packing: Packing, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Compress pieces as they come, and the end."""
    yield from map(packing.piece, pieces)
    yield packing.end()
