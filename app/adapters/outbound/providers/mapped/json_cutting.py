"""Cuts the bytes of a JSON document into its values: nothing is decoded that nobody asks for, and memory is bounded."""

import re

import msgspec

from app.adapters.outbound.providers.mapped.utf_8_file import ByteReader
from app.application.ports.providers import FeedBrokenError, FeedRefusedError

MAX_VALUE_BYTES = 8 * 1024 * 1024

_PIECE = 256 * 1024
_BLANKS = re.compile(rb"[ \t\r\n\x1e]*")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TEXT = re.compile(_STRING, re.DOTALL)
_UP_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+[{}\[\]]', re.DOTALL)
_SCALAR_END = re.compile(rb"[,\]}\s]")
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_BYTE = re.compile(r"\(byte (\d+)\)")
_LONGEST_TOKEN = 16
_TRUNCATED = "truncated"
_SOURCE = 2_000
_skim = msgspec.json.Decoder(msgspec.Raw)


class MalformedError(ValueError):
    """A value is no JSON; `source` has it."""

    def __init__(self, message: str, line: int, source: bytes) -> None:
        """Keep where it begins."""
        super().__init__(message)
        self.line = line
        self.source = source


class JsonCutter:
    """Walks through a document. `line` is where it stands."""

    def __init__(self, file: ByteReader, where: str) -> None:
        self._file = file
        self._where = where
        self._buffer = b""
        self._at = 0
        self._ended = False
        self._lines = 1
        self._counted = 0
        """Up to where `_lines` has been counted."""

    @property
    def line(self) -> int:
        """The line of the next value, from 1."""
        self._lines += self._buffer.count(b"\n", self._counted, self._at)
        self._counted = self._at
        return self._lines

    def peek(self) -> bytes:
        """Give the next byte that is not blank; none at the end."""
        while True:
            self._at = _BLANKS.match(self._buffer, self._at).end()  # type: ignore[union-attr] # matches always
            if self._at < len(self._buffer) or not self._fill():
                return self._buffer[self._at : self._at + 1]

    def take(self, expected: bytes) -> bytes:
        """Take the next byte, which is one of those expected.

        Raises:
            FeedBrokenError: it is not.
        """
        found = self.peek()
        if not found or found not in expected:
            names = " or ".join(chr(one) for one in expected)
            shown = repr(found.decode("ascii", "backslashreplace")) if found else "the end"
            raise FeedBrokenError(
                f"{self._where}: not well-formed JSON: expected {names} in line {self.line}, found {shown}",
                line=self.line,
            )
        self._at += 1
        return found

    def value(self, most: int = MAX_VALUE_BYTES) -> bytes | None:
        """Cut the next value out; None, and nothing is passed, when it is longer than `most` but allowed to be.

        Raises:
            MalformedError: it is none, and was passed over.
            FeedBrokenError: the document ends in it.
            FeedRefusedError: it is longer than MAX_VALUE_BYTES.
        """
        self.peek()
        while True:
            try:
                end = self._end()
            except (msgspec.DecodeError, RecursionError) as error:
                raise self._malformed(str(error)) from None
            size = (len(self._buffer) if end is None else end) - self._at
            if most < size and most < MAX_VALUE_BYTES:
                return None
            if size > MAX_VALUE_BYTES:
                raise self._too_long()
            if end is not None:
                found, self._at = self._buffer[self._at : end], end
                return found
            if not self._fill():
                raise self._ends_too_early()

    def _end(self) -> int | None:
        """Find where the value ends that begins here; None when more is needed to tell.

        msgspec says it: what it skims over is a value with something behind it, and it names the byte.
        """
        if self._at == len(self._buffer):
            return None
        try:
            _skim.decode(memoryview(self._buffer)[self._at :])
        except msgspec.DecodeError as error:
            if found := _TRAILING.search(str(error)):
                return self._at + len(self._buffer[self._at : self._at + int(found[1]) - 1].rstrip())
            if _TRUNCATED in str(error) or (not self._ended and self._is_at_the_end(error)):
                return None
            raise
        whole = self._buffer[self._at : self._at + 1] in b'{["' or self._ended
        return self._at + len(self._buffer[self._at :].rstrip()) if whole else None

    def _is_at_the_end(self, error: Exception) -> bool:
        """Tell whether an error may be one of the cut alone: a number that ends in its point is called invalid."""
        found = _BYTE.search(str(error))
        return found is None or int(found[1]) >= len(self._buffer) - self._at - _LONGEST_TOKEN

    def skip(self) -> None:
        """Pass over a value of any length by its brackets, whatever stands between them.

        Raises:
            FeedBrokenError: the document ends in it.
        """
        match self.peek():
            case b"{" | b"[":
                self._skip_brackets()
            case b'"':
                self._skip(_TEXT)
            case _:
                while self._skip_scalar() and self._fill():
                    pass

    def _skip_brackets(self) -> None:
        depth = 0
        while True:
            self._skip(_UP_TO_BRACKET)
            depth += 1 if self._buffer[self._at - 1 : self._at] in b"{[" else -1
            if depth == 0:
                return

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        while (found := pattern.match(self._buffer, self._at)) is None:
            if len(self._buffer) - self._at > MAX_VALUE_BYTES or not self._fill():
                raise self._ends_too_early()
        self._at = found.end()

    def _skip_scalar(self) -> bool:
        """Go to where it ends; tell whether that may be behind what is here."""
        found = _SCALAR_END.search(self._buffer, self._at)
        self._at = found.start() if found else len(self._buffer)
        return found is None

    def _too_long(self) -> FeedRefusedError:
        return FeedRefusedError(
            f"{self._where}, line {self.line}: expected a record of at most {MAX_VALUE_BYTES:,} bytes, found more"
        )

    def _malformed(self, message: str) -> MalformedError:
        line, source = self.line, self._buffer[self._at : self._at + _SOURCE]
        self.skip()
        return MalformedError(message, line, source)

    def _ends_too_early(self) -> FeedBrokenError:
        return FeedBrokenError(
            f"{self._where}: not well-formed JSON: the document ends in a value that begins in line {self.line}",
            line=self.line,
        )

    def _fill(self) -> bool:
        """Read on, and forget what was passed; tell whether there was more."""
        self._lines += self._buffer.count(b"\n", self._counted, self._at)
        rest = self._buffer[self._at :]
        piece = b"" if self._ended else self._file.read(max(_PIECE, len(rest)))
        self._ended = not piece
        self._buffer, self._at, self._counted = rest + piece, 0, 0
        return bool(piece)
