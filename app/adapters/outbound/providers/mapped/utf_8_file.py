"""A file in any encoding, read as UTF-8."""

import codecs
from typing import IO, Protocol

_PIECE = 64 * 1024
_BOMS = ((codecs.BOM_UTF8, None), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_WIDE_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SPOILED = "marquee-spoiled"


class ByteReader(Protocol):
    """What is read of a file."""

    def read(self, size: int, /) -> bytes:
        """Give the next bytes, about `size` of them; none at the end."""


def utf_8_file(file: IO[bytes], charset: str | None) -> ByteReader:
    """Read a file as UTF-8: a byte order mark counts first, then `charset`, then UTF-8.

    Bytes that its encoding has no letter for become bytes that are none of UTF-8: they spoil the record they stand in.
    """
    head = file.read(4)
    for bom, encoding in (*_BOMS, *_WIDE_BOMS):
        if head.startswith(bom):
            file.seek(len(bom) if encoding is None else 0)
            return file if encoding is None else _Recoded(file, encoding)
    file.seek(0)
    if charset is None or codecs.lookup(charset).name in {"utf-8", "ascii"}:
        return file
    return _Recoded(file, charset)


class _Recoded:
    def __init__(self, file: IO[bytes], encoding: str) -> None:
        codecs.register_error(_SPOILED, _spoiled)
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(_SPOILED)
        self._ended = False

    def read(self, size: int, /) -> bytes:
        while not self._ended:
            piece = self._file.read(size)
            self._ended = not piece
            if text := self._decoder.decode(piece, final=self._ended):
                return text.encode("utf-8", "surrogateescape")
        return b""


def _spoiled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end
