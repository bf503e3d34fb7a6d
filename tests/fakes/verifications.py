"""Verifications in memory."""

from app.application.ports.figures import Verification, Verifications
from tests.fakes.store import MemoryStore


class MemoryVerifications(Verifications):
    """The last one."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._last: Verification | None = None

    async def note(self, verification: Verification) -> None:
        """Keep it."""
        self._store.check()
        self._last = verification

    async def last(self) -> Verification | None:
        """Give it."""
        self._store.check()
        return self._last
