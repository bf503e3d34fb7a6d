"""Write every change of every plan from the change log to the journal, each once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.application.ports.catalog import Behind, LeaseLostError, LogPosition
from app.application.ports.history import JournalEntry, JournalMovedError, JournalSource, PlanJournal
from app.application.ports.system import Clock, LeaseTakenError
from app.application.restore_catalog import RESTORED, Restoration, RestoreCatalog
from app.application.unjournaled_changes import UnjournaledChanges


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalChanges:
    """Bring the journal up to the end of every provider's log.

    The position lies in the journal and moves in the transaction that writes the entries, so that each entry is
    written once, however many processes do this and wherever they stop. The log forgets nothing that is not journaled.
    """

    source: JournalSource
    journal: PlanJournal
    restore: RestoreCatalog
    clock: Clock
    new_run_id: Callable[[], str]
    on_restored: Callable[[Restoration], None] = lambda _: None
    """Told when the live state of a provider had been lost, or set back, and was restored from the journal."""

    async def __call__(self, heads: Mapping[str, LogPosition]) -> int:
        """Journal the logs that end elsewhere than they were journaled to; return the number of entries that were read.

        `heads` says where logs end now, as ChangeLog tells it; nothing is asked of a log that has not moved.

        Raises:
            LiveStateUnavailableError: the same again later goes on from here.
            HistoryUnavailableError: likewise.
        """
        positions = await self.journal.positions()
        names = sorted(name for name in {*heads, *positions} if heads.get(name) != positions.get(name))
        return sum([await self._provider(name, positions.get(name), heads.get(name)) for name in names])

    async def _provider(self, name: str, stands: LogPosition | None, head: LogPosition | None) -> int:
        start = stands or LogPosition(head.epoch if head else 0, 0)
        try:
            return await self._go_on(name, stands, start)
        except (JournalMovedError, LeaseTakenError, LeaseLostError):
            return 0  # somebody else is at it: the next round sees how it stands then

    async def _go_on(self, name: str, stands: LogPosition | None, start: LogPosition) -> int:
        """Journal the log from `start` to its end."""
        read, more = 0, True
        while more:
            page = await self.source.read(name, start)
            if isinstance(page, Behind):
                return read + await self._catch_up(name, stands, page)
            if page.end != stands:
                await self.journal.append(name, stands, self._by_now(page.entries), page.end)
                await self.source.stored(name, page.end)
            start = stands = page.end
            more = page.more
            read += len(page.entries)
        return read

    async def _catch_up(self, name: str, stands: LogPosition | None, behind: Behind) -> int:
        """Journal what the log led to, when it does not lead on from where it was journaled to.

        A log that was lost or set back comes together again: the catalog learns what only the journal knows, and the
        journal the changes since, which are all still there, because nobody has stored them.
        """
        read = 0
        if not behind.trimmed:
            self.on_restored(await self.restore.set_back(name))
            async for entries in UnjournaledChanges(self.source, self.journal)(name):
                await self.journal.append(name, stands, self._by_now(entries), stands)
                read += len(entries)
        return read + await self._take_over(name, stands)

    def _by_now(self, entries: Sequence[JournalEntry]) -> Sequence[JournalEntry]:
        """Say of what a clock that was ahead wrote that it is known from now on: nothing is known in the future."""
        now = self.clock.now()
        return [entry if entry.at <= now else replace(entry, at=now) for entry in entries]

    async def _take_over(self, name: str, stands: LogPosition | None) -> int:
        """Journal the state of every plan where it differs, when the way to it is not known.

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
