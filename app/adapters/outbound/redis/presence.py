"""Presence in Redis: a hash of signs of life, by the server's clock."""

from collections.abc import Sequence

import msgspec

from app.adapters.outbound.redis.connection import RedisClient
from app.adapters.outbound.redis.keys import SERVICE
from app.adapters.outbound.redis.lua import load_script
from app.application.ports.figures import Presence, RunningProcess

PROCESSES = f"{SERVICE}:processes"
"""A hash by process id: when it gave its last sign of life (Unix time of the server, ms), a space, the process as
JSON. Those that gave none for too long go with the next sign of somebody else."""

_ANNOUNCE = load_script("announce_process", "now_ms", "is_alive")
_RUNNING = load_script("running_processes", "now_ms", "is_alive")

_process = msgspec.json.Decoder(RunningProcess)


class RedisPresence(Presence):
    """A process that gave no sign of life for `ttl` seconds has ended."""

    def __init__(self, client: RedisClient, *, ttl: float = 5.0) -> None:
        self._client = client
        self._ttl_ms = round(ttl * 1000)

    async def announce(self, process: RunningProcess) -> None:
        """Write it down, and forget those that have ended."""
        said = msgspec.json.encode(process)
        await self._client.run(_ANNOUNCE, [PROCESSES], [process.process_id, said, self._ttl_ms])

    async def leave(self, process: RunningProcess) -> None:
        """Forget it."""
        await self._client.command("HDEL", PROCESSES, process.process_id)

    async def running(self) -> Sequence[RunningProcess]:
        """Read the hash."""
        found = [_process.decode(process) for process in await self._client.run(_RUNNING, [PROCESSES], [self._ttl_ms])]
        return sorted(found, key=lambda process: (process.role, process.started_at, process.process_id))
