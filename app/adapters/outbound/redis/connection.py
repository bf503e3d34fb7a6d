"""The connection to Redis: every timeout set by us, nothing tried twice, every failure told as the ports want it."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from redis.exceptions import NoScriptError

from app.adapters.outbound.redis.failures import COMES_BACK, START_IT, refusal_advice, refusals_told
from app.adapters.outbound.redis.lua import Script
from app.adapters.outbound.redis.node import MAX_CONNECTIONS, Part, Route
from app.adapters.outbound.redis.redis_url import read_url

__all__ = ["COMES_BACK", "START_IT", "RedisClient", "connect"]


_SENT_TOGETHER = 100
"""Commands in one pipeline: so many take a few milliseconds on both ends."""

Call = tuple[Sequence[str], Sequence[Part]]
"""The keys and the arguments of a script."""
_Send = Callable[[Sequence[Sequence[Part]]], Awaitable[list[Any]]]


class RedisClient:
    """One server, a cluster, or what Sentinels watch. Who connects closes it; nothing is opened before a command."""

    def __init__(self, route: Route, name: str, remedy: str) -> None:
        self._route = route
        self._remedy = remedy
        self.name = name
        """Where it is, as a URL without user, password and options: fit for messages."""

    async def command(self, *parts: Part) -> Any:
        """Send one command and return redis-py's form of its reply (RESP2, bytes).

        Raises:
            LiveStateUnavailableError: not reached, no answer in time, or not able to take the command now.
        """
        with refusals_told(self.name, self._remedy):
            return await self._route.execute(*parts)

    async def run(
        self, script: Script, keys: Sequence[str], arguments: Sequence[Part] = (), *, replicas: int = 0
    ) -> Any:
        """Run a script atomically; its keys share one hash tag. Then wait until `replicas` replicas have what it wrote.

        Raises:
            LiveStateUnavailableError: as in `command`. Whether the script ran is then unknown, but never runs in part.
        """
        tail = (len(keys), *keys, *arguments)
        with refusals_told(self.name, self._remedy):
            try:
                return await self._route.execute("EVALSHA", script.digest, *tail, replicas=replicas)
            except NoScriptError:
                return await self._route.execute("EVAL", script.source, *tail, replicas=replicas)

    async def many(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Send commands together, a hundred at a time, over one connection (a cluster: one a node); replies in order.

        Raises:
            LiveStateUnavailableError: as in `command`; some may have been carried out.
        """
        return await self._together(self._route.many, commands)

    async def run_many(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        """Run a script with many keys and arguments as `many` sends commands, each call atomic by itself."""
        tails = [(len(keys), *keys, *arguments) for keys, arguments in calls]
        return await self._together(partial(self._run_together, script), tails)

    async def _together(self, send: _Send, commands: Sequence[Sequence[Part]]) -> list[Any]:
        replies: list[Any] = []
        for begin in range(0, len(commands), _SENT_TOGETHER):
            with refusals_told(self.name, self._remedy):
                replies += _or_raise(await send(commands[begin : begin + _SENT_TOGETHER]))
        return replies

    async def _run_together(self, script: Script, tails: Sequence[Sequence[Part]]) -> list[Any]:
        replies = await self._route.many([("EVALSHA", script.digest, *tail) for tail in tails])
        if unknown := [position for position, reply in enumerate(replies) if isinstance(reply, NoScriptError)]:
            again = await self._route.many([("EVAL", script.source, *tails[position]) for position in unknown])
            for position, reply in zip(unknown, again, strict=True):
                replies[position] = reply
        return replies

    def refusal(self, reply: str) -> str:
        """Say what an error means with which Redis refused to write within a script."""
        return f"Redis at {self.name} {refusal_advice(reply) or f'refuses to write ({reply})'}"

    async def aclose(self) -> None:
        """Close every connection. Safe to call twice."""
        await self._route.aclose()


def _or_raise(replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def connect(url: str, *, timeout: float, remedy: str = START_IT, max_connections: int = MAX_CONNECTIONS) -> RedisClient:
    """Prepare a client of what `redis_url.py` can read.

    `timeout` is in seconds, for getting a connection and for each answer; nothing is tried twice, because a script
    whose answer was lost may have run. Blocking reads take a client of their own, with the time
    that they block on top. `remedy` says what to do about a server that is not there. Beyond `max_connections` to one
    server, commands wait for each other.

    Raises:
        ValueError: the URL cannot be used; the message does not repeat it, for it may hold a password.
    """
    found = read_url(url)
    return RedisClient(found.route(timeout, max_connections), found.name, remedy)
