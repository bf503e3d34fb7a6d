"""Elements as a feed has them, out of expat: starts and ends, each with its attributes, its line and its bytes."""

from contextlib import suppress
from typing import NamedTuple, Protocol
from xml.parsers import expat

MAX_SOURCE = 2_000
MAX_DEPTH = 256

_SEPARATOR = "}"


class BrokenMarkupError(Exception):
    """What was given is not well-formed; the elements before have been handed out."""

    def __init__(self, found: str, line: int) -> None:
        """Keep the line, from 1."""
        super().__init__(f"not well-formed XML: {found}, line {line}")
        self.line = line


class TooDeepError(Exception):
    """More elements stand inside each other than a feed needs."""


class Element(NamedTuple):
    """An element as it was met."""

    tag: str
    said: dict[str, str]
    """Its attributes, in their order. Names of a namespace are `{namespace}name`."""
    line: int
    markup: bytes
    """What it stands in, from `begin` to `end`."""
    begin: int
    end: int | None = None
    """None: to the end of its tag."""

    @property
    def source(self) -> str:
        """The element as the feed has it, cut to 2,000 characters."""
        end = self.markup.find(b">", self.begin) + 1 if self.end is None else self.end
        return source_of(self.markup[self.begin : end])


class Follower(Protocol):
    """Somebody who is told of the elements. `at` is how many bytes were given before the element's tag."""

    def start(self, tag: str, said: list[str], line: int, at: int) -> None:
        """An element begins; `said` has names and values in turns."""

    def end(self, tag: str, at: int) -> None:
        """It ends; one that is empty does so behind its tag."""


class Markup:
    """Parses UTF-8, piece by piece. Nothing is expanded or loaded: there is no DOCTYPE that could name anything."""

    def __init__(self, follower: Follower, *, line: int = 1) -> None:
        self._follower = follower
        self._before = line - 1
        self._depth = 0
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        with suppress(AttributeError):  # before expat 2.6 nothing is deferred
            self._parser.SetReparseDeferralEnabled(False)  # noqa: FBT003 - it takes no keyword
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartNamespaceDeclHandler = self._declared
        self.namespaces: dict[str | None, str] = {}
        """Those that were declared so far, by their prefix."""

    def skip(self, lines: int) -> None:
        """Take note that some lines are not given."""
        self._before += lines

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Parse the next piece.

        Raises:
            BrokenMarkupError: it breaks here, or has not come to its end with the last one.
            TooDeepError: that.
        """
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            raise BrokenMarkupError(expat.ErrorString(error.code), self._before + error.lineno) from None

    def _start(self, tag: str, said: list[str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeepError
        if any(_SEPARATOR in name for name in said[::2]):
            said[::2] = map(_named, said[::2])
        parser = self._parser
        self._follower.start(_named(tag), said, self._before + parser.CurrentLineNumber, parser.CurrentByteIndex)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._follower.end(_named(tag), self._parser.CurrentByteIndex)

    def _doctype(self, *_: object) -> None:
        raise BrokenMarkupError("a DOCTYPE", self._before + self._parser.CurrentLineNumber)

    def _declared(self, prefix: str | None, uri: str | None) -> None:
        self.namespaces[prefix] = uri or ""


def _named(name: str) -> str:
    return f"{{{name}" if _SEPARATOR in name else name


def source_of(markup: bytes) -> str:
    """Show bytes of a feed to people."""
    return markup[: 4 * MAX_SOURCE].decode(errors="replace")[:MAX_SOURCE]
