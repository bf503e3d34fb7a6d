"""What one caller may have of something of which there is little, so that nobody keeps out all others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class ShareTakenError(Exception):
    """One caller has as many streams of this process as one may have."""

    def __init__(self, most: int, instead: str) -> None:
        """Say what helps."""
        super().__init__(f"{most} streams of yours are open here already: end one, or {instead}")


class Shares:
    """The streams that each caller has; whoever has `most` of them is told what to do `instead`."""

    def __init__(self, most: int, instead: str) -> None:
        self._most = most
        self._instead = instead
        self._taken: Counter[str] = Counter()

    def check(self, caller: str) -> None:
        """Refuse who has a whole share.

        Raises:
            ShareTakenError: this caller has.
        """
        if self._taken[caller] >= self._most:
            raise ShareTakenError(self._most, self._instead)

    def take(self, caller: str) -> None:
        """Count one more."""
        self._taken[caller] += 1

    def give_back(self, caller: str) -> None:
        """Count one less; nothing is kept of who has none."""
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]

    @contextmanager
    def taken(self, caller: str) -> Iterator[None]:
        """Count one as long as a block lasts."""
        self.take(caller)
        try:
            yield
        finally:
            self.give_back(caller)
