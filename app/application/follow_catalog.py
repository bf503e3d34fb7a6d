"""Keep this process's search index fresh by following the change log."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, PlanCatalog, SearchIndex
from app.application.ports.system import LiveStateUnavailableError

DISCOVERY_INTERVAL = 0.5
"""Seconds between two looks for providers that committed for the first time."""

FIRST_RETRY, LONGEST_RETRY = 0.1, 1.0
"""Seconds between two attempts to reach a store that is away."""


@dataclass(slots=True)
class FollowCatalog:
    """Load the searchable catalog, then apply each committed change within a second, for ever.

    Whatever happens to the store, the index keeps what it has: it is never emptied, because plans are never removed.
    """

    catalog: PlanCatalog
    log: ChangeLog
    index: SearchIndex
    on_trouble: Callable[[str | None], None] = lambda _: None
    """Told what keeps the index from being fresh, and None when it is over."""
    _followers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _loaded: set[str] = field(default_factory=set)
    _troubled: set[str] = field(default_factory=set)

    async def __call__(self) -> None:
        """Follow until cancelled."""
        try:
            await self._discover()
        finally:
            followers = list(self._followers.values())
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def _discover(self) -> None:
        known: Sequence[str] | None = None
        while True:
            try:
                known = await self.catalog.providers()
                self._report("", None)
            except LiveStateUnavailableError as error:
                self._report("", str(error))
            self._start(known or ())
            if known is not None and self._loaded.issuperset(known):
                self.index.mark_ready()
            self._raise_bugs()
            await asyncio.sleep(DISCOVERY_INTERVAL if self._loaded.issuperset(known or ()) else FIRST_RETRY / 2)

    def _start(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._followers:
                self._followers[name] = asyncio.create_task(self._follow(name), name=f"follow {name}")

    async def _follow(self, provider: str) -> None:
        wait = FIRST_RETRY
        while True:
            try:
                loaded = False
                async for item in self.log.follow(provider):  # pragma: no branch - it never ends by itself
                    if isinstance(item, Behind) or not loaded:
                        await self.index.load(self.log.searchable(provider))
                        loaded = True
                        self._loaded.add(provider)
                    else:
                        self._apply(item)
                    wait = FIRST_RETRY
                    self._report(provider, None)
            except LiveStateUnavailableError as error:
                self._report(provider, str(error))
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RETRY)

    def _apply(self, changes: Sequence[LoggedChange]) -> None:
        plans = [change.searchable for change in changes if change.searchable is not None]
        if plans:
            self.index.put(plans)

    def _report(self, subject: str, trouble: str | None) -> None:
        """Tell once when trouble begins and once when all of it is over."""
        was_troubled = bool(self._troubled)
        if trouble:
            self._troubled.add(subject)
        else:
            self._troubled.discard(subject)
        if bool(self._troubled) is not was_troubled:
            self.on_trouble(trouble)

    def _raise_bugs(self) -> None:
        """Let an unforeseen error end the process, where the supervisor sees it, and not one follower in silence."""
        for follower in self._followers.values():
            if follower.done():
                follower.result()
