"""Absences in memory."""

from collections.abc import Mapping

from app.application.ports.syncs import Absences
from app.application.ports.system import Lease
from app.domain.plans import PlanId
from app.domain.settling import Absence
from tests.fakes.store import MemoryStore


class MemoryAbsences(Absences):
    """What waits to be withdrawn, by provider."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def find(self, provider: str) -> Mapping[PlanId, Absence]:
        """Look them up."""
        return self._store.shelf(provider).absences

    async def keep(self, lease: Lease, absences: Mapping[PlanId, Absence]) -> None:
        """Replace them."""
        self._store.fenced_shelf(lease).absences = dict(absences)
