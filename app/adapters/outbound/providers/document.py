"""An XML document from somebody else: how it is parsed, and what is refused before anything of it is read."""

import re
from collections.abc import Iterator
from typing import IO, Any, Literal

from lxml.etree import ErrorTypes, QName, XMLPullParser, XMLSyntaxError, _Element

from app.adapters.outbound.providers.dialects import DIALECTS, EXPECTED, Dialect
from app.application.ports.providers import FeedBrokenError, FeedError, FeedRefusedError

Event = tuple[Literal["start", "end"], _Element]

_MAX_PROLOG = 1024 * 1024
_STEP = 4_096
_HTML = re.compile(rb"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_LIMITS = (ErrorTypes.ERR_RESOURCE_LIMIT, ErrorTypes.ERR_ENTITY_LOOP, ErrorTypes.ERR_NAME_TOO_LONG)


class Document:
    """A document that is parsed piece by piece: nothing is expanded, loaded or repaired.

    libxml2 itself stops what no feed needs, such as 256 elements inside each other, while `huge_tree` is off.
    """

    def __init__(self, source: str, *tags: str, events: tuple[Literal["start", "end"], ...] = ("start", "end")) -> None:
        self._source = source
        self._parser = XMLPullParser(
            events,
            tag=tags or None,
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            dtd_validation=False,
            attribute_defaults=False,
            huge_tree=False,
            recover=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Parse the next piece and give its starts and ends of elements.

        Raises:
            FeedError: the document breaks here; all that was read well before has been given.
        """
        error = self._parse(piece)
        yield from self._parser.read_events()  # type: ignore[misc] # nothing but starts and ends is asked for
        if error:
            raise error

    def close(self) -> _Element:
        """Give the root of a document that has come to its end.

        Raises:
            FeedError: it has not.
        """
        try:
            return self._parser.close()
        except XMLSyntaxError as error:
            raise self._failure(error) from error

    def _parse(self, piece: bytes) -> FeedError | None:
        try:
            self._parser.feed(piece)
        except XMLSyntaxError as error:
            return self._failure(error)
        # An entity that is nowhere declared stops the parser without a word while entities are not to be resolved.
        log: Any = self._parser.feed_error_log
        for fatal in log.filter_from_fatals():
            return self._broken(fatal.type, f"{fatal.message}, line {fatal.line}, column {fatal.column}", fatal.line)
        return None

    def _failure(self, error: Any) -> FeedError:  # the stubs do not know an XMLSyntaxError's code
        return self._broken(error.code, error.msg, error.lineno)

    def _broken(self, code: int, found: str | None, line: int | None) -> FeedError:
        found = " ".join((found or "the document ends too early").split())
        if code in _LIMITS:
            return FeedRefusedError(f"{self._source}: the document goes beyond what a feed may be: {found}")
        return FeedBrokenError(f"{self._source}: not well-formed XML: {found}", line=line or 0)


def identify(file: IO[bytes], source: str) -> Dialect:
    """Tell the dialect by the root element; leaves the file at its start.

    Raises:
        FeedRefusedError: the document is no feed, or it has a DOCTYPE, which could name entities and other documents.
    """
    head, why = b"", "an empty document"
    document = Document(source, events=("start",))
    while len(head) < _MAX_PROLOG and (piece := file.read(_STEP)):
        head += piece
        try:
            for _, root in document.feed(piece):
                file.seek(0)
                return _dialect_of(root, source)
            why = "no element at all"
        except FeedError as error:
            raise FeedRefusedError(f"{source}: {EXPECTED}, found {_kind(head, str(error))}") from error
    raise FeedRefusedError(f"{source}: {EXPECTED}, found {why}")


def _dialect_of(root: _Element, source: str) -> Dialect:
    dialect = DIALECTS.get(root.tag)
    if dialect is None:
        raise FeedRefusedError(f"{source}: {EXPECTED}, found {QName(root).localname[:80]}")
    if root.getroottree().docinfo.internalDTD is not None:
        raise FeedRefusedError(f"{source}: expected a document without a DOCTYPE, found one")
    return dialect


def _kind(head: bytes, error: str) -> str:
    """Say what it is instead; the bytes may be of any encoding, so that zeros between them are left out."""
    plain = head.replace(b"\0", b"")
    if _HTML.search(plain):
        return "html"
    if b"<!DOCTYPE" in plain:
        return f"a DOCTYPE, and: {error}"
    return error
