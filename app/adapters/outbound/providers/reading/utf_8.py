"""Bytes of a document -> the same text in UTF-8, whatever it is written in; told from its first bytes (XML 1.0, F)."""

import codecs
import re
from typing import IO

from app.adapters.outbound.providers.plan_list.dialects import EXPECTED
from app.application.ports.providers import FeedRefusedError

_HEAD = 4_096
_LABEL = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,63})["']""")
_BLANKS = b" \t\r\n"
_MARK = "\ufeff".encode()
_MARKS = {
    _MARK: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before that of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_OF_PYTHON = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
"""No document is written in them."""
_ASCII = bytes(range(128))
_INVALID = "marquee-invalid"

# What stands for bytes that are none of an encoding: no XML may hold it, so it breaks the base that it stands in.
codecs.register_error(_INVALID, lambda error: ("\uffff", error.end))  # type: ignore[attr-defined] # all have an end


class Utf8Text:
    """A document as UTF-8, piece by piece, without a byte order mark or blanks before it."""

    def __init__(self, file: IO[bytes], source: str, charset: str | None = None) -> None:
        """Look at its first bytes; `charset` is what the transport said, for a document that says nothing itself.

        Raises:
            FeedRefusedError: it declares an encoding that nobody knows.
        """
        self._file = file
        head = file.read(_HEAD)
        encoding = _encoding(head, source, charset)
        self._decoder = None if encoding is None else codecs.getincrementaldecoder(encoding)(_INVALID)
        self.line = 1
        """On which line of the file the next piece begins, as long as none was read."""
        self._next = self._after_blanks(head)

    def read(self, size: int) -> bytes:
        """Read about as many bytes; none at the end."""
        if self._next:
            piece, self._next = self._next, b""
            return piece
        while raw := self._file.read(size):
            if piece := self._decoded(raw):
                return piece
        return self._decoded(b"", final=True)

    def back(self, piece: bytes) -> None:
        """Take back what was read, all of it."""
        self._next = piece

    def _after_blanks(self, raw: bytes) -> bytes:
        while raw:
            text = self._decoded(raw)
            begin = text.lstrip(_BLANKS).removeprefix(_MARK).lstrip(_BLANKS)
            self.line += text.count(b"\n", 0, len(text) - len(begin))
            if begin:
                return begin
            raw = self._file.read(_HEAD)
        return b""

    def _decoded(self, raw: bytes, *, final: bool = False) -> bytes:
        return raw if self._decoder is None else self._decoder.decode(raw, final).encode()


def _encoding(head: bytes, source: str, charset: str | None) -> str | None:
    """Name the encoding; None for UTF-8."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return None if mark == _MARK else encoding
    at = head.find(b"<")
    if at >= 0 and b"\0" in head[max(at - 1, 0) : at + 2]:  # two bytes a letter, the first or the second of them zero
        return "utf-16-be" if at % 2 else "utf-16-le"
    declared = _LABEL.match(head, max(at, 0))
    label = declared[1].decode() if declared else charset or "utf-8"
    try:
        return _known(label)
    except LookupError:
        if not declared:
            return None
        raise FeedRefusedError(f"{source}: {EXPECTED}, found one in the unknown encoding {label}") from None


def _known(label: str) -> str | None:
    """Find an encoding of single bytes or of ASCII and more; another label lies about bytes that look like ASCII."""
    name = codecs.lookup(label).name
    if name in _OF_PYTHON:
        raise LookupError(label)
    try:
        like_ascii = _ASCII.decode(label) == _ASCII.decode("ascii")
    except UnicodeError:
        like_ascii = False
    return name if like_ascii and name not in {"utf-8", "utf-8-sig", "ascii"} else None
