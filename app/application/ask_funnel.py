"""Tell how far users came on their way through some types of activities, in order."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from time import monotonic

from app.application.ports.funnels import FunnelInstants, WantedInstants
from app.application.ports.system import Clock
from app.application.read_stats import range_until
from app.domain.errors import DomainError
from app.domain.funnels import Funnel, FunnelStep, users_by_step
from app.domain.stats import today

DEFAULT_WITHIN = timedelta(days=7)
TIME_LIMIT = 5.0
"""Seconds that a question may take which reads activities one by one."""


class FunnelBusyError(Exception):
    """Somebody else asks a funnel of types that are not kept: those are answered one at a time."""

    def __init__(self, types: Collection[str]) -> None:
        """Say what can be done about it."""
        super().__init__(
            f"another funnel is being read from activities, one at a time: come again in some seconds, or have the "
            f"instants of {', '.join(types)} kept (stats.funnel_types, then `marquee stats rebuild`)"
        )


class FunnelTooSlowError(DomainError):
    """Activities had to be read one by one, and that took too long."""

    def __init__(self, types: Collection[str], seconds: float) -> None:
        """Say what can be done about it."""
        super().__init__(
            f"reading {', '.join(types)} from single activities took more than {seconds:g} s: ask of fewer days, or "
            f"have their instants kept (stats.funnel_types, then `marquee stats rebuild`)"
        )


@dataclass(frozen=True, slots=True)
class AskFunnel:
    """Count the users of every step. Types that are not kept are read from activities, one question at a time."""

    instants: FunnelInstants
    clock: Clock
    zone: tzinfo
    seconds: float = TIME_LIMIT
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(
        self, funnel: Funnel, first: date | None = None, last: date | None = None
    ) -> Sequence[FunnelStep]:
        """Count the users with a first step on the days from `first` to `last`, by the furthest step they reached.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            ActivitiesGoneError: the activities of these days have left.
            FunnelBusyError: come again.
            FunnelTooSlowError: it takes too long to read them.
            HistoryUnavailableError: nobody can tell now.
        """
        asked = range_until(first, last or today(self.clock.now(), self.zone))
        kept = await self.instants.kept_types()
        raw = [type_ for type_ in dict.fromkeys(funnel.steps) if type_ not in kept]
        wanted = WantedInstants(funnel.steps[0], funnel.later_types, asked.first, asked.last, funnel.within, raw)
        if not raw:
            return await self._answer(funnel, wanted, lambda: None)
        if self.reading.locked():
            raise FunnelBusyError(raw)
        async with self.reading:
            return await self._answer(funnel, wanted, self._within_limit(raw))

    async def _answer(self, funnel: Funnel, wanted: WantedInstants, go_on: Callable[[], None]) -> Sequence[FunnelStep]:
        evidence = await self.instants.evidence(wanted, go_on)
        users = await asyncio.to_thread(users_by_step, funnel, evidence, go_on)
        return [FunnelStep(*row) for row in zip(range(1, len(users) + 1), funnel.steps, users, strict=True)]

    def _within_limit(self, raw: Collection[str]) -> Callable[[], None]:
        ends = monotonic() + self.seconds

        def go_on() -> None:
            if monotonic() > ends:
                raise FunnelTooSlowError(raw, self.seconds)

        return go_on
