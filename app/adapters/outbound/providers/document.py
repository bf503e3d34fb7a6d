"""An XML document from somebody else, parsed piece by piece."""

from collections.abc import Iterator
from typing import Any, Literal

from lxml.etree import ErrorTypes, XMLPullParser, XMLSyntaxError, _Element

from app.application.ports.providers import FeedBrokenError, FeedError, FeedRefusedError

Event = tuple[Literal["start", "end"], _Element]

_LIMITS = (ErrorTypes.ERR_RESOURCE_LIMIT, ErrorTypes.ERR_ENTITY_LOOP, ErrorTypes.ERR_NAME_TOO_LONG)


class Document:
    """Gives the starts and ends of some elements; nothing is expanded, loaded or repaired.

    libxml2 itself stops what no feed needs, such as 256 elements inside each other, while `huge_tree` is off.

    All calls come from one thread: a parser that wanders between threads, even with a lock around it, ends the process
    ("free(): invalid pointer", lxml 6.1), because lxml keeps a table of names for each thread.
    """

    def __init__(self, source: str, *tags: str) -> None:
        self._source = source
        self._parser = XMLPullParser(
            ("start", "end"),
            tag=tags,
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
