"""RejectionLists in memory."""

from collections.abc import Sequence

from app.application.ports.syncs import RejectionLists
from app.application.ports.system import Lease
from app.domain.rejection_list import StandingRejection
from tests.fakes.store import MemoryStore


class MemoryRejectionLists(RejectionLists):
    """Keeps at most `rejections_kept` in each list."""

    def __init__(self, store: MemoryStore, *, rejections_kept: int = 1000) -> None:
        self._store = store
        self._kept = rejections_kept

    async def standing(self, provider: str, limit: int) -> Sequence[StandingRejection]:
        """Read the list's beginning."""
        return self._store.shelf(provider).standing[: max(limit, 0)]

    async def mended(self, provider: str, limit: int) -> Sequence[StandingRejection]:
        """Read the list's beginning."""
        return self._store.shelf(provider).mended[: max(limit, 0)]

    async def note(
        self, lease: Lease, standing: Sequence[StandingRejection], mended: Sequence[StandingRejection] = ()
    ) -> None:
        """Write both."""
        shelf = self._store.fenced_shelf(lease)
        shelf.standing = list(standing[: self._kept])
        shelf.mended = [*mended, *shelf.mended][: self._kept]
