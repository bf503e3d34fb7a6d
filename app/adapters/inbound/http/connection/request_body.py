"""The body of a request, whole, unpacked, and never larger than allowed; nor are all of a process together."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from isal import isal_zlib
from starlette.types import Receive

from app.adapters.formats.media_types import JSON, media_type
from app.adapters.formats.unpacking import STEP, Work
from app.adapters.inbound.http.connection.connection_errors import (
    BodyTooLargeError,
    ClientGoneError,
    InvalidContentLengthError,
    InvalidGzipError,
    TooManyBodiesError,
    UnsupportedEncodingError,
    UnsupportedMediaTypeError,
)

PIECE = 256 * 1024
"""Bytes that come out of one step at most."""
UNPACKING = 0.25
"""Seconds of CPU that the unpacking of a body may take, beside what its output may (`Work`)."""
GZIP = 16 + isal_zlib.MAX_WBITS
MAGIC = b"\x1f\x8b"
MOST_MEMBERS = 1000
"""Of a gzip body: log shippers make one for each piece that they flush."""
CONTENT_TYPE = JSON.encode()
MOST_IN_HAND = 256 * 1024 * 1024
"""Bytes of a process."""
FREE = 16 * 1024
"""Bytes of each body that are not counted: what is small gets through while others hold all that may be held."""


class BodyMemory:
    """The bodies that are being read, or worked on."""

    __slots__ = ("held", "most")

    def __init__(self, most: int = MOST_IN_HAND) -> None:
        self.most = most
        self.held = 0

    def hold(self) -> "Hold":
        """Begin with one; it is to be let go of, come what may."""
        return Hold(self)


class Hold:
    """What is held of one body, packed and unpacked."""

    __slots__ = ("_bodies", "_size")

    def __init__(self, bodies: BodyMemory) -> None:
        self._bodies = bodies
        self._size = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            TooManyBodiesError: there is no room for them.
        """
        bodies = self._bodies
        if bodies.held + size > bodies.most:
            raise TooManyBodiesError(bodies.most, FREE)
        bodies.held += size
        self._size += size

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._bodies.held -= self._size
        self._size = 0


async def read_json_body(
    headers: Mapping[bytes, bytes], receive: Receive, most: int, hold: Hold | None = None, work: Work | None = None
) -> bytes:
    """Read a body of at most `most` bytes, packed and unpacked; a `hold` counts them among those of all bodies.

    `work` counts what the unpacking costs; UNPACKING seconds by default.

    Raises:
        UnsupportedMediaTypeError, UnsupportedEncodingError: and nothing was read.
        BodyTooLargeError: when the header says so already, nothing was read.
        InvalidContentLengthError, InvalidGzipError: what was read is not what was announced.
        ClientGoneError: nobody waits for an answer.
        TooManyBodiesError: a `hold` found no room.
        TooMuchWorkError: to unpack it takes too long.
    """
    _check_media_type(headers.get(b"content-type"))
    return await read_whole_body(headers, receive, most, hold, work)


async def read_whole_body(
    headers: Mapping[bytes, bytes], receive: Receive, most: int, hold: Hold | None = None, work: Work | None = None
) -> bytes:
    """Read a body as `read_json_body`, whatever is in it.

    Raises:
        Exception: as `read_json_body`, but for UnsupportedMediaTypeError.
    """
    packed = _is_packed(headers.get(b"content-encoding"))
    announced = _announced_length(headers.get(b"content-length"), most)
    body = await _read(receive, most, hold)
    if announced is not None and announced != len(body):
        raise InvalidContentLengthError(f"Content-Length is {announced}, but {len(body)} bytes came")
    return await unpack(body, most, hold, work or Work(UNPACKING)) if packed else body


def _check_media_type(given: bytes | None) -> None:
    if given == CONTENT_TYPE:
        return
    found = None if given is None else media_type(given.decode("latin-1"))
    if found is None or found.kind != JSON or not found.is_utf8:
        raise UnsupportedMediaTypeError(f"expected Content-Type: application/json in UTF-8, found {quoted(given)}")


def quoted(given: bytes | None) -> str:
    """Quote what was found in a header, but not all of something long."""
    return "none" if given is None else repr(given[:80].decode("latin-1"))


def _is_packed(coding: bytes | None) -> bool:
    name = b"identity" if coding is None else coding.strip().lower()
    if name not in (b"identity", b"", b"gzip", b"x-gzip"):
        found = name[:80].decode("latin-1")
        raise UnsupportedEncodingError(f"expected a body as it is, or in Content-Encoding: gzip, found {found!r}")
    return name.endswith(b"gzip")


def _announced_length(given: bytes | None, most: int) -> int | None:
    if given is None:
        return None
    if not given.isdigit():
        raise InvalidContentLengthError(f"Content-Length is no number: {given[:80].decode('latin-1')!r}")
    if len(given) > len(str(most)) or int(given) > most:
        raise BodyTooLargeError(most)
    return int(given)


async def _read(receive: Receive, most: int, hold: Hold | None) -> bytes:
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        piece = message.get("body", b"")
        more = message.get("more_body", False)
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise BodyTooLargeError(most)
        if size > FREE and hold is not None:
            hold.take(len(piece))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def unpack(packed: bytes, most: int, hold: Hold | None, work: Work) -> bytes:
    """Undo gzip, of up to MOST_MEMBERS members (RFC 1952, 2.2): thousands of empty ones would only keep us busy.

    Raises:
        InvalidGzipError: it is damaged, ends too early, goes on after its end or has too many members.
        BodyTooLargeError: more than `most` bytes came out.
        TooManyBodiesError: a `hold` found no room.
        TooMuchWorkError: it takes too long.
    """
    pieces: list[bytes] = []
    begin, members = 0, 0
    while begin < len(packed):
        members += 1
        if members > MOST_MEMBERS:
            raise InvalidGzipError(f"the gzip body has more than {MOST_MEMBERS:,} members: pack it in fewer")
        if begin and not packed.startswith(MAGIC, begin):
            raise InvalidGzipError(f"the gzip body goes on after its end, by {len(packed) - begin:,} bytes")
        begin = await _unpack_member(packed, begin, pieces, lambda more: _account(more, work.size, most, hold), work)
    if not members:
        raise InvalidGzipError("the gzip body ends in the middle, after 0 bytes")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _unpack_member(
    packed: bytes, begin: int, pieces: list[bytes], account: Callable[[int], None], work: Work
) -> int:
    """Add what is in the member that begins there; tells where it ends."""
    stream, view = None, memoryview(packed)
    at, rest = begin, b""
    while stream is None or not stream.eof:
        step = rest or view[at : at + STEP]
        at += 0 if rest else len(step)
        work.begin()
        stream = stream or isal_zlib.decompressobj(GZIP)
        piece = _inflated(stream, step)
        work.end(len(piece))
        rest = stream.unconsumed_tail
        if piece:
            pieces.append(piece)
            account(len(piece))
        elif not rest and at >= len(packed) and not stream.eof:
            raise InvalidGzipError(f"the gzip body ends in the middle, after {len(packed):,} bytes")
        if work.turn_is_over():
            await asyncio.sleep(0)
    return at - len(stream.unused_data)


def _account(more: int, size: int, most: int, hold: Hold | None) -> None:
    if size > most:
        raise BodyTooLargeError(most, unpacked=True)
    if size > FREE and hold is not None:
        hold.take(more)


def _inflated(stream: Any, packed: bytes | memoryview) -> bytes:
    try:
        return bytes(stream.decompress(packed, PIECE))
    except isal_zlib.IsalError as error:  # type: ignore[misc]  # its stub takes the class for an instance
        raise InvalidGzipError(f"expected a body in gzip: {error}") from None
