"""TransitionLog in memory, which is the log of these domain events too."""

from collections.abc import Sequence

from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.syncs import TransitionLog
from app.domain.domain_events import sync_fact_of
from app.domain.sync_transitions import SyncTransition
from tests.fakes.store import MemoryStore


class MemoryTransitionLog(TransitionLog, DomainEventLog):
    """Keeps all of them."""

    name = "syncs"

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def append(self, provider: str, transitions: Sequence[SyncTransition]) -> None:
        """Put them behind the others."""
        self._store.check()
        self._store.transitions += [(provider, transition) for transition in transitions]

    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Count from 1."""
        self._store.check()
        facts = [LoggedFact(at, sync_fact_of(*entry)) for at, entry in enumerate(self._store.transitions, 1)]
        return facts[after:][: max(limit, 0)]

    async def head(self) -> int:
        """Count them."""
        return len(self._store.transitions)
