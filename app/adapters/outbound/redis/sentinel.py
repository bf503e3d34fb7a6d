"""A primary that Sentinels watch over: they say where it is, and we ask again whenever it may have changed."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis import exceptions

from app.adapters.outbound.redis.cluster import Address
from app.adapters.outbound.redis.failures import doubted
from app.adapters.outbound.redis.node import Part, RedisNode, Route
from app.adapters.outbound.redis.shared_look import PAUSE, SharedLook

ASK_AGAIN = 1.0
"""Seconds after which the Sentinels are asked although nothing failed: an old primary may have missed a failover."""


class SentinelRoute(Route):
    """Sends everything to the primary of `service`. Whatever may have been done is not tried again."""

    def __init__(
        self, service: str, sentinels: Sequence[RedisNode], open_node: Callable[[Address], RedisNode], timeout: float
    ) -> None:
        self._service = service
        self._sentinels = sentinels
        self._open_node = open_node
        self._timeout = timeout
        self._primary: RedisNode | None = None
        self._address: Address | None = None
        self._doubtful = False
        self._look_again = SharedLook(self._look, timeout)

    async def execute(self, *parts: Part, replicas: int = 0) -> Any:
        """Ask first when there is a doubt; in the background, now and then, when there is none."""
        with self._doubts():
            return await (await self._node()).execute(*parts, replicas=replicas)

    async def many(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Send them to the primary together."""
        with self._doubts():
            return await (await self._node()).many(commands)

    async def aclose(self) -> None:
        """Close the primary and the Sentinels."""
        await self._look_again.aclose()
        primary, self._primary, self._address = self._primary, None, None
        for node in (*self._sentinels, *([primary] if primary else ())):
            await node.aclose()

    @contextmanager
    def _doubts(self) -> Iterator[None]:
        try:
            yield
        except (exceptions.RedisError, OSError):
            self._doubtful = True
            raise

    async def _node(self) -> RedisNode:
        if self._primary is None or (self._doubtful and self._look_again.age > PAUSE):
            await self._look_again()
        elif self._look_again.age > ASK_AGAIN:
            self._look_again.begin()
        if self._primary is None:
            raise exceptions.ConnectionError(f"nobody says where the primary of {self._service!r} is")
        return self._primary

    async def _look(self) -> None:
        """Believe the first Sentinel whose primary says itself that it is one; when none answers, the one we know."""
        trouble: BaseException = exceptions.ConnectionError(f"no Sentinel knows a primary of {self._service!r}")
        self._doubtful, doubtful, answered = False, self._doubtful, False  # what fails from here on may be newer news
        for sentinel in random.sample(self._sentinels, len(self._sentinels)):
            try:
                async with asyncio.timeout(self._timeout / 2):
                    named = await sentinel.execute("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
                    answered = True
                    if named and await self._adopt((named[0].decode(), int(named[1]))):
                        return
            except (exceptions.RedisError, OSError) as error:
                trouble = doubted(error, "it is no Sentinel, or none that answers us")
        if answered or self._primary is None or not await _leads(self._primary):
            self._doubtful = doubtful or answered
            raise trouble

    async def _adopt(self, address: Address) -> bool:
        """Send everything there from now on, if it is a primary; who still waits for the former one may do so."""
        if self._primary and address == self._address:
            return await _leads(self._primary)
        node = self._open_node(address)
        try:
            if not await _leads(node):
                return False
            node, self._primary, self._address = self._primary or node, node, address
            return True
        finally:
            if node is not self._primary:
                await node.aclose()


async def _leads(node: RedisNode) -> bool:
    return bool((await node.execute("ROLE"))[0] == b"master")
