"""The text of a file in UTF-8, whatever encoding it was written in."""

import codecs
import io
from typing import Any, BinaryIO

PIECE = 256 * 1024
"""Bytes that are decoded at once."""


class Recoded(io.RawIOBase):
    """The text of `content` in UTF-8. Bytes that are no text in `encoding` stay as they are, and so are none in UTF-8.

    Of UTF-16 and the like, where no byte stands for itself, they are a UnicodeError.
    """

    def __init__(self, content: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._content = content
        self._decode = codecs.getincrementaldecoder(encoding)("surrogateescape").decode
        self._left = memoryview(b"")
        self._is_first = True

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Hand out as much as there is room for; nothing at the end."""
        room = memoryview(buffer).cast("B")
        if not self._left:
            self._left = memoryview(self._next())
        number = min(len(room), len(self._left))
        room[:number] = self._left[:number]
        self._left = self._left[number:]
        return number

    def _next(self) -> bytes:
        """Recode a piece; nothing at the end."""
        text, sent = "", b"."
        while sent and not text:
            sent = self._content.read(PIECE)
            text = self._decode(sent, final=not sent)
            if self._is_first and text:
                text = text.removeprefix("\ufeff")
                self._is_first = False
        return text.encode("utf-8", "surrogateescape")
