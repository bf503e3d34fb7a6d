"""A pull parser for a document from somebody else: nothing is expanded, loaded or repaired."""

from collections.abc import Iterable
from typing import Any

from lxml.etree import ErrorTypes, XMLPullParser, XMLSyntaxError, _Element

from app.application.ports.providers import FeedBrokenError, FeedError, FeedRefusedError

_LIMITS = (ErrorTypes.ERR_RESOURCE_LIMIT, ErrorTypes.ERR_ENTITY_LOOP, ErrorTypes.ERR_NAME_TOO_LONG)


class XmlParser:
    """Gives the starts and ends of some elements. All calls come from one thread: lxml keeps a table of names for each.

    libxml2 itself stops what no feed needs, such as 256 elements inside each other, while `huge_tree` is off.
    """

    def __init__(self, where: str, tags: Iterable[str], encoding: str | None) -> None:
        self._where = where
        self.has_complained = False
        """Whether anything was wrong so far, broken or not: prefixes that nobody has declared are not."""
        self._parser: Any = XMLPullParser(
            ("start", "end"),
            tag=sorted(tags),
            encoding=encoding,
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

    def feed(self, piece: bytes) -> FeedError | None:
        """Parse the next piece; give the error that breaks the document in it, if any."""
        try:
            self._parser.feed(piece)
        except XMLSyntaxError as error:
            return self._failure(error)
        # An entity that is nowhere declared stops the parser without a word while entities are not to be resolved.
        errors = self._parser.feed_error_log
        self.has_complained = len(errors) > 0
        for fatal in errors.filter_from_fatals():
            return self._broken(fatal.type, f"{fatal.message}, line {fatal.line}, column {fatal.column}", fatal.line)
        return None

    def starts_and_ends(self) -> Iterable[tuple[str, _Element]]:
        """Give what has begun and ended since the last call."""
        found: Iterable[tuple[str, _Element]] = self._parser.read_events()
        return found

    def close(self) -> FeedError | None:
        """Tell the end; give an error when the document has not come to its own."""
        try:
            self._parser.close()
        except XMLSyntaxError as error:
            return self._failure(error)
        return None

    def _failure(self, error: Any) -> FeedError:  # the stubs do not know an XMLSyntaxError's code
        return self._broken(error.code, error.msg, error.lineno)

    def _broken(self, code: int, found: str | None, line: int | None) -> FeedError:
        found = " ".join((found or "the document ends too early").split())
        if code in _LIMITS:
            return FeedRefusedError(f"{self._where}: the document goes beyond what a feed may be: {found}")
        return FeedBrokenError(f"{self._where}: not well-formed XML: {found}", line=line or 0)
