"""What is wrong with a mapping, all of it at once: for each mistake the key, what was found and what was expected."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake, as one line."""

    key: str
    """Where it stands under `options`, such as `fields.starts.format`."""
    found: str
    """What stands there, cut to a line; empty when nothing does."""
    expected: str

    def __str__(self) -> str:
        """Say it."""
        return f"options.{self.key}: {f'{self.found!r}: ' if self.found else ''}{self.expected}"


class InvalidMappingError(ValueError):
    """The options of a `mapped` provider make no mapping; `mistakes` has at least one."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        """Keep them."""
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(map(str, self.mistakes)))


class Mistakes:
    """Collects them while options are read."""

    def __init__(self) -> None:
        self.found: list[Mistake] = []

    def note(self, key: str, found: object, expected: str) -> None:
        """Note one; of long texts the beginning is shown, of lists and sections nothing."""
        shown = "" if found is None or isinstance(found, dict | list) else " ".join(str(found).split())
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        self.found.append(Mistake(key, shown, expected))

    def unknown(self, key: str, name: object, known: Iterable[str]) -> None:
        """Note a key that nobody knows, with the nearest one that is known."""
        known = list(known)
        nearest = get_close_matches(str(name), known, n=1)
        hint = f"no such key, did you mean {nearest[0]!r}?" if nearest else f"no such key, expected {', '.join(known)}"
        self.note(f"{key}.{name}" if key else str(name), None, hint)
