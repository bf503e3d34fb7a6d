"""What clients make of a compressed answer, by decoders that are not ours."""

import sys
import zlib
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def decoded(body: bytes, coding: bytes | None) -> bytes:
    """Decode a whole answer; None: it is as it is. What is not whole, or more than that, is an error."""
    if coding is None:
        return body
    decoder = _decoder(coding)
    whole: bytes = decoder.decompress(body)
    assert decoder.eof
    assert not decoder.unused_data
    return whole


def readable(body: bytes, coding: bytes) -> bytes:
    """Decode what has come so far."""
    so_far: bytes = _decoder(coding).decompress(body)
    return so_far


def _decoder(coding: bytes) -> Any:
    return zstd.ZstdDecompressor() if coding == b"zstd" else zlib.decompressobj(16 + zlib.MAX_WBITS)
