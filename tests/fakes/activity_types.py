"""ActivityTypes in memory."""

from collections.abc import Collection

from app.application.ports.activities import ActivityTypes
from tests.fakes.store import MemoryStore


class MemoryActivityTypes(ActivityTypes):
    """A set."""

    def __init__(self, most: int, store: MemoryStore | None = None) -> None:
        self.most = most
        self._store = store or MemoryStore()
        self._types: set[str] = set()

    async def refused(self, types: Collection[str]) -> Collection[str]:
        """Admit one after the other."""
        self._store.check()
        refused = set()
        for type_ in types:
            if type_ in self._types or len(self._types) < self.most:
                self._types.add(type_)
            else:
                refused.add(type_)
        return refused

    async def note(self, types: Collection[str]) -> None:
        """Add them."""
        self._store.check()
        self._types.update(types)

    async def size(self) -> int:
        """Count them."""
        self._store.check()
        return len(self._types)
