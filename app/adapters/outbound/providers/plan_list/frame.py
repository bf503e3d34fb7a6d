"""What stands around the bases of a feed: root > output > base. Whatever is none of these is counted, not read."""

from xml.sax.saxutils import quoteattr

from app.adapters.outbound.providers.plan_list.dialects import OUTPUT, Dialect
from app.adapters.outbound.providers.plan_list.markup import Markup
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.application.ports.providers import FeedRefusedError

_ROOT_ATTRIBUTES = frozenset({"version"})


class Frame:
    """Follows a document from which its bases are cut out; the same names in other places are unknown elements.

    A base may be cut out wherever it `expects_bases`.
    """

    def __init__(self, source: str, dialect: Dialect, ignored: IgnoredNames, *, line: int = 1) -> None:
        self._source = source
        self._dialect = dialect
        self._ignored = ignored
        self._path: list[str] = []
        self._beside_output = 0
        self._outputs = 0
        self._markup = Markup(self, line=line)
        self.ended = False
        """Whether the root has come to its end."""

    def reopened(self, line: int) -> "Frame":
        """Give one that stands in an output on this line, to go on behind what is broken."""
        frame = Frame(self._source, self._dialect, IgnoredNames())
        frame.feed(f"<{self._dialect.root}><{OUTPUT}{self._declarations()}>".encode())
        frame.skip(line - 1)
        frame._ignored = self._ignored
        return frame

    @property
    def expects_bases(self) -> bool:
        """Whether it stands in an output, and in nothing else."""
        return self._path == [self._dialect.root, OUTPUT]

    @property
    def surroundings(self) -> bytes:
        """A tag that declares the namespaces that may be used inside; empty without any."""
        return f"<{OUTPUT}{self._declarations()}>".encode() if self._markup.namespaces else b""

    def skip(self, lines: int) -> None:
        """Take note that some lines are not given."""
        self._markup.skip(lines)

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Read on.

        Raises:
            FeedRefusedError: a base or an item stands too high. Ignored as something unknown, it would seem to be gone.
            BrokenMarkupError: it breaks here, or has not come to its end with the last piece.
            TooDeepError: it goes too deep.
        """
        self._markup.feed(piece, last=last)

    def start(self, tag: str, said: list[str], line: int, at: int) -> None:  # noqa: ARG002 - as a Follower
        """As a Follower."""
        if not self._path:
            self._ignored.attributes(tag, said[::2], _ROOT_ATTRIBUTES)
        elif self._path == [self._dialect.root]:
            self._below_root(tag, said, line)
        elif self.expects_bases:
            self._below_output(tag, line)
        self._path.append(tag)

    def end(self, tag: str, at: int) -> None:  # noqa: ARG002 - as a Follower
        """As a Follower."""
        self._path.pop()
        if self._path:
            return
        self.ended = True
        if not self._outputs:  # then the elements beside it stand where records are expected
            self._ignored.unknown_records += self._beside_output

    def _below_root(self, tag: str, said: list[str], line: int) -> None:
        if tag == OUTPUT:
            self._outputs += 1
            self._ignored.attributes(OUTPUT, said[::2], frozenset())
            return
        self._refuse(tag, self._dialect.base, OUTPUT, line)
        self._refuse(tag, self._dialect.item, self._dialect.base, line)
        self._beside_output += 1
        self._ignored.note(tag)

    def _below_output(self, tag: str, line: int) -> None:
        self._refuse(tag, self._dialect.item, self._dialect.base, line)
        self._ignored.in_place_of_a_record(tag)

    def _refuse(self, tag: str, misplaced: str, within: str, line: int) -> None:
        if tag == misplaced:
            raise FeedRefusedError(f"{self._source}, line {line}: expected {tag} inside {within}, found it outside")

    def _declarations(self) -> str:
        return "".join(
            f" xmlns{prefix and ':'}{prefix}={quoteattr(uri)}"
            for prefix, uri in ((prefix or "", uri) for prefix, uri in self._markup.namespaces.items())
        )
