"""A Redis Cluster: each command goes to the node that has its slot, wherever that has moved."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from app.adapters.outbound.redis.failures import doubted
from app.adapters.outbound.redis.node import Part, RedisNode, Route
from app.adapters.outbound.redis.shared_look import PAUSE, SharedLook

Address = tuple[str, int]
"""Host and port."""

_ATTEMPTS = 8
"""To follow a slot that moves; then it is away."""
_BETWEEN_ATTEMPTS = 0.05
"""Seconds, while some keys of a slot have moved and some have not."""


class ClusterRoute(Route):
    """Knows who has which slot; looks again after anything that may mean that this has changed.

    A redirection means that the command was not done, so it is followed. Whatever may have been done is not tried
    again. No connection is closed that somebody uses.
    """

    def __init__(self, seeds: Sequence[Address], open_node: Callable[[Address], RedisNode], timeout: float) -> None:
        self._seeds = seeds
        self._open_node = open_node
        self._timeout = timeout
        self._nodes: dict[Address, RedisNode] = {}
        self._slots = _Slots([None] * REDIS_CLUSTER_HASH_SLOTS, frozenset())
        self._doubtful = True
        self._failed: Address | None = None
        self._look_again = SharedLook(self._look, timeout)

    async def execute(self, *parts: Part, replicas: int = 0) -> Any:
        """Follow MOVED and ASK; wait a little while a slot is half here and half there."""
        slot = slot_of(parts)
        address, asking = await self._owner(slot), False
        for _ in range(_ATTEMPTS):
            try:
                return await self._node(address).execute(*parts, replicas=replicas, asking=asking)
            except exceptions.MovedError as moved:
                self._doubtful = True
                address, asking = _target(moved, address), False
                self._slots.owners[slot] = address
            except exceptions.AskError as ask:
                address, asking = _target(ask, address), True
            except exceptions.TryAgainError:
                await asyncio.sleep(_BETWEEN_ATTEMPTS)
                address, asking = await self._owner(slot), False
            except exceptions.NoScriptError:
                raise
            except (exceptions.RedisError, OSError) as error:
                self._failed_at(address, error)
                raise
        raise exceptions.TryAgainError(f"slot {slot} is being moved")

    async def many(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Send to all nodes at once what is theirs, together; what has moved is followed alone."""
        of_nodes: dict[Address, list[int]] = {}
        for position, parts in enumerate(commands):
            of_nodes.setdefault(await self._owner(slot_of(parts)), []).append(position)
        replies: list[Any] = [None] * len(commands)

        async def send(address: Address, positions: Sequence[int]) -> None:
            found = await self._replies(address, [commands[position] for position in positions])
            for position, reply in zip(positions, found, strict=True):
                replies[position] = reply

        await asyncio.gather(*(send(address, positions) for address, positions in of_nodes.items()))
        return replies

    async def _replies(self, address: Address, commands: Sequence[Sequence[Part]]) -> list[Any]:
        try:
            found = await self._node(address).many(commands)
        except (exceptions.RedisError, OSError) as error:
            self._failed_at(address, error)
            return [error] * len(commands)
        for position, reply in enumerate(found):
            if isinstance(reply, exceptions.AskError | exceptions.TryAgainError):  # MOVED is one too
                self._doubtful = True
                found[position] = await self._reply_or_error(commands[position])
        return found

    async def _reply_or_error(self, parts: Sequence[Part]) -> Any:
        try:
            return await self.execute(*parts)
        except (exceptions.RedisError, OSError) as error:
            return error

    def _failed_at(self, address: Address, error: Exception) -> None:
        self._doubtful = True
        self._failed = None if isinstance(error, exceptions.ResponseError) else address

    async def aclose(self) -> None:
        """Close all nodes."""
        await self._look_again.aclose()
        nodes, self._nodes = list(self._nodes.values()), {}
        self._doubtful = True
        for node in nodes:
            await node.aclose()

    async def _owner(self, slot: int) -> Address:
        owner = self._slots.owners[slot]
        if owner is None or (self._doubtful and self._look_again.age > PAUSE):
            await self._look_again()
            owner = self._slots.owners[slot]
        if owner is None:
            raise exceptions.ClusterDownError(f"CLUSTERDOWN nobody has slot {slot}")
        return owner

    def _node(self, address: Address) -> RedisNode:
        if address not in self._nodes:
            self._nodes[address] = self._open_node(address)
        return self._nodes[address]

    async def _look(self) -> None:
        """Ask one node after the other until one knows of all slots; the one that failed last comes last."""
        best: _Slots | None = None
        trouble: BaseException = exceptions.ConnectionError("no node knows of any slot")
        self._doubtful = False  # what fails from here on may be newer than what we hear
        for address in self._candidates():
            try:
                async with asyncio.timeout(self._timeout / 2):
                    found = _slots(await self._node(address).execute("CLUSTER", "SLOTS"), address)
            except (exceptions.RedisError, OSError) as error:
                trouble = doubted(error, f"{address[0]}:{address[1]} is no node of a cluster")
            else:
                best = found if best is None or found.covered > best.covered else best
            if best is not None and best.covered == REDIS_CLUSTER_HASH_SLOTS:
                break
        if best is None or not best.covered:
            self._doubtful = True
            raise trouble
        await self._adopt(best)

    def _candidates(self) -> Sequence[Address]:
        candidates = list({*self._slots.addresses, *self._seeds})
        random.shuffle(candidates)  # not everybody asks the same one
        return sorted(candidates, key=lambda address: address == self._failed)

    async def _adopt(self, slots: "_Slots") -> None:
        self._slots = slots
        for address in self._nodes.keys() - slots.addresses - set(self._seeds):
            await self._nodes.pop(address).aclose()


@dataclass(frozen=True, slots=True)
class _Slots:
    """What a node says of the whole cluster."""

    owners: list[Address | None]
    addresses: frozenset[Address]
    """Of all nodes, replicas too."""

    @property
    def covered(self) -> int:
        return REDIS_CLUSTER_HASH_SLOTS - self.owners.count(None)


def slot_of(parts: Sequence[Part]) -> int:
    """Say to which slot a command belongs: that of its first key, and all its keys have one hash tag."""
    match parts:
        case ("EVAL" | "EVALSHA", _, _, key, *_):
            pass
        case ("XREAD" | "XREADGROUP", *_):
            key = parts[parts.index("STREAMS") + 1]
        case (_, key, *_):
            pass
        case _:
            key = b""
    return key_slot(key if isinstance(key, bytes) else str(key).encode())


def _slots(reply: Any, asked: Address) -> _Slots:
    """Read CLUSTER SLOTS: first, last, then primary and replicas as host, port and more."""
    owners: list[Address | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
    addresses: set[Address] = set()
    for first, last, *nodes in reply:
        of_range = [(_host(host, asked), int(port)) for host, port, *_ in nodes]
        owners[first : last + 1] = [of_range[0]] * (last + 1 - first)
        addresses.update(of_range)
    return _Slots(owners, frozenset(addresses))


def _host(said: bytes | None, asked: Address) -> str:
    """A node that knows no name of its own means the one under which it was asked."""
    return said.decode() if said and said != b"?" else asked[0]


def _target(redirection: exceptions.AskError, asked: Address) -> Address:
    """Where a redirection leads; without a host it is another port of the same."""
    return str(redirection.host) or asked[0], redirection.port
