"""What an XML document says before its first element."""

import re
from dataclasses import dataclass
from typing import IO, Never
from xml.parsers import expat

from app.application.ports.providers import FeedRefusedError

_MAX_PROLOG = 1024 * 1024
_PIECE = 4_096
_SEPARATOR = "}"
_HTML = re.compile(rb"<(?:!doctype\s+)?html\b", re.IGNORECASE)
_BLANKS = b" \t\r\n"
_UTF_8 = ("utf-8", "utf8")
_UTF_8_BOM = b"\xef\xbb\xbf"
_BOMS = (_UTF_8_BOM, b"\xff\xfe", b"\xfe\xff")
_LABEL = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)")

_VERSION = re.compile(rb"<\?xml\s+version\s*=\s*[\"']1\.0[\"']")


class _Found(Exception):  # noqa: N818 - no error, but the way out of a parser
    """The first element."""


@dataclass(frozen=True, slots=True)
class Prolog:
    """How to read the document."""

    root: str
    """The root's name as lxml has it."""
    encoding: str | None
    """To be read with, whatever the document says; None: what it says counts."""
    line: int
    """The line in which the document begins, behind blanks before it."""
    is_usual: bool = False
    """Whether it is XML 1.0 in UTF-8 without a DOCTYPE, in which the same bytes always mean the same."""


def read_prolog(file: IO[bytes], source: str, charset: str | None) -> Prolog:
    """Find the root; leaves the file where the document begins, behind white space that should not be there.

    A DOCTYPE that only names the document's type is passed over, and nothing is loaded for it; one with declarations
    of its own could say what entities are, and is refused.

    Raises:
        FeedRefusedError: it is no XML, or has such a DOCTYPE.
    """
    begins = _skip_blanks(file)
    file.seek(0)
    line = 1 + file.read(begins).count(b"\n")
    head = file.read(_PIECE)
    encoding = _encoding(head, charset)
    parser = expat.ParserCreate(encoding, namespace_separator=_SEPARATOR)
    parser.StartDoctypeDeclHandler = _doctype
    parser.StartElementHandler = _element
    piece = head
    try:
        while piece and len(head) <= _MAX_PROLOG:
            parser.Parse(piece, False)  # noqa: FBT003 - it takes no keyword
            piece = file.read(_PIECE)
            head += piece
    except _Found as found:
        file.seek(begins)
        [root] = found.args
        if root is None:
            raise FeedRefusedError(
                f"{source}: expected a document without declarations in its DOCTYPE, found some"
            ) from None
        name = f"{{{root}" if _SEPARATOR in root else root
        return Prolog(name, encoding, line, _is_usual(head, encoding))
    except (expat.ExpatError, LookupError, ValueError) as error:
        kind = "html" if _HTML.search(head.replace(b"\0", b"")) else f"what is not well-formed XML: {error}"
        raise FeedRefusedError(f"{source}: expected an XML document, found {kind}") from error
    raise FeedRefusedError(f"{source}: expected an XML document, found {'no element' if head else 'nothing'}")


def _skip_blanks(file: IO[bytes]) -> int:
    head = file.read(_PIECE)
    bom = next((bom for bom in _BOMS if head.startswith(bom)), b"")
    rest = head[len(bom) :].lstrip(_BLANKS)
    blanks = len(head) - len(bom) - len(rest)
    begins = len(bom) + blanks if blanks else 0
    file.seek(begins)
    return begins


def _encoding(head: bytes, charset: str | None) -> str | None:
    """Choose: a BOM, else what the document says unless it plainly is not so, else what the server says."""
    if head.startswith(_BOMS) or b"\0" in head[:4]:
        return None
    label = _LABEL.match(head)
    if label is None:
        return charset
    wide = label[1].lower().startswith((b"utf-16", b"utf16", b"ucs-2", b"utf-32"))
    return "utf-8" if wide else None


def _is_usual(head: bytes, encoding: str | None) -> bool:
    begin = head.removeprefix(_UTF_8_BOM).lstrip(_BLANKS)
    if b"\0" in head[:4] or head.startswith(_BOMS[1:]) or b"<!DOCTYPE" in head:
        return False
    label = _LABEL.match(begin)
    said = label[1].decode() if label and encoding is None else encoding or "utf-8"
    return said.lower() in _UTF_8 and (not begin.startswith(b"<?xml") or _VERSION.match(begin) is not None)


def _doctype(root: str, system: str | None, public: str | None, has_declarations: bool) -> None:  # noqa: ARG001
    if has_declarations:
        raise _Found(None)


def _element(name: str, *_: object) -> Never:
    raise _Found(name)
