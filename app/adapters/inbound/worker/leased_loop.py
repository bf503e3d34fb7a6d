"""Work that any number of processes offer to do for ever and one at a time does, under a lease."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import ClassVar

import structlog

from app.adapters.machine.logged_trouble import logged_trouble
from app.application.ports.system import HistoryUnavailableError, Leases, LeaseTakenError, LiveStateUnavailableError
from app.application.trouble import Trouble
from app.domain.backoff import Backoff

log = structlog.get_logger()

INTERVAL = 1.0
"""Seconds between two rounds in which there is nothing to do."""

TERM = 30.0
"""Seconds after which the lease is given back: a process that was paused does not go on for long beside another."""

RETRY = Backoff(first=1.0, longest=10.0)
"""Between two attempts while a store is away."""

BUG_PAUSE = 60.0
"""Seconds of rest after an error of ours: most likely it shows again."""


@dataclass(slots=True, kw_only=True)
class LeasedLoop(ABC):
    """Take the lease, work for a term, give it back, for ever; wait while another has it or a store is away.

    An error of ours costs a rest: it must not end the worker, whose other work goes on.
    """

    lease: ClassVar[str]
    """No provider can be called that: it begins with a colon."""
    waits: ClassVar[str]
    """What is logged, once, when a store is away, and with each error of ours."""
    goes_on: ClassVar[str]
    """What is logged, once, when all are there again."""

    leases: Leases
    interval: float = INTERVAL
    retry: Backoff = RETRY
    term: float = TERM
    bug_pause: float = BUG_PAUSE
    now: Callable[[], float] = monotonic
    _trouble: Trouble = field(init=False)

    def __post_init__(self) -> None:
        self._trouble = logged_trouble(self.waits, self.goes_on)

    async def __call__(self) -> None:
        """Run until cancelled; what is cut off goes on in the next term, here or elsewhere."""
        failures = 0
        while True:
            try:
                await self.turn()
                failures = 0
            except LeaseTakenError:
                await asyncio.sleep(self.interval)
            except (LiveStateUnavailableError, HistoryUnavailableError) as error:
                self.tell(error)
                failures += 1
                await asyncio.sleep(self.retry.delay(failures))
            except Exception:
                log.exception(self.waits)
                self._trouble.is_known = True
                await asyncio.sleep(self.bug_pause)

    async def turn(self) -> None:
        """Take the lease, work, give it back.

        Raises:
            LeaseTakenError: another has it.
        """
        async with self.leases.hold(self.lease):
            await self.work(self.now() + self.term)

    @abstractmethod
    async def work(self, until: float) -> None:
        """Work until `now` says so.

        Raises:
            LiveStateUnavailableError: the live state is away; the loop waits and tries again.
            HistoryUnavailableError: the history is away; likewise.
        """

    def tell(self, trouble: Exception | None) -> None:
        """Log once that the work waits, and once that it goes on."""
        self._trouble.note(None if trouble is None else str(trouble))
