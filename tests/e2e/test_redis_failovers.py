"""A cluster and a Sentinel set whose nodes die, whose slots move and stay open, under posts, syncs and searches."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPException
from itertools import count

import pytest
from redis.crc import key_slot

from tests.support.feed_files import a_feed, some_items
from tests.support.redis_cluster import ReplicatedCluster, replicas_of, replicated_cluster
from tests.support.redis_sentinel import sentinel_set
from tests.support.service import Installation, Service, ask
from tests.support.service_activities import Client, counted
from tests.support.waiting import until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.redis_server,
    pytest.mark.timeout(300),
]

PLANS = 50
ACTIVITIES, PROVIDER, SERVICE, SCHEDULER = (
    f"marquee:1:{{{tag}}}" for tag in ("activities", "p:acme", "service", "scheduler")
)
SLOT_OPEN_SECONDS = 20.0
PROMISES = 3
"""Bodies that a client must have promised before it counts as being served."""


class Searcher(threading.Thread):
    """Searches again and again over one connection, and notes every answer that is not whole."""

    def __init__(self, service: Service) -> None:
        super().__init__(daemon=True)
        self.answers = 0
        self.failures: list[str] = []
        self._service = service
        self._stopping = threading.Event()

    def run(self) -> None:
        with closing(self._service.connect()) as connection:
            while not self._stopping.wait(0.01):
                try:
                    answer = ask(connection, "/search")
                except (OSError, HTTPException) as error:
                    self.failures.append(repr(error))
                    return
                self.answers += 1
                if answer.status != 200 or len(answer.plans) != PLANS:
                    self.failures.append(f"{answer.status} {answer.body[:200]!r}")

    def finish(self) -> None:
        self._stopping.set()
        self.join(30)


class Provider:
    """Says other titles twice a second while it is at work (an edition's is its number); a scheduler looks as often."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.edition = 0
        self.url = self._say()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        stopping = threading.Event()
        worker = threading.Thread(target=self._work, args=[stopping], daemon=True)
        worker.start()
        try:
            yield
        finally:
            stopping.set()
            worker.join(10)

    def _work(self, stopping: threading.Event) -> None:
        while not stopping.wait(0.5):
            self.edition += 1
            self._say()

    def _say(self) -> str:
        return self._installation.write("feed.xml", a_feed(some_items(PLANS, title=str(self.edition))))


class World:
    """A whole service on a Redis, with a provider."""

    def __init__(self, installation: Installation, redis_url: str) -> None:
        self.provider = Provider(installation)
        installation.configure(
            {"name": "acme", "url": self.provider.url, "interval": 0.5, "gate": {"max_changed_share": 1.0}},
            redis={"url": redis_url, "timeout": 1, "replicas": 1},
            activity={"takeover": 1},
        )
        self.service = installation.run()
        until(lambda: len(self.service.search()) == PLANS)
        self.seeds = count()

    def found(self) -> int:
        """The oldest edition that is still found."""
        return min(int(plan["title"]) for plan in self.service.search())

    def started(self) -> list[int]:
        return [entry["pid"] for entry in self.service.log if entry["event"] == "child started"]


class Load:
    """Two clients that post, one that searches, and a feed that changes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._service = world.service
        self._searcher = Searcher(world.service)
        self.clients = [Client(world.service.connect, next(world.seeds), pause=0.02) for _ in range(2)]
        self._counted_before = counted(world.service)
        self._started_before = world.started()
        for thread in (self._searcher, *self.clients):
            thread.start()

    def until_served(self) -> None:
        """Wait until each client has been promised something more."""
        wanted = [client.statuses.get(202, 0) + PROMISES for client in self.clients]
        until(lambda: all(c.statuses.get(202, 0) >= number for c, number in zip(self.clients, wanted, strict=True)), 60)

    @property
    def refused(self) -> int:
        return sum(client.statuses.get(503, 0) for client in self.clients)

    def until_refused(self) -> None:
        """Wait until a client has been told to come again."""
        before = self.refused
        until(lambda: self.refused > before)

    def until_synced(self) -> None:
        """Wait until all that is found is of an edition that was said only now."""
        edition = self._world.provider.edition + 1
        until(lambda: self._world.found() >= edition, 60)

    def come_to_rest(self) -> None:
        """Hold what was promised against what is counted."""
        promised = {activity["id"] for client in self.clients for activity in client.finish()}
        wanted = self._counted_before + len(promised)
        until(lambda: counted(self._service) >= wanted, 60)
        until(lambda: self._world.found() == self._world.provider.edition, 60)
        self._searcher.finish()
        until(lambda: self._service.ask("/health").json["status"] == "ok")

        assert counted(self._service) == wanted
        assert {status for client in self.clients for status in client.statuses} <= {202, 503}
        assert self._searcher.failures == []
        assert self._searcher.answers > 100
        assert self._service.runs
        assert self._world.started() == self._started_before, "a process has ended"
        assert [entry for entry in self._service.log if "exception" in entry] == []


@contextmanager
def busy(world: World) -> Iterator[Load]:
    load = Load(world)
    with world.provider.at_work():
        load.until_served()
        yield load
    load.come_to_rest()


@pytest.fixture(scope="module")
def cluster() -> Iterator[ReplicatedCluster]:
    """One for all; each test leaves it whole."""
    with replicated_cluster() as made:
        yield made


@pytest.fixture(scope="module")
def world(cluster: ReplicatedCluster) -> Iterator[World]:
    with Installation() as installation:
        yield World(installation, cluster.url)


def test_a_slot_that_stays_open_costs_a_cluster_nothing_but_promises(cluster: ReplicatedCluster, world: World) -> None:
    with busy(world) as load:
        with ExitStack() as open_slots:
            for key in (ACTIVITIES, PROVIDER):
                open_slots.enter_context(cluster.slot_open(key_slot(key.encode())))
            load.until_refused()
            time.sleep(SLOT_OPEN_SECONDS)

        load.until_served()
        load.until_synced()


def test_slots_that_move_slowly_take_what_is_in_them_along(cluster: ReplicatedCluster, world: World) -> None:
    with busy(world) as load:
        for key in (ACTIVITIES, PROVIDER, SERVICE, SCHEDULER):
            source = cluster.primary_of(key)
            target = next(node for node in cluster.primaries() if node is not source)
            moved = cluster.move_slot(key_slot(key.encode()), source, target, pause=0.5)
            assert (moved > 0, cluster.primary_of(key)) == (True, target)
            load.until_served()
        load.until_synced()


def test_primaries_of_a_cluster_that_are_killed_cost_no_promise_that_a_replica_has(
    cluster: ReplicatedCluster, world: World
) -> None:
    with busy(world) as load:
        for key in (ACTIVITIES, PROVIDER):
            killed = cluster.primary_of(key)
            killed.kill()
            successor = cluster.wait_for_failover(key, killed)
            killed.start()
            until(partial(replicas_of, successor))
            load.until_served()
            load.until_synced()
        assert load.refused > 0


def test_a_primary_of_sentinels_that_is_killed_costs_no_promise_that_a_replica_has() -> None:
    with (
        sentinel_set() as sentinels,
        Installation() as installation,
        busy(World(installation, sentinels.url)) as load,
    ):
        killed = sentinels.primary()
        killed.kill()
        load.until_refused()
        sentinels.wait_for_failover(killed)

        load.until_served()
        load.until_synced()
        killed.start()
        load.until_served()
