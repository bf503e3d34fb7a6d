"""Presence in memory."""

from collections.abc import Sequence
from time import monotonic

from app.application.ports.figures import Presence, RunningProcess
from tests.fakes.store import MemoryStore


class MemoryPresence(Presence):
    """Signs of life that last `ttl` seconds."""

    def __init__(self, store: MemoryStore, *, ttl: float = 5.0) -> None:
        self._store = store
        self._ttl = ttl
        self._alive: dict[str, tuple[float, RunningProcess]] = {}

    async def announce(self, process: RunningProcess) -> None:
        """Note when."""
        self._store.check()
        self._alive[process.process_id] = (monotonic(), process)

    async def leave(self, process: RunningProcess) -> None:
        """Forget it."""
        self._store.check()
        self._alive.pop(process.process_id, None)

    async def running(self) -> Sequence[RunningProcess]:
        """List those of whom something was heard."""
        self._store.check()
        alive = [process for at, process in self._alive.values() if monotonic() - at <= self._ttl]
        return sorted(alive, key=lambda process: (process.role, process.started_at, process.process_id))

    def lose_everything(self) -> None:
        """Become as empty as a server that was replaced."""
        self._alive.clear()
