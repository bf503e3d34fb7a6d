"""What a feed says beyond what we know: ignored, but counted, so that somebody can ask what it is good for."""

from collections import Counter
from collections.abc import Iterable

from lxml.etree import _Element

MAX_NAMES = 1_000
MAX_LENGTH = 100
OTHERS = "(others)"


class IgnoredNames:
    """Counts unknown elements by name, unknown attributes as `element@attribute`; no feed can make it grow for ever."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, name: str, times: int = 1) -> None:
        """Count a name."""
        name = name[:MAX_LENGTH]
        if name not in self.counts and len(self.counts) >= MAX_NAMES:
            name = OTHERS
        self.counts[name] += times

    def attributes(self, element: str, names: Iterable[str | bytes], known: frozenset[str], times: int = 1) -> None:
        """Count those attributes of an element that are not known."""
        for name in names:
            if name not in known:
                self.note(f"{element}@{name!s}", times)

    def children(self, element: _Element, known: str) -> None:
        """Count those children of an element that are not known."""
        for child in element.iterchildren("*"):
            if child.tag != known:
                self.note(child.tag)
