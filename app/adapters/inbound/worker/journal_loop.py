"""The journal's writer: every second what the change log has, beside whatever else a worker process does."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

import structlog

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.journal_changes import JournalChanges
from app.application.restore_catalog import Restoration

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class JournalLoop(LeasedLoop):
    """Journal for ever. Two at a time would do no harm: the position in the journal lets each entry in once."""

    lease: ClassVar[str] = ":journal"
    waits: ClassVar[str] = "the journal of plans waits; nothing is lost, the log keeps it"
    goes_on: ClassVar[str] = "the journal of plans goes on"

    journal: JournalChanges

    async def work(self, until: float) -> None:
        """Journal in rounds."""
        while self.now() < until:
            await self.journal()
            self.tell(None)
            await asyncio.sleep(self.interval)


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
