"""Records of NDJSON: an object in each line."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from app.adapters.outbound.providers.mapped.paths import BrokenRecord, Record, Records
from app.adapters.outbound.providers.mapped.utf_8_file import ByteReader
from app.application.ports.providers import FeedRefusedError

MAX_LINE_BYTES = 8 * 1024 * 1024

_PIECE = 256 * 1024
_SEPARATORS = b" \t\r\n\x1e"
_SOURCE = 8_000
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decoder = msgspec.json.Decoder()


@dataclass(slots=True)
class LineRecords(Records):
    """Reads one document, once. Lines without anything in them count for nothing."""

    file: ByteReader
    where: str

    @property
    def unknown(self) -> int:
        """As the Protocol says: each line is a record, or a broken one."""
        return 0

    @property
    def end(self) -> Any:
        """As the Protocol says: nothing stands around lines."""
        return None

    def __iter__(self) -> Iterator[Record | BrokenRecord]:
        """As the Protocol says."""
        for number, line in enumerate(lines_of(self.file, self.where), 1):
            text = line.strip(_SEPARATORS)
            if text:
                yield _record(text, number)


def lines_of(file: ByteReader, where: str) -> Iterator[bytes]:
    """Cut a file into its lines, each with its end.

    Raises:
        FeedRefusedError: one is longer than MAX_LINE_BYTES.
    """
    rest, number = b"", 1
    while piece := file.read(_PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
        number += len(lines)
        if len(rest) > MAX_LINE_BYTES:
            raise FeedRefusedError(f"{where}, line {number}: expected at most {MAX_LINE_BYTES:,} bytes, found more")
    if rest:
        yield rest


def _record(text: bytes, number: int) -> Record | BrokenRecord:
    source = partial(_text, text)
    try:
        node = _decoder.decode(text)
    except _UNDECODABLE as error:
        return BrokenRecord(f"not well-formed JSON: {str(error) or 'too deep'}", number, source())
    if not isinstance(node, dict):
        return BrokenRecord("expected a JSON object in each line, found another value", number, source())
    return Record(node, number, source, raw=text)


def _text(line: bytes) -> str:
    return line[:_SOURCE].decode("utf-8", "replace")
