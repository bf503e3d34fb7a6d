"""The watch over a whole service in memory: what tests of figures need."""

from datetime import UTC, timedelta
from uuid import UUID

from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.application.ports.figures import RunningProcess
from app.application.ports.history import HistoryWatch
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import HistoryUnavailableError
from app.application.read_catalog import DescribeProviders
from app.application.watch_catalog import WatchCatalog
from app.application.watch_service import WatchService
from app.domain.domain_events import UserCreated
from app.domain.users import User, UserCounts
from tests.fakes.activity_inbox import MemoryActivityInbox
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.presence import MemoryPresence
from tests.fakes.publishing_positions import MemoryPublishingPositions
from tests.fakes.queue_watch import MemoryQueueWatch
from tests.fakes.subscription_readers import MemorySubscriptionReaders
from tests.fakes.tally import MemoryTally
from tests.fakes.users import AccessStore, MemoryUsers
from tests.fakes.verifications import MemoryVerifications
from tests.fakes.webhook_endpoints import MemoryWebhooks
from tests.fakes.webhook_states import MemoryWebhookStates
from tests.support.builders import NOW, an_activity
from tests.support.sync_world import SyncWorld


class Directory(ProviderDirectory):
    def __init__(self, *configured: ConfiguredProvider) -> None:
        self._configured = {provider.name: provider for provider in configured}

    def put(self, provider: ConfiguredProvider) -> None:
        self._configured[provider.name] = provider

    def all(self) -> list[ConfiguredProvider]:
        return [*self._configured.values()]

    def get(self, name: str) -> ConfiguredProvider:
        return self._configured[name]


class AskedUsers(MemoryUsers):
    """Users that know how often they were counted."""

    asked = 0

    async def counts(self) -> UserCounts:
        self.asked += 1
        return await super().counts()


class ScriptedHistory(HistoryWatch):
    """A history that takes writes, unless there is a trouble."""

    trouble: str | None = None

    async def check_writes(self) -> None:
        if self.trouble:
            raise HistoryUnavailableError(self.trouble)


class ServiceWorld:
    def __init__(self) -> None:
        self.syncs = SyncWorld()
        self.clock = self.syncs.clock
        self.store = self.syncs.store
        self.access = AccessStore()
        self.stream = MemoryActivityStream(self.store)
        self.queue = MemoryActivityQueue(self.stream)
        self.inbox = MemoryActivityInbox(self.stream, block=0.01)
        self.presence = MemoryPresence(self.store)
        self.tally = MemoryTally(self.store)
        self.verifications = MemoryVerifications(self.store)
        self.subscription_readers = MemorySubscriptionReaders(self.store)
        self.users = AskedUsers(self.access)
        self.positions = MemoryPublishingPositions()
        self.webhooks = MemoryWebhooks()
        self.directory = Directory(self.syncs.configured)
        describe = DescribeProviders(self.directory, self.syncs.catalog, self.syncs.journal, MemoryCircuitStates())
        self.catalog = WatchCatalog(describe, self.syncs.journal, MemoryQueueWatch(self.stream), self.clock)
        self.own = a_process("own", "api")
        self.history = ScriptedHistory()
        self.kept = MemoryActivityStore(UTC)
        self.watch = WatchService(
            self.own,
            self.catalog,
            self.presence,
            self.tally,
            self.verifications,
            self.users,
            self.positions,
            MemoryWebhookStates(self.webhooks),
            self.kept,
            self.clock,
            self.history,
            self.subscription_readers,
            "2026f",
        )
        self._next = 0

    async def look(self) -> None:
        await self.catalog.look()
        await self.watch.look()

    async def take_in(self, count: int) -> None:
        numbers = range(self._next, self._next + count)
        self._next += count
        await self.queue.append([an_activity(number) for number in numbers])

    async def settle(self) -> None:
        await self.inbox.settle(await self.inbox.take())

    async def add_user(self, number: int, *, is_active: bool = True, is_deleted: bool = False) -> None:
        user = User(
            user_id=UUID(int=number),
            username=f"user{number}",
            email=f"user{number}@example.com",
            is_active=is_active and not is_deleted,
            deleted_at=NOW if is_deleted else None,
            created_at=NOW,
            updated_at=NOW,
        )
        await self.users.add(user, UserCreated(event_id=str(number), occurred_at=NOW, user=user))


def a_process(process_id: str, role: str, started: float = 0) -> RunningProcess:
    return RunningProcess(process_id, role, NOW + timedelta(seconds=started))
