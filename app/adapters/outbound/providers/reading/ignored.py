"""What a feed says beyond what we know: ignored, but counted, so that somebody can ask what it is good for."""

from collections import Counter
from collections.abc import Iterable, Mapping

MAX_NAMES = 1_000
MAX_LENGTH = 100
OTHERS = "(others)"


class IgnoredNames:
    """Counts unknown elements by name, unknown attributes as `element@attribute`; no feed can make it grow for ever."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.unknown_records = 0
        """How many of the elements stood where records are expected."""

    def note(self, name: str, times: int = 1) -> None:
        """Count a name."""
        name = name[:MAX_LENGTH]
        if name not in self.counts and len(self.counts) >= MAX_NAMES:
            name = OTHERS
        self.counts[name] += times

    def attributes(self, element: str, names: Iterable[str], known: frozenset[str]) -> None:
        """Count those attributes of an element that are not known."""
        for name in names:
            if name not in known:
                self.note(f"{element}@{name}")

    def in_place_of_a_record(self, name: str) -> None:
        """Count an unknown element that stands where a record is expected."""
        self.note(name)
        self.unknown_records += 1

    def move_to(self, other: "IgnoredNames") -> None:
        """Count there what was counted here, and begin anew."""
        if self.counts:
            other.add(self.counts, self.unknown_records)
            self.counts.clear()
            self.unknown_records = 0

    def add(self, counts: Mapping[str, int], unknown_records: int) -> None:
        """Count what was counted elsewhere."""
        for name, times in counts.items():
            self.note(name, times)
        self.unknown_records += unknown_records
