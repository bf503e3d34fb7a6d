"""Write every change of every plan from the change log to the journal, each once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.application.journal_shares import ALL_SHARES, share_of
from app.application.ports.catalog import Behind, LeaseLostError, LogPage, LogPosition
from app.application.ports.history import JournalEntry, JournalMovedError, JournalSource, JournalStep, PlanJournal
from app.application.ports.system import Clock, LeaseTakenError
from app.application.restore_catalog import RESTORED, Restoration, RestoreCatalog
from app.application.unjournaled_changes import UnjournaledChanges

LOGS_TOGETHER, ENTRIES_TOGETHER = 50, 1_000
"""Of so many logs, or as many entries, one request reads and one transaction writes: what either costs is shared."""

_Pages = dict[str, LogPage[JournalEntry] | Behind]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the journal of a log is."""

    stands: LogPosition | None
    """As the journal has it; None when it has none."""
    start: LogPosition
    """From where the log is read."""
    left: int
    """How many entries may follow, as far as is known."""

    def behind(self, page: LogPage[JournalEntry]) -> "_Place":
        """Go behind a page."""
        return _Place(page.end, page.end, max(self.left - len(page.entries), 1))


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

    async def __call__(self, heads: Mapping[str, LogPosition], shares: Collection[int] = ALL_SHARES) -> int:
        """Journal the logs that end elsewhere than they were journaled to; return the number of entries that were read.

        `heads` says where logs end now, as ChangeLog tells it; nothing is asked of a log that has not moved, nor of one
        that is in none of `shares`.

        Raises:
            LiveStateUnavailableError: the same again later goes on from here.
            HistoryUnavailableError: likewise.
        """
        positions = await self.journal.positions()
        moved = (name for name in {*heads, *positions} if heads.get(name) != positions.get(name))
        names = sorted(name for name in moved if share_of(name) in shares)
        return await self._go_on({name: _place(positions.get(name), heads.get(name)) for name in names})

    async def _go_on(self, waiting: dict[str, _Place]) -> int:
        """Journal logs to their ends, some at a time: the next ones are read while the ones before are written."""
        read = 0
        places = _some_of(waiting)
        pages = await self._read(places)
        while places:
            leading = {name: page for name, page in pages.items() if not isinstance(page, Behind)}
            more = {name: places[name].behind(page) for name, page in leading.items() if page.more}
            waiting = more | waiting
            following = _some_of(waiting)
            async with self._reading(following) as reading:
                rivalled = await self._write(leading, places)
                read += sum(len(page.entries) for name, page in leading.items() if name not in rivalled)
                read += sum([await self._catch_up(page, places) for page in pages.values() if isinstance(page, Behind)])
                pages = await reading
            for left in (waiting, following, pages):
                _leave_out(left, rivalled)
            places = following or _some_of(waiting)
            if not following:
                pages = await self._read(places)
        return read

    async def _read(self, places: Mapping[str, _Place]) -> _Pages:
        return dict(await self.source.read({name: place.start for name, place in places.items()})) if places else {}

    @asynccontextmanager
    async def _reading(self, places: Mapping[str, _Place]) -> AsyncIterator[Awaitable[_Pages]]:
        """Read beside the block, and end with it."""
        task = asyncio.create_task(self._read(places))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _write(self, pages: Mapping[str, LogPage[JournalEntry]], places: Mapping[str, _Place]) -> Collection[str]:
        """Write pages and tell their logs; say which ones were not written, because somebody else is at them."""
        steps = [
            JournalStep(name, places[name].stands, self._by_now(page.entries), page.end) for name, page in pages.items()
        ]
        moving = [step for step in steps if step.after != step.before]
        rivalled = await self._append(moving)
        stored = {step.provider: step.after for step in moving if step.provider not in rivalled and step.after}
        if stored:
            await self.source.stored(stored)
        return rivalled

    async def _append(self, steps: Sequence[JournalStep]) -> Collection[str]:
        """Write all of them together, or each alone; say which ones somebody else is at."""
        try:
            if steps:
                await self.journal.append(steps)
        except JournalMovedError:
            if len(steps) == 1:
                return {steps[0].provider}
            return {name for step in steps for name in await self._append([step])}
        return ()

    async def _catch_up(self, behind: Behind, places: Mapping[str, _Place]) -> int:
        """Journal what the log led to, when it does not lead on from where it was journaled to.

        A log that was lost or set back comes together again: the catalog learns what only the journal knows, and the
        journal the changes since, which are all still there, because nobody has stored them.
        """
        name, stands, read = behind.provider, places[behind.provider].stands, 0
        try:
            if not behind.trimmed:
                self.on_restored(await self.restore.set_back(name))
                async for entries in UnjournaledChanges(self.source, self.journal)(name):
                    await self.journal.append([JournalStep(name, stands, self._by_now(entries), stands)])
                    read += len(entries)
            return read + await self._take_over(name, stands)
        except (JournalMovedError, LeaseTakenError, LeaseLostError):
            return 0  # somebody else is at it: the next round sees how it stands then

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
            entries = [JournalEntry(name, p.plan.plan_id, RESTORED, run_id, now, p.known, p.plan) for p in plans]
            await self.journal.append([JournalStep(name, stands, entries, stands)])
            read += len(entries)
        await self.journal.append([JournalStep(name, stands, (), head)])
        await self.source.stored({name: head})
        return read


def _place(stands: LogPosition | None, head: LogPosition | None) -> _Place:
    start = stands or LogPosition(head.epoch if head else 0, 0)
    left = head.sequence - start.sequence if head and head.epoch == start.epoch else 1
    return _Place(stands, start, max(left, 1))


def _some_of(waiting: dict[str, _Place]) -> dict[str, _Place]:
    """Take out the first ones, as many as go together."""
    some: dict[str, _Place] = {}
    left = 0
    while waiting and len(some) < LOGS_TOGETHER and left < ENTRIES_TOGETHER:
        name = next(iter(waiting))
        some[name] = waiting.pop(name)
        left += some[name].left
    return some


def _leave_out(left: dict[str, Any], names: Collection[str]) -> None:
    for name in names:
        left.pop(name, None)
