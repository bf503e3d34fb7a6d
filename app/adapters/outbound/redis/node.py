"""The connections to one server, and what is said over them: each command whole, on one connection, within its time.

redis-py's `Connection` does the talking. Its pools raise at their 101st connection, and its client for clusters sends
ASKING and its command over two: so who takes which connection is decided here (ADR 0050).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from app.adapters.outbound.redis.failures import TooFewReplicasError

Part = bytes | str | float
"""Of a command."""
MAX_CONNECTIONS = 32
"""To one server, of one client; who comes then waits."""


class Route(Protocol):
    """The way of a command to the server that it belongs to."""

    async def execute(self, *parts: Part, replicas: int = 0) -> Any:
        """Send a command and return its reply; wait for `replicas` replicas to confirm what it wrote.

        Raises:
            RedisError, OSError: redis-py's own.
        """

    async def many(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Send commands without waiting in between; their replies in order, an error in the place of each that failed.

        Raises:
            RedisError, OSError: some may have been carried out.
        """

    async def aclose(self) -> None:
        """Close every connection. Safe to call twice."""


class RedisNode(Route):
    """One server. `options` are redis-py's of a connection; `timeout` (s) is for getting one, and for each answer."""

    def __init__(
        self,
        connection_class: type[AbstractConnection],
        options: Mapping[str, Any],
        *,
        timeout: float,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._class = connection_class
        self._options = options
        self._timeout = timeout
        self._room = asyncio.Semaphore(max_connections)
        self._idle: list[AbstractConnection] = []
        self._closed = False

    async def execute(self, *parts: Part, replicas: int = 0, asking: bool = False) -> Any:
        """Send it over one connection; `asking` says to a cluster's node that it was named by an ASK."""
        async with self._connection() as connection:
            if asking:
                await _command(connection, "ASKING", seconds=self._timeout)
            reply = await _command(connection, *parts, seconds=self._timeout)
            if replicas:
                await self._confirmed(connection, replicas)
            return reply

    async def many(self, commands: Sequence[Sequence[Part]]) -> list[Any]:
        """Send them over one connection; an error reply stands for itself."""
        async with self._connection() as connection, asyncio.timeout(self._timeout):
            await connection.send_packed_command(connection.pack_commands(commands))
            return [await _reply_or_error(connection, parts) for parts in commands]

    async def _confirmed(self, connection: AbstractConnection, replicas: int) -> None:
        """Wait until so many replicas have what was written there before.

        Raises:
            TooFewReplicasError: they do not within the timeout, or the server is no primary any more.
        """
        within = self._timeout
        try:
            found = await _command(connection, "WAIT", replicas, round(within * 1000), seconds=2 * within)
        except ResponseError as error:
            raise TooFewReplicasError(f"no replica could confirm it ({error})") from error
        if found < replicas:
            raise TooFewReplicasError(f"{found} of {replicas} replicas confirmed it within {within:g} s")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AbstractConnection]:
        """Have a connection to oneself; the one used last is used first, so that few are open."""
        async with asyncio.timeout(self._timeout):
            await self._room.acquire()
        try:
            connection = self._idle.pop() if self._idle else self._class(**self._options)
            try:
                async with asyncio.timeout(self._timeout):
                    await _connected(connection)
                yield connection
            finally:
                if self._closed:
                    await _disconnect(connection)
                else:
                    self._idle.append(connection)
        finally:
            self._room.release()

    async def aclose(self) -> None:
        """Close what nobody has; the others are closed when they are given back."""
        self._closed = True
        while self._idle:
            await _disconnect(self._idle.pop())


async def _command(connection: AbstractConnection, *parts: Part, seconds: float) -> Any:
    """Send a command and return redis-py's form of its reply (RESP2), within so many seconds."""
    async with asyncio.timeout(seconds):
        await connection.send_packed_command(connection.pack_command(*parts))
        return await _reply(connection, parts)


async def _reply(connection: AbstractConnection, parts: Sequence[Part]) -> Any:
    reply = await connection.read_response()
    form = _forms().get(parts[0])
    return form(reply) if form else reply


async def _reply_or_error(connection: AbstractConnection, parts: Sequence[Part]) -> Any:
    try:
        return await _reply(connection, parts)
    except ResponseError as error:
        return error


async def _connected(connection: AbstractConnection) -> None:
    """Connect it, anew when the server has closed it or something was left in it."""
    try:
        spoiled = connection.is_connected and await connection.can_read()
    except RedisError:
        spoiled = True
    if spoiled:
        await _disconnect(connection)
    await connection.connect()  # type: ignore[no-untyped-call] # redis-py leaves it without types


async def _disconnect(connection: AbstractConnection) -> None:
    with suppress(RedisError, OSError):
        await connection.disconnect(nowait=True)


@cache
def _forms() -> Mapping[Any, Any]:
    """By command: what redis-py makes of its reply."""
    return Redis(protocol=2).response_callbacks
