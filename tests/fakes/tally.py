"""Tally and SharedFigures in memory."""

from collections.abc import Mapping

from app.application.ports.figures import Figure, SharedFigures, Tally
from tests.fakes.store import MemoryStore


class MemoryTally(Tally, SharedFigures):
    """A dict; only reading knows whether the store is away."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._counts: dict[Figure, float] = {}

    def add(self, figure: Figure, amount: float = 1) -> None:
        """Count."""
        self._counts[figure] = self._counts.get(figure, 0) + amount

    async def flush(self) -> None:
        """Do nothing: what is counted can be read."""

    async def read(self) -> Mapping[Figure, float]:
        """Copy the dict."""
        self._store.check()
        return dict(self._counts)

    def lose_everything(self) -> None:
        """Become as empty as a server that was replaced."""
        self._counts.clear()
