"""What imports brought past the doors is told to them, twice a minute, beside whatever else a worker process does."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.note_types import NoteTypes

EVERY = 30.0
"""Seconds."""


@dataclass(slots=True, kw_only=True)
class TypeLoop(LeasedLoop):
    """Note types for ever. Two at a time would do no harm: a set has each once."""

    lease: ClassVar[str] = ":types"
    waits: ClassVar[str] = "types of imported activities are not told to the doors for now"
    goes_on: ClassVar[str] = "types of imported activities are told to the doors again"

    note: NoteTypes
    every: float = EVERY

    async def work(self, until: float) -> None:
        """Note them, and rest."""
        while self.now() < until:
            await self.note()
            self.tell(None)
            await asyncio.sleep(self.every)
