"""The journal's writer: every second what the change log has, beside whatever else a worker process does."""

from dataclasses import dataclass, field
from time import monotonic
from typing import ClassVar

import structlog

from app.adapters.inbound.worker.held_shares import HeldShares
from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.journal_changes import JournalChanges
from app.application.ports.catalog import ChangeLog, LogPosition
from app.application.ports.figures import Presence
from app.application.restore_catalog import Restoration

log = structlog.get_logger()


QUIET_LOOKS = 3
"""Of so many looks that found nothing moved, one compares all positions: a provider may have been synced before."""


@dataclass(slots=True, kw_only=True)
class JournalLoop(LeasedLoop):
    """Journal the logs of some shares of the providers for ever, each share under a lease of its own (ADR 0086).

    Two at one log would do no harm: the position in the journal lets each entry in once.
    """

    lease: ClassVar[str] = ":journal"
    """How the leases of the shares begin: `:journal-0` to `:journal-15`. It alone was that of all, once."""
    waits: ClassVar[str] = "the journal of plans waits; nothing is lost, the log keeps it"
    goes_on: ClassVar[str] = "the journal of plans goes on"

    journal: JournalChanges

    log: ChangeLog

    presence: Presence

    shares: HeldShares = field(init=False)

    def __post_init__(self) -> None:
        LeasedLoop.__post_init__(self)
        self.shares = HeldShares(prefix=self.lease, leases=self.leases, presence=self.presence)

    async def turn(self) -> None:
        """Take a fair part of the shares, journal, give them back."""
        async with self.shares:
            await self.work(self.now() + self.term)

    async def work(self, until: float) -> None:
        """Journal in rounds: whenever logs have moved, and now and then what could not be done before."""
        heads: dict[str, LogPosition] = {}
        number, look_at = 0, monotonic()
        async for moved in self.log.heads():  # pragma: no branch - it never ends by itself
            heads |= {name: head for name, head in moved.items() if head is not None}
            for gone in (name for name, head in moved.items() if head is None):
                heads.pop(gone, None)
            has_more = False
            if monotonic() >= look_at:
                has_more, look_at = await self.shares.take(), monotonic() + self.interval
            if self.shares.numbers and (moved or has_more or number % QUIET_LOOKS == 0):
                await self.journal(heads, self.shares.numbers)
                self.tell(None)
            number += 1
            if self.now() >= until:
                return


def log_restoration(done: Restoration) -> None:
    """Say that the live state of a provider was lost, or set back, and came back from the journal.

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
