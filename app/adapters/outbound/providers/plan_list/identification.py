"""What a document is, told from its first tag, and what is refused before anything is read from it."""

import re
from typing import Never
from xml.parsers import expat

from app.adapters.outbound.providers.plan_list.dialects import DIALECTS, EXPECTED, Dialect
from app.adapters.outbound.providers.reading.utf_8 import Utf8Text
from app.application.ports.providers import FeedRefusedError

_MAX_PROLOG = 1024 * 1024
_PIECE = 4_096
_SEPARATOR = " "
_HTML = re.compile(rb"<(?:!doctype\s+)?html\b", re.IGNORECASE)


class _Found(Exception):  # noqa: N818 - no error, but the way out of a parser
    """The first thing that tells what the document is: the root's name, and what says it."""


def identify(text: Utf8Text, source: str) -> Dialect:
    """Tell the dialect by the root element; leaves the text at its start.

    It stops at the first tag or DOCTYPE, before there is anything that could be expanded.

    Raises:
        FeedRefusedError: the document is no feed, or it has a DOCTYPE, which could name entities and other documents.
    """
    head = b""
    parser = _parser()
    try:
        while len(head) < _MAX_PROLOG and (piece := text.read(_PIECE)):
            head += piece
            parser.Parse(piece, False)  # noqa: FBT003 - it takes no keyword
    except _Found as found:
        text.back(head)
        return _dialect(*found.args, source=source)
    except expat.ExpatError as error:  # often a page for people, which need not be XML
        kind = "html" if _HTML.search(head) else f"what is not well-formed XML: {error}"
        raise FeedRefusedError(f"{source}: {EXPECTED}, found {kind}") from error
    raise FeedRefusedError(f"{source}: {EXPECTED}, found {'no element' if head else 'an empty document'}")


def _dialect(root: str, first: str, *, source: str) -> Dialect:
    dialect = DIALECTS.get(root)
    if dialect is None:
        namespace, _, name = root.rpartition(_SEPARATOR)
        where = f" of the namespace {namespace[:80]}" if namespace else ""
        raise FeedRefusedError(f"{source}: {EXPECTED}, found {name[:80]}{where}")
    if first == "DOCTYPE":
        raise FeedRefusedError(f"{source}: expected a document without a DOCTYPE, found one")
    return dialect


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.StartDoctypeDeclHandler = _on_doctype
    parser.StartElementHandler = _on_element
    return parser


def _on_doctype(root: str, *_: object) -> Never:
    raise _Found(root, "DOCTYPE")


def _on_element(root: str, *_: object) -> Never:
    raise _Found(root, "element")
