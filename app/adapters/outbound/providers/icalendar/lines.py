"""The lines of an iCalendar file, unfolded (RFC 5545, 3.1), one after the other from any place on."""

from collections.abc import Iterator
from typing import IO, NamedTuple

MAX_LINE = 256 * 1024
"""Bytes of one unfolded line that are kept; what a line has beyond them is passed over."""

PIECE = 64 * 1024
"""Bytes that are read at once."""

_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One unfolded line without its end, not decoded: a fold may part the bytes of one character."""

    number: int
    """Of its first line in the file, from 1."""
    offset: int
    """Where that begins in the file, in bytes."""
    content: bytes
    cut: bool
    """Whether it was longer than MAX_LINE."""


def read_lines(file: IO[bytes], *, number: int = 1, offset: int = 0, at_once: int = PIECE) -> Iterator[Line]:
    """Read from a place on at which a line begins; ends of lines are LF or CRLF, empty lines are passed over.

    The file may be read by others meanwhile: each step goes on where the one before it ended.
    """
    line = _Unfinished(number, offset)
    number -= 1
    begins = True
    for piece, size, ends in _pieces(file, offset, at_once):
        if not begins:
            line.add(piece)
        else:
            number += 1
            if line.parts and piece[:1] in (b" ", b"\t"):
                line.add(piece[1:])
            else:
                if line.parts:
                    yield line.finished()
                line = _Unfinished(number, offset)
                line.add(piece.removeprefix(_BOM) if offset == 0 else piece)
        begins = ends
        offset += size
    if line.parts:
        yield line.finished()


def _pieces(file: IO[bytes], offset: int, at_once: int) -> Iterator[tuple[bytes, int, bool]]:
    """Give the lines as they stand: their text, how many bytes they take, and whether they end or are a part of one."""
    rest = b""
    while data := _read(file, offset, at_once):
        offset += len(data)
        first, *others = data.split(b"\n")
        lines = [rest + first, *others]
        rest = lines.pop()
        for line in lines:
            yield line.removesuffix(b"\r"), len(line) + 1, True
        if len(rest) > PIECE and not rest.endswith(b"\r"):
            yield rest, len(rest), False
            rest = b""
    if rest:
        yield rest.removesuffix(b"\r"), len(rest), False


def _read(file: IO[bytes], offset: int, at_once: int) -> bytes:
    file.seek(offset)
    return file.read(at_once)


class _Unfinished:
    """A line that may go on."""

    __slots__ = ("_number", "_offset", "_size", "parts")

    def __init__(self, number: int, offset: int) -> None:
        self._number = number
        self._offset = offset
        self._size = 0
        self.parts: list[bytes] = []
        """What it has so far: none of an empty line, which nothing continues."""

    def add(self, text: bytes) -> None:
        if text and self._size <= MAX_LINE:
            self.parts.append(text)
        self._size += len(text)

    def finished(self) -> Line:
        content = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
        return Line(self._number, self._offset, content[:MAX_LINE], self._size > MAX_LINE)
