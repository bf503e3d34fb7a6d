"""A body as it comes over the wire -> the document, in pieces of bounded size and never beyond the limits."""

import zlib
from collections.abc import Iterable, Iterator

from app.adapters.formats.unpacking import STEP, TooMuchWorkError, Work
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits, Used
from app.application.ports.providers import FeedRefusedError, FeedUnavailableError

PIECE = 256 * 1024
ACCEPTED = "gzip, deflate, identity"
GZIP_MAGIC = b"\x1f\x8b"

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


class Inflation:
    """The `gzip` and `deflate` of RFC 9110; `deflate` with its zlib header or, as some servers send it, without."""

    def __init__(self, *, gzip: bool, work: Work) -> None:
        self._gzip = gzip
        self._work = work
        self._head = b""
        self._stream = zlib.decompressobj(_GZIP) if gzip else None

    @property
    def complete(self) -> bool:
        """Whether the compressed stream has come to its end."""
        return self._stream is not None and self._stream.eof

    def inflate(self, piece: bytes) -> Iterator[bytes]:
        """Give what a piece stands for, step by step: at most PIECE bytes at a time, perhaps none.

        Raises:
            zlib.error: it stands for nothing.
            TooMuchWorkError: it takes too long.
        """
        if self._stream is None:
            self._head = piece = self._head + piece
            if len(piece) < 2:  # noqa: PLR2004 - the length of a zlib header
                return
            self._stream = zlib.decompressobj(_ZLIB if _has_zlib_header(piece) else _RAW)
        whole = memoryview(piece)
        for at in range(0, len(piece), STEP):
            rest, full = bytes(whole[at : at + STEP]), False
            while rest or full:  # a full piece may have left something inside, without any input left
                self._work.begin()
                inflated, rest = self._step(self._stream, rest)
                self._work.end(len(inflated))
                full = len(inflated) == PIECE
                yield inflated

    def _step(self, stream: "zlib._Decompress", packed: bytes) -> tuple[bytes, bytes]:
        if stream.eof:
            packed = packed.lstrip(b"\0")  # some fill the last block of a tape, or of a file, with zeros
            if not packed:
                return b"", b""
            if not self._gzip:
                raise zlib.error("there is more after the end")
            stream = self._stream = zlib.decompressobj(_GZIP)  # one gzip member may follow another
        inflated = stream.decompress(packed, PIECE)
        return inflated, stream.unconsumed_tail or stream.unused_data


class Body:
    """Undoes a Content-Encoding, and the gzip of a document that is a `.gz` file; counts bytes on both sides."""

    def __init__(
        self, encoding: str, limits: FetchLimits, source: str, work: Work | None = None, used: Used | None = None
    ) -> None:
        """Refuse encodings that were not asked for.

        `work` counts what the decompression costs; `used` is what other documents of the fetch have used of the limits,
        and is added to.

        Raises:
            FeedRefusedError: it is one of those.
        """
        coding = encoding.strip().lower().removeprefix("x-") or "identity"
        if coding not in ACCEPTED.split(", "):
            raise FeedRefusedError(f"{source}: expected the Content-Encoding {ACCEPTED}, found {coding[:80]!r}")
        self._work = work or Work(limits.unpacking)
        self._inflation = None if coding == "identity" else Inflation(gzip=coding == "gzip", work=self._work)
        self._coding = coding
        self._file: Inflation | None = None
        self._head: bytes | None = b""
        self._limits = limits
        self._source = source
        self._used = used or Used()
        self.received = 0
        self._uncoded = 0
        self._decoded = 0

    def decode(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece from the wire, give what it stands for, step by step: perhaps nothing.

        Raises:
            FeedRefusedError: it is too much, or too much work.
            FeedUnavailableError: it was not compressed as announced.
        """
        self.received += len(piece)
        self._used.wire_bytes += len(piece)
        check_size(self._used.wire_bytes, self._limits, self._source)
        try:
            for uncoded in [piece] if self._inflation is None else self._inflation.inflate(piece):
                self._uncoded += len(uncoded)
                self._check_ratio(self._uncoded, self.received)
                for part in self._unpacked(uncoded):
                    self._decoded += len(part)
                    self._used.decoded_bytes += len(part)
                    self._check_decoded()
                    yield part
        except TooMuchWorkError as error:
            raise FeedRefusedError(f"{self._source}: expected a body in {self._name}: {error}") from error
        except zlib.error as error:
            raise FeedUnavailableError(f"{self._source}: expected a body in {self._name}: {error}") from error

    def turn_is_over(self) -> bool:
        """Tell whether so much work was done that others are to have their turn."""
        return self._work.turn_is_over()

    def finish(self) -> None:
        """Notice a compressed body that ends too early.

        Raises:
            FeedUnavailableError: it does.
        """
        layers = [layer for layer in (self._inflation, self._file) if layer is not None]
        if self.received and (self._head or not all(layer.complete for layer in layers)):
            raise FeedUnavailableError(
                f"{self._source}: the {self._name} body ends in the middle, after {self.received:,} bytes"
            )

    @property
    def _name(self) -> str:
        return "gzip" if self._coding == "identity" else self._coding

    def _unpacked(self, part: bytes) -> Iterable[bytes]:
        """Undo the gzip of a document whose first bytes say that it is one, once."""
        if self._head is not None:
            self._head += part
            if self._head in (b"", GZIP_MAGIC[:1]):
                return [b""]  # for whoever looks between two steps whether the turn is over
            part, self._head = self._head, None
            if part.startswith(GZIP_MAGIC):
                self._file = Inflation(gzip=True, work=self._work)
        return [part] if self._file is None else self._file.inflate(part)

    def _check_decoded(self) -> None:
        self._check_most(self._used.decoded_bytes)
        self._check_ratio(self._decoded, self._uncoded)

    def _check_most(self, size: int) -> None:
        most = self._limits.max_decoded_bytes
        if size > most:
            raise FeedRefusedError(f"{self._source}: expected at most {most:,} bytes after decompression, found more")

    def _check_ratio(self, size: int, packed: int) -> None:
        """Judge each layer by itself: a file that is packed well may be packed well once more on its way."""
        self._check_most(size)
        ratio = self._limits.max_ratio
        if size > max(self._limits.ratio_counts_from, ratio * packed):
            raise FeedRefusedError(
                f"{self._source}: expected a compression of at most 1:{ratio:g}, "
                f"found {size:,} bytes in the first {packed:,}"
            )


def check_size(size: int, limits: FetchLimits, source: str) -> None:
    """Refuse a body, or a file, that is larger than the limits allow.

    Raises:
        FeedRefusedError: it is.
    """
    if size > limits.max_wire_bytes:
        raise FeedRefusedError(f"{source}: expected at most {limits.max_wire_bytes:,} bytes, found {size:,} or more")


def _has_zlib_header(head: bytes) -> bool:
    return head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2]) % 31 == 0
