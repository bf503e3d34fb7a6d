"""HeldPlans in memory."""

from app.application.ports.syncs import HeldPlans
from app.application.ports.system import Lease
from app.domain.proposed_changes import HeldChanges
from tests.fakes.store import MemoryStore


class MemoryHeldPlans(HeldPlans):
    """What is held, by provider."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def find(self, provider: str) -> HeldChanges | None:
        """Look it up."""
        return self._store.shelf(provider).held

    async def keep(self, lease: Lease, held: HeldChanges | None) -> None:
        """Replace it."""
        self._store.fenced_shelf(lease).held = held
