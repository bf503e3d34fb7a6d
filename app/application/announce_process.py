"""Say that this process runs, for as long as it does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from app.application.ports.figures import Presence, RunningProcess
from app.application.ports.system import LiveStateUnavailableError

ANNOUNCE_INTERVAL = 1.0
"""Seconds between two signs of life."""


@dataclass(frozen=True, slots=True)
class AnnounceProcess:
    """Give signs of life until cancelled, then take leave. While the store is away, nobody hears them."""

    presence: Presence
    process: RunningProcess

    async def __call__(self) -> None:
        """Announce, for ever."""
        try:
            while True:
                with suppress(LiveStateUnavailableError):
                    await self.presence.announce(self.process)
                await asyncio.sleep(ANNOUNCE_INTERVAL)
        finally:
            with suppress(LiveStateUnavailableError):
                await self.presence.leave(self.process)
