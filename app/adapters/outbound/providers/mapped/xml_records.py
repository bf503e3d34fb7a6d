"""Records of an XML document, parsed piece by piece; what has been read is forgotten, what is broken passed over."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from lxml import etree
from lxml.etree import _Element

from app.adapters.outbound.providers.mapped.element_lines import line_of
from app.adapters.outbound.providers.mapped.paths import BrokenRecord, Record, Records
from app.adapters.outbound.providers.mapped.record_context import ContextTeller, record_in
from app.adapters.outbound.providers.mapped.record_path import RecordPath
from app.adapters.outbound.providers.mapped.surroundings import Surroundings, start_tags
from app.adapters.outbound.providers.mapped.xml_parsing import XmlParser
from app.adapters.outbound.providers.mapped.xml_paths import XmlPaths
from app.adapters.outbound.providers.mapped.xml_pieces import XmlPieces
from app.adapters.outbound.providers.mapped.xml_prolog import read_prolog
from app.adapters.outbound.providers.reading.reading_memory import Reading, ReadingMemory
from app.application.ports.providers import FeedBrokenError, FeedError, FeedRefusedError

MAX_RECORD_BYTES = 8 * 1024 * 1024

_LOOK_AROUND = 1024 * 1024
_SOURCE = 8_000
_CONTINUED = bytes(range(0x80, 0xC0))
_SPACES = bytes([ord(" ")] * 256)


@dataclass(slots=True)
class _Lost:
    """A broken record, and what came since."""

    error: FeedBrokenError
    encoding: str
    chain: list[_Element]
    """The elements that it stood in, from the root on."""
    bytes: bytes


@dataclass(frozen=True, slots=True)
class _Known:
    """A record that is in one piece, and spelled as usual."""

    key: bytes
    reading: Reading | None
    context: bytes
    raw: bytes
    line: int

    def again(self) -> Record:
        node = record_in(self.context, self.raw)
        return Record(node, self.line, lambda: _text(self.raw))


@dataclass(slots=True)
class XmlRecords(Records):
    """Reads one document, once. All calls come from one thread.

    Where a record is broken, the document goes on with the next one in a parser of its own, which is first told the
    start tags that are open.

    With a memory, the parser is given the start tag of a record, then what is in it only if nobody knows it: a record
    that was read well in the same context is given by its reading, and blanks take its place.
    """

    file: IO[bytes]
    where: str
    """The source, for messages."""
    path: RecordPath
    paths: XmlPaths
    charset: str | None = None
    piece: int = 64 * 1024
    """Bytes that are read at a time."""
    memory: ReadingMemory | None = None
    _around: Surroundings = field(init=False)
    _pieces: XmlPieces = field(init=False)
    _context: ContextTeller = field(init=False)
    _is_usual: bool = False
    """Whether records of this document may be remembered."""
    _raw: bytes | None = None
    """A whole record, while its start tag is read."""
    _known: _Known | None = None
    _tags: set[str] = field(default_factory=set)
    _record: _Element | None = None
    _last_chain: list[_Element] = field(default_factory=list)
    _seen: int = 0
    _unknown: int = 0
    _lines: int = 1
    """The line in which the piece begins."""
    _record_line: int = 1
    _is_exact: bool = False
    """Whether that is told from the bytes."""
    _doubtful: bool = False
    """Whether an `&` has stood there since the last record that begins no reference."""
    _skew: int = 0
    """By how much the parser's lines are behind those of the document."""

    def __post_init__(self) -> None:
        self._around = Surroundings(self.paths.outside, self.paths.of_end, self.where)
        self._context = ContextTeller(self.paths, self._around)
        if not self._context.can_tell:
            self.memory = None
        self._pieces = XmlPieces(self.file, self.path.tag, self.piece, whole=self.memory is not None)

    @property
    def unknown(self) -> int:
        """As the Protocol says: what repeats beneath the root, where there was no record at all."""
        return 0 if self._seen else self._unknown

    @property
    def end(self) -> Any:
        """As the Protocol says."""
        return self._around.root

    def __iter__(self) -> Iterator[Record | BrokenRecord]:
        """As the Protocol says."""
        parser, lost, unclaimed = self._first_parser(), None, 0
        for piece in self._pieces:
            unclaimed += len(piece)
            begins = self._pieces.begins_record(piece)
            if lost is not None and begins:
                parser, lost = self._go_on(lost), None
            if begins and self._record is None:
                self._record_line, self._is_exact = self._lines, True
            if lost is not None:
                lost.bytes += piece
            else:
                error, events = None, 0
                for part in self._parts(piece, begins=begins):
                    error = self._fed(parser, part)
                    for kind, element in parser.starts_and_ends():
                        events += 1
                        if record := self._take(kind, element):
                            unclaimed = 0
                            yield record
                            self._around.forget(element)
                    if error:
                        break
                if error := error or self._stall(parser, piece, told=not begins or events > 0):
                    lost = self._lose(error, piece)
                    yield BrokenRecord(str(error), self._record_line, _text(piece))
            self._lines += piece.count(b"\n")
            unclaimed = self._bounded(unclaimed)
        self._finish(parser if lost is None else self._go_on(lost), lost)

    def _parts(self, piece: bytes, *, begins: bool) -> Iterator[bytes]:
        """Give what the parser is to be fed of a piece, each part when it has told what was in the one before."""
        whole = self._pieces.whole_record(piece) if self._is_usual and begins and self._record is None else None
        if whole is None:
            yield piece
            return
        self._raw = piece[: whole.end]
        yield piece[: whole.tag]
        known, self._raw = self._known, None
        if self._record is None or known is None or known.reading is None:
            yield piece[whole.tag : whole.end]
        else:
            yield _blanks(piece[whole.tag : whole.inside]) + piece[whole.inside : whole.end]
        self._known = None
        yield piece[whole.end :]

    def _first_parser(self) -> XmlParser:
        prolog = read_prolog(self.file, self.where, self.charset)
        self._lines = self._skew = prolog.line
        self._skew -= 1
        if not self.path.may_stand_in(prolog.root):
            expected = "a feed" if self.path.anywhere else f"a document with root {self.path.steps[0].tag}"
            raise FeedRefusedError(f"{self.where}: expected {expected}, found the root {prolog.root[:80]}")
        self._tags = {prolog.root, self.path.tag}
        self._is_usual = self.memory is not None and prolog.is_usual
        return XmlParser(self.where, self._tags, prolog.encoding)

    def _take(self, kind: str, element: _Element) -> Record | None:
        if kind == "start":
            if element.getparent() is None:
                self._around.begin(element)
            if self._record is None and self.path.matches(element):
                self._begin(element)
            return None
        if element is not self._record:
            return None
        self._record = None
        self._is_exact = self._doubtful = False
        self._seen += 1
        node = self._around.with_what_stood_before(element)
        record = Record(node, self._record_line, lambda: _source(element))
        if known := self._known:
            record.raw, record.key, record.reading, record.again = known.raw, known.key, known.reading, known.again
        return record

    def _begin(self, element: _Element) -> None:
        self._record = element
        self._last_chain = list(element.iterancestors())[::-1]
        if not self._is_exact:
            self._record_line = line_of(element) + self._skew
        self._known = self._looked_up(element) if self._raw else None

    def _fed(self, parser: XmlParser, part: bytes) -> FeedError | None:
        error = parser.feed(part)
        if parser.has_complained:  # from here on, and with the record in hand, it is the long way
            self._is_usual = False
            if self._known and self._known.reading is None:
                self._known = None
        return error

    def _looked_up(self, element: _Element) -> _Known | None:
        assert self.memory  # noqa: S101 - only with one are records whole
        assert self._raw  # noqa: S101 - as the caller made sure
        context = self._context.context(element) if self._last_chain and self._is_usual else None
        if context is None:
            return None
        key = self.memory.key(self._raw, context)
        return _Known(key, self.memory.recall(key), context, self._raw, self._record_line)

    def _stall(self, parser: XmlParser, piece: bytes, *, told: bool) -> FeedError | None:
        """Notice a parser that has stopped without a word, as libxml2's does at an `&` that begins no reference.

        There was such an `&`, and it has not told of a record that begins here (`told` says so), or of its end.
        """
        self._doubtful = self._doubtful or self._pieces.has_bare_ampersand(piece)
        if not self._doubtful:
            return None
        ends = self._record is not None and self._pieces.ends_record(piece)
        return parser.close() if ends or not told else None

    def _lose(self, error: Exception, piece: bytes) -> _Lost:
        """Give up a record.

        Raises:
            FeedError: it is no fault of a record, or nothing shows where the next one would stand.
        """
        if not isinstance(error, FeedBrokenError) or not self._last_chain:
            raise error
        chain = self._around.open_elements(len(self._last_chain), self._record)
        self._record = self._known = self._raw = None
        self._is_exact = self._doubtful = False
        self._seen += 1
        encoding = self._last_chain[0].getroottree().docinfo.encoding or "utf-8"
        return _Lost(error, encoding, chain, piece)

    def _go_on(self, lost: _Lost) -> XmlParser:
        """Begin anew behind a broken record.

        Raises:
            FeedBrokenError: it took the elements around it along.
        """
        parser = XmlParser(self.where, self._tags, lost.encoding)
        parser.feed(start_tags(lost.chain).encode(lost.encoding, "xmlcharrefreplace"))
        chain = [element for kind, element in parser.starts_and_ends() if element.getparent() is None]
        while chain and len(chain[-1]):
            chain.append(chain[-1][-1])
        self._around.go_on(chain)
        self._last_chain = chain
        behind = self._pieces.behind_records(lost.bytes)
        self._skew = self._lines - behind.count(b"\n") - 1
        if parser.feed(behind) or self._pieces.has_bare_ampersand(behind):
            raise lost.error
        return parser

    def _bounded(self, unclaimed: int) -> int:
        """Forget what is in no record when it grows."""
        if unclaimed > _LOOK_AROUND and self._record is None and self._around.look_around():
            unclaimed -= _LOOK_AROUND
        if unclaimed > MAX_RECORD_BYTES:
            mib = MAX_RECORD_BYTES // 1024 // 1024
            raise FeedRefusedError(f"{self.where}: expected a record at least every {mib} MiB, found none for longer")
        return unclaimed

    def _finish(self, parser: XmlParser, lost: _Lost | None) -> None:
        if error := parser.close():
            raise lost.error if lost else error
        self._unknown = self._around.unknown()
        self._around.finish()


def _blanks(inside: bytes) -> bytes:
    """Give what ends in the same line and column."""
    last = inside.rfind(b"\n") + 1
    return b"\n" * inside.count(b"\n", 0, last) + inside[last:].translate(_SPACES, _CONTINUED)


def _source(element: _Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)


def _text(piece: bytes) -> str:
    return piece[:_SOURCE].decode("utf-8", "replace")
