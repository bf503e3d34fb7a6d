"""Keep the last known state of the service at hand, so that asking for health or metrics never waits for a store."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.application.ports.activities import QueueFigures, QueueWatch
from app.application.ports.catalog import SyncJournal
from app.application.ports.system import Clock, LiveStateUnavailableError
from app.application.read_catalog import DescribeProviders, ProviderStatus

REFRESH_INTERVAL = 1.0
"""Seconds between two looks."""


@dataclass(slots=True)
class WatchCatalog:
    """Look at the providers every second, for ever; what was seen last stays when the store is away."""

    describe: DescribeProviders
    journal: SyncJournal
    queue: QueueWatch
    clock: Clock
    providers: Sequence[ProviderStatus] = ()
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By provider: what SyncJournal.totals says."""
    activities: QueueFigures | None = None
    """How the queue of activities fares; None before the first look."""
    trouble: str | None = "not asked yet"
    """Why the catalog's store cannot be reached; None when it can."""
    refusal: str | None = None
    """Why it takes no writes, when it was reached last; None when it does."""
    seen_at: datetime | None = None
    """When the store was reached last."""

    async def __call__(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(REFRESH_INTERVAL)

    async def look(self) -> None:
        """Look once."""
        try:
            providers = await self.describe()
            totals = {status.provider.name: await self.journal.totals(status.provider.name) for status in providers}
            activities = await self.queue.figures()
        except LiveStateUnavailableError as error:
            self.trouble = str(error)
            return
        self.providers, self.totals, self.activities = providers, totals, activities
        self.trouble, self.refusal, self.seen_at = None, activities.refusal, self.clock.now()

    @property
    def away(self) -> str | None:
        """Why the live state is of no use to who writes: it cannot be reached, or refuses."""
        return self.trouble or self.refusal
