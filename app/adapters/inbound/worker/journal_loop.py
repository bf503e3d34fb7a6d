"""The journal's writer: every second what the change log has, beside whatever else a worker process does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import structlog

from app.application.journal_changes import JournalChanges
from app.application.ports.system import HistoryUnavailableError, Leases, LeaseTakenError, LiveStateUnavailableError
from app.application.restore_catalog import Restoration

log = structlog.get_logger()

LEASE = ":journal"
"""What the lease is called; no provider can be called that."""

INTERVAL = 1.0
"""Seconds between two rounds."""

TERM = 30.0
"""Seconds after which the lease is given back: a process that was paused does not go on for long beside another."""

FIRST_RETRY, LONGEST_RETRY = 1.0, 10.0
"""Seconds between two attempts while a store is away."""


@dataclass(slots=True, kw_only=True)
class JournalLoop:
    """Journal for ever. Any number of processes may run one; one at a time does the work, the others wait.

    Two at a time would do no harm: the position in the journal lets each entry in once.
    """

    journal: JournalChanges
    leases: Leases
    interval: float = INTERVAL
    first_retry: float = FIRST_RETRY
    now: Callable[[], float] = monotonic
    _waiting: bool = False

    async def __call__(self) -> None:
        """Run until cancelled; a round that is cut off goes on in the next one, here or elsewhere."""
        wait = self.first_retry
        while True:
            try:
                async with self.leases.hold(LEASE):
                    await self._term()
                wait = self.first_retry
            except LeaseTakenError:
                await asyncio.sleep(self.interval)
            except (LiveStateUnavailableError, HistoryUnavailableError) as error:
                self._tell(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_RETRY)

    async def _term(self) -> None:
        until = self.now() + TERM
        while self.now() < until:
            await self.journal()
            self._tell(None)
            await asyncio.sleep(self.interval)

    def _tell(self, trouble: Exception | None) -> None:
        """Say once that the journal waits, and once that it goes on."""
        if trouble and not self._waiting:
            log.warning("the journal of plans waits; nothing is lost, the log keeps it", reason=str(trouble))
        elif self._waiting and not trouble:
            log.info("the journal of plans goes on")
        self._waiting = trouble is not None


def log_restoration(done: Restoration) -> None:
    """Say that the live state of a provider was lost, and came back from the journal.

    Who comes second finds everything there and has nothing to say.
    """
    if not done.restored:
        return
    log.warning(
        "the catalog had lost plans that the journal knows; they were restored",
        provider=done.provider,
        restored=done.restored,
        present=done.present,
    )
