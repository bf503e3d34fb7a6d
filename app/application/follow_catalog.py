"""Keep this process's search index fresh by following the change logs of all providers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, LogPage, LogPosition, SearchIndex
from app.application.ports.index_file import IndexFile, IndexFileError
from app.application.ports.system import LiveStateUnavailableError
from app.application.trouble import Tell, Trouble
from app.domain.backoff import Backoff
from app.domain.plans import SearchablePlan

RETRY = Backoff(first=0.1, longest=1.0)
"""Between two attempts to reach a store that is away."""

LOADS_AT_ONCE = 2
"""How many loads run side by side, each over a connection of its own."""

LOADED_TOGETHER = 250
"""Providers of one load: an index is built per load as long as there are no searches."""

READ_TOGETHER = 25
"""Providers whose logs are read in one go."""

APPLIED_TOGETHER = 50
"""Changes between which searches are answered: about a millisecond."""

RENEW_INTERVAL = 1.0
"""Seconds between two looks for a newer index file."""


@dataclass(slots=True)
class FollowCatalog:
    """Take up the index file, else load the searchable catalog; then apply each change within a second, for ever.

    One wait serves all providers, so what it takes does not grow with their number. Whatever happens to the store, the
    index keeps what it has: it is never emptied, because plans are never removed.
    """

    log: ChangeLog
    index: SearchIndex
    index_file: IndexFile
    on_trouble: Tell = lambda _: None
    """Told what keeps the index from being fresh, and None when it is over."""
    on_refused_file: Callable[[str], None] = lambda _: None
    """Told why an index file is not used, once for each."""
    _heads: dict[str, LogPosition] = field(default_factory=dict)
    """Where each log ended when that was told last."""
    _at: dict[str, LogPosition] = field(default_factory=dict)
    """Up to where the index has each of them; whoever is not in it is to be loaded."""
    _loading: set[str] = field(default_factory=set)
    _loads: int = 0
    _watching: bool = False
    _ready: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _reasons: dict[str, str] = field(default_factory=dict)
    """By what is troubled."""
    _trouble: Trouble = field(init=False)

    def __post_init__(self) -> None:
        self._trouble = Trouble(self.on_trouble)

    @property
    def positions(self) -> Mapping[str, LogPosition]:
        """Up to where the index has each provider's change log; it may have some of what follows."""
        return dict(self._at)

    @property
    def caught_up(self) -> bool:
        """Whether the index has all that the store is known to have."""
        return self._ready and self._watching and all(self._at.get(name) == head for name, head in self._heads.items())

    async def __call__(self) -> None:
        """Follow until cancelled. An unforeseen error ends it, where the supervisor sees it."""
        await self._renew()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                await self._go_on(tasks)
        except ExceptionGroup as bugs:
            raise bugs.exceptions[0] from None

    async def _watch(self) -> None:
        failures = 0
        while True:
            try:
                async for moved in self.log.heads():  # pragma: no branch - it never ends by itself
                    self._note(moved)
                    failures = 0
                    self._report("watch", None)
            except LiveStateUnavailableError as error:
                self._report("watch", str(error))
            failures += 1
            await asyncio.sleep(RETRY.delay(failures))

    def _note(self, moved: Mapping[str, LogPosition | None]) -> None:
        for name, head in moved.items():
            if head is None:
                self._heads.pop(name, None)
            else:
                self._heads[name] = head
        self._watching = True
        self._news.set()

    async def _go_on(self, tasks: asyncio.TaskGroup) -> None:
        failures = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_INTERVAL):
                    await self._news.wait()
            self._news.clear()
            if not self._loads:
                await self._renew()
            self._start_loads(tasks)
            self._see_whether_ready()
            try:
                while stale := self._stale():
                    await self._read_on(stale)
                    self._start_loads(tasks)
                failures = 0
                self._report("read", None)
            except LiveStateUnavailableError as error:
                self._report("read", str(error))
                self._news.set()
                failures += 1
                await asyncio.sleep(RETRY.delay(failures))

    async def _renew(self) -> None:
        """Take up the index file if there is another; between loads and reads, so that nothing moves meanwhile."""
        try:
            ahead = await self.index_file.renew(self._at)
        except IndexFileError as error:
            self.on_refused_file(str(error))
            return
        if ahead is not None:
            self._at |= ahead
            self._set_ready()

    def _start_loads(self, tasks: asyncio.TaskGroup) -> None:
        waiting = [name for name in self._heads if name not in self._at and name not in self._loading]
        share = min(-(-len(waiting) // LOADS_AT_ONCE), LOADED_TOGETHER)
        while waiting and self._loads < LOADS_AT_ONCE:
            names, waiting = waiting[:share], waiting[share:]
            self._loads += 1
            self._loading.update(names)
            tasks.create_task(self._load({name: self._heads[name] for name in names}))

    async def _load(self, heads: Mapping[str, LogPosition]) -> None:
        try:
            await self.index.load(self._searchable(list(heads)))
            self._at |= heads
            self._report("load", None)
        except LiveStateUnavailableError as error:
            self._report("load", str(error))
            await asyncio.sleep(RETRY.first)
        finally:
            self._loads -= 1
            self._loading.difference_update(heads)
            self._news.set()

    async def _searchable(self, names: Sequence[str]) -> AsyncIterator[Sequence[SearchablePlan]]:
        for name in names:
            async for batch in self.log.searchable(name):
                yield batch

    def _see_whether_ready(self) -> None:
        if self._watching and not self._ready and self._at.keys() >= self._heads.keys():
            self._set_ready()

    def _set_ready(self) -> None:
        self._ready = True
        self.index.mark_ready()

    def _stale(self) -> dict[str, LogPosition]:
        """Choose some whose log has moved on; before there are searches nobody waits for a change."""
        if not self._ready:
            return {}
        names = [name for name, head in self._heads.items() if self._at.get(name, head) != head]
        return {name: self._at[name] for name in names[:READ_TOGETHER]}

    async def _read_on(self, after: Mapping[str, LogPosition]) -> None:
        heads = {name: self._heads.get(name) for name in after}
        found = await self.log.read(after)
        pages = {name: page for name, page in found.items() if isinstance(page, LogPage)}
        entries = (change.searchable for page in pages.values() for change in page.entries)
        plans = [plan for plan in entries if plan is not None]
        for begin in range(0, len(plans), APPLIED_TOGETHER):
            self.index.put(plans[begin : begin + APPLIED_TOGETHER])
            await asyncio.sleep(0)
        for name, page in pages.items():  # only now, for who writes the index down says up to where it goes
            self._move_on(name, page, heads[name])
        for behind in found.values():
            if isinstance(behind, Behind):
                self._start_anew(behind)

    def _start_anew(self, behind: Behind) -> None:
        del self._at[behind.provider]
        if behind.head is None:
            self._heads.pop(behind.provider, None)
        else:
            self._heads[behind.provider] = behind.head

    def _move_on(self, name: str, page: LogPage[LoggedChange], head: LogPosition | None) -> None:
        self._at[name] = page.end
        if not page.more and self._heads.get(name) == head:  # else it was told meanwhile that the log goes on
            self._heads[name] = page.end

    def _report(self, subject: str, trouble: str | None) -> None:
        """Tell once when trouble begins and once when all of it is over."""
        self._reasons.pop(subject, None)
        if trouble is not None:
            self._reasons[subject] = trouble
        self._trouble.note(next(iter(self._reasons.values()), None))
