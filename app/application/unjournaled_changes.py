"""What a change log says that the journal does not know: of a log that was set back, or replaced, and went on."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from app.application.ports.catalog import Behind, LogPosition
from app.application.ports.history import JournalEntry, JournalSource, PlanJournal


@dataclass(frozen=True, slots=True)
class UnjournaledChanges:
    """Read the whole log of a provider, and leave out what is journaled.

    What nobody has journaled is never trimmed, so all of it is still there.
    """

    source: JournalSource
    journal: PlanJournal

    async def __call__(self, provider: str) -> AsyncIterator[Sequence[JournalEntry]]:
        """Hand them out in their order, in batches.

        Raises:
            LiveStateUnavailableError: the same again later.
            HistoryUnavailableError: likewise.
        """
        head = await self.source.head(provider)
        at = None if head is None else LogPosition(head.epoch, 0)
        while at is not None:
            page = (await self.source.read({provider: at}))[provider]
            if isinstance(page, Behind):
                at = page.oldest if page.oldest != at else None
                continue
            yield await self.journal.lacking(page.entries)
            at = page.end if page.more else None
