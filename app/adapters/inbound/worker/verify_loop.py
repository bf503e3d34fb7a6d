"""The figures are compared with the activities once a day, beside whatever else a worker process does."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.verify_stats import VerifyStats

EVERY = 10.0
"""Seconds between two looks at the time."""


@dataclass(slots=True, kw_only=True)
class VerifyLoop(LeasedLoop):
    """Verify for ever. Two at a time would do no harm but read everything twice."""

    lease: ClassVar[str] = ":verify"
    waits: ClassVar[str] = "the figures cannot be compared with the activities for now"
    goes_on: ClassVar[str] = "the figures can be compared with the activities again"

    verify: VerifyStats
    every: float = EVERY
    _since: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Leave out what was due before this process began, when there never was a verification."""
        LeasedLoop.__post_init__(self)  # slots and dataclass make a new class, which super() does not know
        self._since = self.verify.clock.now()

    async def work(self, until: float) -> None:
        """Verify when it is due."""
        while self.now() < until:
            await self.verify(self._since)
            self.tell(None)
            await asyncio.sleep(self.every)
