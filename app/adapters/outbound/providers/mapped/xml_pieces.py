"""Cuts the bytes of an XML document before the tags of its records: what is broken then has a beginning."""

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

MAX_WHOLE = 1024 * 1024
"""Bytes of a record that are waited for so that it comes in one piece."""

_LONGEST_NAME = 256
_LONGEST_REFERENCE = 32
_NO_MARKUP = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")


class WholeRecord(NamedTuple):
    """Where a record ends that begins a piece."""

    tag: int
    """Behind its start tag."""
    inside: int
    """Before its end tag."""
    end: int


class XmlPieces:
    """Gives a document in pieces. One that begins with the start tag of a record is told apart by `begins_record`.

    Tags are looked for as ASCII has them. In other encodings, and for tags that are written within a comment, pieces
    are merely cut elsewhere.
    """

    def __init__(self, file: IO[bytes], tag: str, size: int, *, whole: bool = False) -> None:
        """Take the name of records as lxml has it, and how many bytes are read at a time.

        With `whole`, a record of up to MAX_WHOLE bytes comes in one piece.
        """
        self._file = file
        self._whole_records = whole
        self._size = size
        namespace, _, local = tag.rpartition("}")
        prefix = rb"(?:[^\s<>/!?:]{1,100}:)?" if namespace else b""
        name = prefix + re.escape(local.encode())
        self._start = re.compile(b"<" + name + rb"(?=[\s/>])")
        self._end = re.compile(b"</" + name + rb"\s*>")
        said = rb"""[^<>"']*+"""
        self._tag = re.compile(b"<" + name + rb"""(?=[\s/>])%b(?:(?:"[^"<]*+"|'[^'<]*+')%b)*+>""" % (said, said))

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces in order; together they are the document."""
        rest = b""
        while read := self._file.read(self._size):
            piece = rest + read
            cut = self._whole(piece)
            piece, rest = piece[:cut], piece[cut:]
            begins = 0
            for found in self._start.finditer(piece):
                if found.start() > begins:
                    yield piece[begins : found.start()]
                begins = found.start()
            last = piece[begins:]
            if self._whole_records and self._is_waited_for(last):
                rest = last + rest
            elif last:
                yield last
        if rest:
            yield rest

    def _is_waited_for(self, piece: bytes) -> bool:
        """Tell whether a record begins in a piece and does not end in it, as far as can be seen."""
        if len(piece) > MAX_WHOLE or not self.begins_record(piece):
            return False
        tag = self._tag.match(piece)
        return tag is None or not (tag[0].endswith(b"/>") or self._end.search(piece, tag.end()))

    def whole_record(self, piece: bytes) -> WholeRecord | None:
        """Find the end of the record that begins a piece; None when it is not in it, or something is unusual."""
        tag = self._tag.match(piece)
        if tag is None:
            return None
        if tag[0].endswith(b"/>"):
            return WholeRecord(tag.end(), tag.end(), tag.end())
        end = self._end.search(piece, tag.end())
        if end is None or piece.find(b"<!", 0, end.end()) >= 0 or piece.find(b"<?", 0, end.end()) >= 0:
            return None
        return WholeRecord(tag.end(), end.start(), end.end())

    @staticmethod
    def _whole(piece: bytes) -> int:
        """Find where a name, or a reference, may begin that goes on in the next piece."""
        cut = piece.rfind(b"<", max(0, len(piece) - _LONGEST_NAME))
        if cut >= 0 and not re.search(rb"[\s>]", piece[cut:]):
            return cut
        cut = piece.rfind(b"&", max(0, len(piece) - _LONGEST_REFERENCE))
        return len(piece) if cut < 0 or re.search(rb"[\s;<]", piece[cut:]) else cut

    def begins_record(self, piece: bytes) -> bool:
        """Tell whether a piece begins with the start tag of a record."""
        return self._start.match(piece) is not None

    def behind_records(self, lost: bytes) -> bytes:
        """Give what stands behind the last end tag of a record; nothing when there is none."""
        ends = [found.end() for found in self._end.finditer(lost)]
        return lost[ends[-1] :] if ends else b""

    def ends_record(self, piece: bytes) -> bool:
        """Tell whether the end tag of a record stands in a piece."""
        return self._end.search(piece) is not None

    @staticmethod
    def has_bare_ampersand(piece: bytes) -> bool:
        """Tell whether a piece seems to have an `&` that begins no reference, or one to an entity that XML has not."""
        return b"&" in piece and _AMPERSAND.search(_NO_MARKUP.sub(b"", piece)) is not None
