"""DoorLooks in memory."""

from collections.abc import Sequence

from app.application.ports.door_looks import DoorLooks
from app.domain.activity_curve import STEPS, CounterLook
from tests.fakes.store import MemoryStore


class MemoryDoorLooks(DoorLooks):
    """A dict."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._looks: dict[int, CounterLook] = {}

    async def note(self, look: CounterLook) -> None:
        """Set it where there is none."""
        self._store.check()
        self._looks.setdefault(look.step, look)
        self._looks.pop(look.step - STEPS - 1, None)

    async def recent(self) -> Sequence[CounterLook]:
        """List them."""
        self._store.check()
        return list(self._looks.values())
