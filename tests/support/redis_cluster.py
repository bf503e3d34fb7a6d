"""A Redis Cluster as others run it: three primaries with a replica each, and what its operators do to it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis.crc import key_slot

from tests.support.redis_server import ClusterNode, admin, join_nodes, started_nodes
from tests.support.waiting import until

# A replica is there at once, and a failover takes about 3 s.
_OPTIONS = ("--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0")


class ReplicatedCluster:
    """The nodes know each other by ids, we know them by ports."""

    def __init__(self, nodes: list[ClusterNode]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """Three seeds."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:3])

    def primaries(self) -> list[ClusterNode]:
        """Those who have slots now."""
        return [node for node in self.nodes if _role(node) == "master"]

    def primary_of(self, key: str, *, but: ClusterNode | None = None) -> ClusterNode:
        """Who has the slot of a key, as one of the other nodes sees it."""
        return self._owner(key_slot(key.encode()), but=but)

    def _owner(self, slot: int, *, but: ClusterNode | None = None) -> ClusterNode:
        witness = next(node for node in self.nodes if node is not but and node.runs)
        with witness.client() as client:
            for first, last, (_, port, *_), *_ in admin(client, "CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    return next(node for node in self.nodes if node.port == port)
        raise AssertionError(f"nobody has {slot}")

    def wait_for_failover(self, key: str, former: ClusterNode) -> ClusterNode:
        """Wait until another node has the slot of a key."""
        until(lambda: self.primary_of(key, but=former) is not former)
        return self.primary_of(key, but=former)

    @contextmanager
    def slot_open(self, slot: int) -> Iterator[tuple[ClusterNode, ClusterNode]]:
        """Begin to move a slot, and let it be where it was: what one side has not is looked for on the other."""
        source = self._owner(slot)
        target = next(node for node in self.primaries() if node is not source)
        self._open(slot, source, target)
        try:
            yield source, target
        finally:
            for node in (source, target):
                with node.client() as client:
                    admin(client, "CLUSTER", "SETSLOT", slot, "STABLE")

    def move_slot(self, slot: int, source: ClusterNode, target: ClusterNode, *, pause: float = 0.0) -> int:
        """Move a slot, key after key with a pause (s) behind each; return how many keys it had."""
        self._open(slot, source, target)
        moved = 0
        with source.client() as here:
            while keys := admin(here, "CLUSTER", "GETKEYSINSLOT", slot, 1):
                moved += len(keys)
                # In a slot that was open once, the target may have kept what came there and nowhere else.
                admin(here, "MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000, "REPLACE")
                time.sleep(pause)
        for node in (target, source, *self.nodes):
            with node.client() as client:
                if _role(node) == "master":
                    admin(client, "CLUSTER", "SETSLOT", slot, "NODE", node_id(target))
        return moved

    def _open(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        with source.client() as here, target.client() as there:
            admin(there, "CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
            admin(here, "CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))


def node_id(node: ClusterNode) -> str:
    with node.client() as client:
        said: bytes | str = admin(client, "CLUSTER", "MYID")
    return said.decode() if isinstance(said, bytes) else said


@contextmanager
def replicated_cluster() -> Iterator[ReplicatedCluster]:
    """Run three primaries and three replicas that have all data."""
    nodes = started_nodes(6, *_OPTIONS)
    try:
        join_nodes(nodes[:3])
        for replica in nodes[3:]:
            with replica.client() as client:
                admin(client, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for primary, replica in zip(nodes[:3], nodes[3:], strict=True):
            _follow(replica, primary)
        until(lambda: all(len(replicas_of(node)) == 1 for node in nodes[:3]))
        until(lambda: all(_knows_all(node) for node in nodes))
        yield ReplicatedCluster(nodes)
    finally:
        for node in nodes:
            node.close()


def _follow(replica: ClusterNode, primary: ClusterNode) -> None:
    with replica.client() as client:
        until(lambda: node_id(primary) in str(admin(client, "CLUSTER", "NODES")))
        admin(client, "CLUSTER", "REPLICATE", node_id(primary))


def _knows_all(node: ClusterNode) -> bool:
    with node.client() as client:
        slots = admin(client, "CLUSTER", "SLOTS")
        return len(slots) == 3 and all(len(of_range) == 4 for of_range in slots)


def replicas_of(node: ClusterNode) -> list[object]:
    """Those that are connected to it."""
    with node.client() as client:
        return list(admin(client, "ROLE")[2])


def _role(node: ClusterNode) -> str:
    with node.client() as client:
        said: bytes | str = admin(client, "ROLE")[0]
    return said.decode() if isinstance(said, bytes) else said
