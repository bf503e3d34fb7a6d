"""What every format has in common: records, and paths that records answer."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.adapters.outbound.providers.reading.reading_memory import Reading
from app.domain.feeds import RejectionReason

MAX_PATH = 500
"""Characters of a path."""

Value = Any
"""What a path finds: a text, a number, a yes or no, a Moment, None for nothing; of JSON also an object or a list."""


class PathError(ValueError):
    """A path that cannot be used; the message says what was expected."""


class Path(Protocol):
    """A path as it was compiled. Used by one thread."""

    text: str
    """As the configuration has it."""

    @abstractmethod
    def first(self, node: Any) -> Value:
        """Give the first value that it finds from a node, None when it finds none."""

    def column(self, nodes: Sequence[Any]) -> list[Value]:
        """Give `first` of each node."""
        return [self.first(node) for node in nodes]

    def nodes(self, node: Any) -> list[Any]:
        """Give all that it finds, as nodes of which further paths can be asked."""
        found = self.first(node)
        return [] if found is None else [found]


class Paths(Protocol):
    """The paths of one format."""

    @abstractmethod
    def compile(self, text: str, *, inside: bool = False) -> Path:
        """Compile a path that is asked of a record; with `inside`, of what a path has found inside a record.

        Raises:
            PathError: it is none, or asks for what is not known yet when a record is read.
        """

    def columns(self, paths: Sequence[Path], nodes: Sequence[Any]) -> list[Sequence[Value]]:
        """Give `Path.column` of each path."""
        return [path.column(nodes) for path in paths]

    def of_document(self, text: str) -> Path:
        """Compile a path that is asked of what stood around a record, or of a document that has come to its end.

        Raises:
            PathError: as above; also where a format has nothing of the kind.
        """
        raise PathError(f"expected a path of the record, found {text!r} of the document, which this format has not")


@dataclass(slots=True)
class Record:
    """A record of a document."""

    node: Any
    """What its paths are asked of."""
    line: int
    """Where it begins, from 1; 0 when that is not known."""
    source: Callable[[], str]
    """Gives it as the document has it; cut to a bounded length by whoever asks."""
    document: Callable[[], Any] | None = field(default=None)
    """Gives what stood around it, for paths of the document."""
    raw: bytes | None = field(default=None)
    """Bytes by which all is told that paths of the record find; its node stays good then."""
    key: bytes | None = field(default=None)
    """The same, as a memory of readings has named them."""
    reading: Reading | None = field(default=None)
    """What they were read as before. Then it has no node."""
    again: "Callable[[], Record] | None" = field(default=None)
    """Gives it once more, in the thread of whoever calls; None where its node stays good."""


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that cannot be read; the next ones can."""

    message: str
    line: int
    source: str
    reason: RejectionReason = RejectionReason.MALFORMED
    node: Any = None
    """What its ids can still be asked of, if anything."""
    is_one_item: bool = False
    """Whether an item can be told by that, and not its base alone."""


class Records(Protocol):
    """The records of one document, once. All calls come from one thread."""

    @abstractmethod
    def __iter__(self) -> Iterator[Record | BrokenRecord]:
        """Give them in order. What a record points to is good until the next one is asked for.

        Raises:
            FeedBrokenError: the document cannot be read further.
            FeedRefusedError: it will not be read.
        """

    @property
    @abstractmethod
    def unknown(self) -> int:
        """How many things stood where records are expected, and were none; known at the end."""

    @property
    @abstractmethod
    def end(self) -> Any:
        """What stood around the records, for paths of the document; known at the end."""
