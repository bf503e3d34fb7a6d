"""Compare the figures with the activities once a day, and note what came of it for whoever watches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from app.application.ports.activities import Difference, StatsKeeper
from app.application.ports.figures import Verification, Verifications
from app.application.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyStats:
    """Verify at a time of day, in the zone whose days are counted; None: never."""

    keeper: StatsKeeper
    verifications: Verifications
    clock: Clock
    at: time | None
    zone: tzinfo
    on_verified: Callable[[Difference | None], None] = lambda _: None

    async def __call__(self, since: datetime) -> bool:
        """Verify if the time has come since the last verification, or since `since` if there was none; tell whether so.

        Raises:
            HistoryUnavailableError: nothing was compared.
            LiveStateUnavailableError: what came of it may not be noted; it is verified again.
        """
        if self.at is None:  # nothing is asked of Redis for it, then
            return False
        now, last = self.clock.now(), await self.verifications.last()
        if _latest(self.at, self.zone, now) <= (last.begun_at if last else since):
            return False
        difference = await self.keeper.verify()
        await self.verifications.note(Verification(now, differs=difference is not None))
        self.on_verified(difference)
        return True


def _latest(at: time, zone: tzinfo, now: datetime) -> datetime:
    """Say when it was that time of day last."""
    today = now.astimezone(zone).date()
    moments = (datetime.combine(day, at, zone).astimezone(UTC) for day in (today, today - timedelta(days=1)))
    return next(moment for moment in moments if moment <= now)
