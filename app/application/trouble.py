"""Say it when it begins and say it when it ends, however often it is met in between."""

from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[[str | None], None]
"""Hears why something fails, and None when it works again."""


@dataclass(slots=True)
class Trouble:
    """Remembers whether something fails, and tells of changes only."""

    tell: Tell
    is_known: bool = False
    """Whether it fails, as far as anybody was told."""

    def note(self, reason: str | None) -> None:
        """Hear how it went: why it failed, None when it worked."""
        was_known, self.is_known = self.is_known, reason is not None
        if self.is_known is not was_known:
            self.tell(reason)
