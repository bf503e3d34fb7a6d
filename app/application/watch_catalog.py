"""Keep the last known state of the service at hand, so that asking for health or metrics never waits for a store."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.application.ports.activities import QueueFigures, QueueWatch
from app.application.ports.catalog import SyncJournal
from app.application.ports.providers import ConfiguredProvider
from app.application.ports.system import Clock, LiveStateUnavailableError
from app.application.read_catalog import DescribeProviders, ProviderStatus, troubled_first

REFRESH_INTERVAL = 1.0
"""Seconds between two looks."""

NOT_ASKED = "not asked yet"

SEEN_TOGETHER = 100
"""Providers of one look; where there are more, they take turns."""


@dataclass(slots=True)
class WatchCatalog:
    """Look at a hundred providers every second, for ever; what was seen last stays when the store is away."""

    describe: DescribeProviders
    journal: SyncJournal
    queue: QueueWatch
    clock: Clock
    providers: Sequence[ProviderStatus] = ()
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By provider: what SyncJournal.totals says."""
    activities: QueueFigures | None = None
    """How the queue of activities fares; None before the first look."""
    trouble: str | None = NOT_ASKED
    """Why the catalog's store cannot be reached; None when it can."""
    refusal: str | None = None
    """Why it takes no writes, when it was reached last; None when it does."""
    seen_at: datetime | None = None
    """When the store was reached last."""

    _seen: dict[str, ProviderStatus] = field(default_factory=dict)
    _totals: dict[str, Mapping[str, int]] = field(default_factory=dict)
    _next: int = 0

    async def __call__(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(REFRESH_INTERVAL)

    async def look(self) -> None:
        """Look once: at everybody after trouble and at first, else at those whose turn it is."""
        everybody = self.describe.directory.all()
        whose_turn = everybody if self.trouble else self._whose_turn_it_is(everybody)
        try:
            seen = await self.describe.some(whose_turn)
            totals = await self.journal.totals([status.provider.name for status in seen])
            activities = await self.queue.figures()
        except LiveStateUnavailableError as error:
            self.trouble = str(error)
            return
        self._seen |= {status.provider.name: status for status in seen}
        self._totals |= {status.provider.name: counts for status, counts in zip(seen, totals, strict=True)}
        self.providers, self.totals = troubled_first(self._seen.values()), dict(self._totals)
        self.activities, self.seen_at = activities, self.clock.now()
        self.trouble, self.refusal = None, activities.refusal

    @property
    def away(self) -> str | None:
        """Why the live state is of no use to who writes: it cannot be reached, or refuses."""
        return self.trouble or self.refusal

    def _whose_turn_it_is(self, everybody: Sequence[ConfiguredProvider]) -> Sequence[ConfiguredProvider]:
        chosen = everybody[self._next : self._next + SEEN_TOGETHER]
        self._next = 0 if self._next + SEEN_TOGETHER >= len(everybody) else self._next + SEEN_TOGETHER
        return chosen
