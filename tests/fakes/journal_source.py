"""JournalSource in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence

from app.application.ports.catalog import Behind, CatalogPlan, LogPage, LogPosition
from app.application.ports.history import JournalEntry, JournalSource
from tests.fakes.store import MemoryStore

_ENTRIES_PER_READ = 1_000


class MemoryJournalSource(JournalSource):
    """Reads the logs of a MemoryStore as `consumer`; `log_kept` entries stay for followers."""

    def __init__(self, store: MemoryStore, *, consumer: str = "journal", log_kept: int = 100_000) -> None:
        self._store = store
        self._consumer = consumer
        self._log_kept = log_kept

    async def head(self, provider: str) -> LogPosition | None:
        """Look at the shelf: one without an entry has no log yet."""
        shelf = self._store.shelf(provider)
        return shelf.head if shelf.sequence else None

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[JournalEntry] | Behind]:
        """Compare what is there with what should be there."""
        most = max(_ENTRIES_PER_READ // max(len(after), 1), 1)
        return {name: self._page(name, position, most) for name, position in after.items()}

    def _page(self, provider: str, after: LogPosition, most: int) -> LogPage[JournalEntry] | Behind:
        shelf = self._store.shelf(provider)
        if behind := shelf.behind(provider, after):
            return behind
        found = [logged.entry for logged in shelf.log if logged.told.sequence > after.sequence][:most]
        end = shelf.position(after.sequence + len(found))
        return LogPage(found, end, more=end.sequence != shelf.sequence)

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        """Hand out all plans, in one batch."""
        shelf = self._store.shelf(provider)
        if shelf.plans:
            yield [CatalogPlan(plan, shelf.known[plan_id]) for plan_id, plan in shelf.plans.items()]

    async def stored(self, positions: Mapping[str, LogPosition]) -> None:
        """Drop what is old and stored by everybody who ever said so, but for the entries that positions name."""
        for provider, position in positions.items():
            self._note(provider, position)

    def _note(self, provider: str, position: LogPosition) -> None:
        shelf = self._store.shelf(provider)
        shelf.consumers[self._consumer] = position
        stored = [place.sequence if place.epoch == shelf.epoch else 0 for place in shelf.consumers.values()]
        needless = min(min(stored) - 1, shelf.sequence - self._log_kept)
        while shelf.log and shelf.log[0].told.sequence <= needless:
            shelf.log.popleft()
