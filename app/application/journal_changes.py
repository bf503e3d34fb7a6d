"""Write every change of every plan from the change log to the journal, each once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.application.ports.catalog import Behind, LeaseLostError, PlanCatalog
from app.application.ports.history import JournalEntry, JournalMovedError, JournalSource, LogPosition, PlanJournal
from app.application.ports.system import Clock, LeaseTakenError
from app.application.restore_catalog import RESTORED, Restoration, RestoreCatalog


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalChanges:
    """Bring the journal up to the end of every provider's log.

    The position lies in the journal and moves in the transaction that writes the entries, so that each entry is
    written once, however many processes do this and wherever they stop. The log forgets nothing that is not journaled.
    """

    catalog: PlanCatalog
    source: JournalSource
    journal: PlanJournal
    restore: RestoreCatalog
    clock: Clock
    new_run_id: Callable[[], str]
    on_restored: Callable[[Restoration], None] = lambda _: None
    """Told when the live state of a provider had been lost and was restored from the journal."""

    async def __call__(self) -> int:
        """Go through all providers once; return the number of entries that were read.

        Raises:
            LiveStateUnavailableError: the same again later goes on from here.
            HistoryUnavailableError: likewise.
        """
        positions = await self.journal.positions()
        names = sorted({*await self.catalog.providers(), *positions})
        return sum([await self._provider(name, positions.get(name)) for name in names])

    async def _provider(self, name: str, stands: LogPosition | None) -> int:
        try:
            return await self._go_on(name, stands)
        except (JournalMovedError, LeaseTakenError, LeaseLostError):
            return 0  # somebody else is at it: the next round sees how it stands then

    async def _go_on(self, name: str, stands: LogPosition | None) -> int:
        head = await self.source.head(name)
        if stands is not None and _is_lost(head, stands):
            self.on_restored(await self.restore.provider(name))
            if head is not None and head.epoch == stands.epoch:
                return await self._take_over(name, stands)
            head = await self.source.head(name)
        if head is None:
            return 0
        begun = stands is not None and stands.epoch == head.epoch
        return await self._read_on(name, stands, stands if stands and begun else LogPosition(head.epoch, 0))

    async def _read_on(self, name: str, stands: LogPosition | None, start: LogPosition) -> int:
        """Journal the log from `start` to its end; when it does not lead on from there, what it led to."""
        read = 0
        while True:
            entries = await self.source.read(name, start)
            if isinstance(entries, Behind):
                return read + await self._take_over(name, stands)
            if not entries:
                return read
            start = LogPosition(start.epoch, start.sequence + len(entries))
            await self.journal.append(name, stands, [self._by_now(entry) for entry in entries], start)
            await self.source.stored(name, start)
            stands = start
            read += len(entries)

    def _by_now(self, entry: JournalEntry) -> JournalEntry:
        """Say of what a clock that was ahead wrote that it is known from now on: nothing is known in the future."""
        now = self.clock.now()
        return entry if entry.at <= now else replace(entry, at=now)

    async def _take_over(self, name: str, stands: LogPosition | None) -> int:
        """Journal the state of every plan, when the way to it is not known.

        The position is taken first, so that no change falls between: what is committed meanwhile comes from the log.
        """
        head = await self.source.head(name)
        if head is None:
            return 0
        run_id, now, read = self.new_run_id(), self.clock.now(), 0
        async for plans in self.source.everything(name):
            entries = [JournalEntry(name, p.plan.key.plan_id, RESTORED, run_id, now, p.known, p.plan) for p in plans]
            await self.journal.append(name, stands, entries, stands)
            read += len(entries)
        await self.journal.append(name, stands, (), head)
        await self.source.stored(name, head)
        return read


def _is_lost(head: LogPosition | None, stands: LogPosition) -> bool:
    """Tell whether the log that was journaled is gone, or its end is: its server was emptied, replaced or set back."""
    return head is None or head.epoch != stands.epoch or head.sequence < stands.sequence
