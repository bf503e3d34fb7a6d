"""What readers of subscriptions say of themselves, in memory."""

from collections.abc import Sequence
from time import monotonic

from app.application.ports.subscriptions import SubscriptionReader, SubscriptionReaders
from tests.fakes.store import MemoryStore


class MemorySubscriptionReaders(SubscriptionReaders):
    """Signs of life that last `ttl` seconds."""

    def __init__(self, store: MemoryStore, *, ttl: float = 5.0) -> None:
        self._store = store
        self._ttl = ttl
        self._said: dict[tuple[str, str], tuple[float, SubscriptionReader]] = {}

    async def note(self, reader: SubscriptionReader) -> None:
        """Note it, and when."""
        self._store.check()
        self._said[reader.subscription, reader.process_id] = (monotonic(), reader)

    async def leave(self, reader: SubscriptionReader) -> None:
        """Forget it."""
        self._store.check()
        self._said.pop((reader.subscription, reader.process_id), None)

    async def reading(self) -> Sequence[SubscriptionReader]:
        """List those of whom something was heard."""
        self._store.check()
        return [reader for _, (at, reader) in sorted(self._said.items()) if monotonic() - at <= self._ttl]
