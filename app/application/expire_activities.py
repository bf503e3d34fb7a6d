"""Let raw activities leave that are older than they are kept; what was counted of them stays."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from app.application.ports.activity_expiry import ActivityExpiry
from app.application.ports.system import Clock

PAUSE = 0.02
"""Seconds between two steps: whoever waits to write comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireActivities:
    """Remove by age, in days of `zone`, whose days are counted; None: by hand alone."""

    expiry: ActivityExpiry
    clock: Clock
    zone: tzinfo
    keep_days: int | None
    on_expired: Callable[[int, date], None] = lambda _count, _before: None
    pause: float = PAUSE

    async def __call__(self) -> int:
        """Keep today and so many days before it, at least; return how many activities have left.

        Raises:
            HistoryUnavailableError: some may have left; the next call goes on.
            FiguresIncompleteError: the figures have to be made anew first.
        """
        if self.keep_days is None:
            return 0
        return await self.before(self._today() - timedelta(days=self.keep_days))

    async def before(self, day: date) -> int:
        """Let those of the days before one (today at the latest) leave, and give the disk back; raises as the call."""
        day, count = min(day, self._today()), 0
        while (removed := await self.expiry.remove_some(day)) is not None:
            count += removed
            await asyncio.sleep(self.pause)
        has_more = True
        while has_more:
            has_more = await self.expiry.give_back()
            await asyncio.sleep(self.pause)
        if count:
            self.on_expired(count, day)
        return count

    def _today(self) -> date:
        return self.clock.now().astimezone(self.zone).date()
