"""How many streams one process has, and one caller of it, so that nobody keeps out all others."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.adapters.inbound.http.connection.connection_errors import ShareTakenError


class StreamPlaces:
    """At most `most` streams, `share` of them one caller's, who is told else what to do `instead`.

    When all places are taken, what `full` makes is raised.
    """

    def __init__(self, most: int, share: int, instead: str, full: Callable[[int], Exception]) -> None:
        self._most = most
        self._share = share
        self._instead = instead
        self._full = full
        self._taken: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many streams there are."""
        return self._taken.total()

    def check(self, caller: str) -> None:
        """Refuse who finds no place.

        Raises:
            ShareTakenError: this caller has as many as one may have.
        """
        if self._taken[caller] >= self._share:
            raise ShareTakenError(self._share, self._instead)
        if self.count >= self._most:
            raise self._full(self._most)

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
