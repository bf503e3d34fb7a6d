"""The connection to Redis: every timeout and retry set by us, every failure told as the ports want it.

redis-py 8.1 left to itself waits 3.2 s for a refused port and 60 s for a silent server (10 retries).
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    InvalidResponse,
    NoPermissionError,
    NoScriptError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from app.application.ports.system import LiveStateUnavailableError

# Replies that pass by themselves or that an operator can end; inside a script 6.2 wraps them in a longer sentence.
_REFUSALS: Mapping[str, str] = {
    "MISCONF": "it cannot save to disk; free space on its disk and look into its log",
    "OOM": "its memory is full; raise its maxmemory or free memory",
    "READONLY": "it is a replica and takes no writes; point redis.url at the primary",
    "LOADING": "it is still loading its data; try again in a moment",
    "BUSY": "a script has kept it busy for too long; try again in a moment",
    "NOREPLICAS": "it has too few replicas to take writes; start them",
    "MASTERDOWN": "it has lost its primary; start the primary or let a replica take over",
    "CLUSTERDOWN": "the cluster is down; start its missing nodes",
    "TRYAGAIN": "the cluster is moving these keys; try again in a moment",
}
# What a URL may say after its `?`, beside `ssl_...`: who we are and where, not how long we wait.
_URL_OPTIONS = {"connection_class", "host", "port", "path", "db", "username", "password", "client_name"}
START_IT = "start it, or correct redis.url"
COMES_BACK = "`marquee run` starts it again; if it does not, its log says why"
"""Of the embedded one."""
_REFUSAL = re.compile(rf"\b({'|'.join(_REFUSALS)})\b")


_SENT_TOGETHER = 100
"""Commands in one pipeline: so many take a few milliseconds on both ends."""

Call = tuple[Sequence[str], Sequence[bytes | str | float]]
"""The keys and the arguments of a script."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script; sent by its digest, in full only to a server that does not have it (or lost it)."""

    source: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha1(self.source.encode(), usedforsecurity=False).hexdigest())


class RedisClient:
    """One server or cluster. Whoever connects closes it; nothing is opened before the first command."""

    def __init__(self, client: Redis | RedisCluster, name: str, remedy: str) -> None:
        self._client: Any = client  # the two kinds of client share no precise type
        self._remedy = remedy
        self._starting = asyncio.Lock()
        self.name = name
        """Where it is, as a URL without user, password and options: fit for messages."""

    async def command(self, *parts: bytes | str | float) -> Any:
        """Send one command and return redis-py's form of its reply (RESP2, bytes).

        Raises:
            LiveStateUnavailableError: not reached, no answer in time, or not able to take the command now.
        """
        with cancellation_kept(), refusals_told(self.name, self._remedy):
            return await self._execute(*parts)

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[bytes | str | float] = ()) -> Any:
        """Run a script atomically; its keys share one hash tag.

        Raises:
            LiveStateUnavailableError: as in `command`. Whether the script ran is then unknown, but never runs in part.
        """
        tail = (len(keys), *keys, *arguments)
        with cancellation_kept(), refusals_told(self.name, self._remedy):
            try:
                return await self._execute("EVALSHA", script.digest, *tail)
            except NoScriptError:
                return await self._execute("EVAL", script.source, *tail)

    async def _execute(self, *parts: bytes | str | float) -> Any:
        if isinstance(self._client, RedisCluster):
            async with self._starting:  # redis-py 8.1 fails commands that are sent while it looks for the nodes
                await self._client.initialize()
        return await self._client.execute_command(*parts)

    async def aclose(self) -> None:
        """Close every connection. Safe to call twice."""
        await self._client.aclose()

    async def many(self, commands: Sequence[Sequence[bytes | str | float]]) -> list[Any]:
        """Send commands together, a hundred at a time, over one connection (a cluster: one a node); replies in order.

        Raises:
            LiveStateUnavailableError: as in `command`; some may have been carried out.
        """
        replies: list[Any] = []
        for begin in range(0, len(commands), _SENT_TOGETHER):
            with cancellation_kept(), refusals_told(self.name, self._remedy):
                replies += _or_raise(await self._pipelined(commands[begin : begin + _SENT_TOGETHER]))
        return replies

    async def run_many(self, script: Script, calls: Sequence[Call]) -> list[Any]:
        """Run a script with many keys and arguments as `many` sends commands, each call atomic by itself."""
        replies: list[Any] = []
        for begin in range(0, len(calls), _SENT_TOGETHER):
            some = calls[begin : begin + _SENT_TOGETHER]
            with cancellation_kept(), refusals_told(self.name, self._remedy):
                found = await self._pipelined(_script_calls("EVALSHA", script.digest, some))
                if any(isinstance(reply, NoScriptError) for reply in found):
                    found = await self._pipelined(_script_calls("EVAL", script.source, some))
                replies += _or_raise(found)
        return replies

    async def _pipelined(self, commands: Sequence[Sequence[bytes | str | float]]) -> list[Any]:
        if isinstance(self._client, RedisCluster):
            async with self._starting:
                await self._client.initialize()
        pipeline = self._client.pipeline(transaction=False)
        for parts in commands:
            pipeline.execute_command(*parts)
        return list(await pipeline.execute(raise_on_error=False))


def _script_calls(command: str, script: str, calls: Sequence[Call]) -> list[list[bytes | str | float]]:
    return [[command, script, len(keys), *keys, *arguments] for keys, arguments in calls]


def _or_raise(replies: list[Any]) -> list[Any]:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def connect(url: str, *, timeout: float, remedy: str = START_IT) -> RedisClient:
    """Prepare a client of `redis://`, `rediss://`, `unix://` or, for a cluster, `redis+cluster://`, `rediss+cluster://`.

    `timeout` is in seconds, for opening a connection and for each answer; nothing is tried twice, because a script
    whose answer was lost may have run. Blocking reads take a client of their own, with the time
    that they block on top. `remedy` says what to do about a server that is not there.

    Raises:
        ValueError: the URL cannot be used; the message does not repeat it, for it may hold a password.
    """
    try:
        name = _name(url)
        options: dict[str, Any] = dict(parse_url(url.replace("+cluster://", "://", 1)))
        _check_options(options)
    except ValueError:
        raise ValueError(
            "redis.url is not a URL that Redis understands: expected redis://[user:password@]host:port/db, rediss://, "
            "redis+cluster:// or unix:///path/to/socket, with / : @ # ? in a password written as %2F %3A %40 %23 %3F "
            "and no options but db, username, password, client_name and ssl_..."
        ) from None
    options |= _limits(timeout, on_a_socket_file=url.startswith("unix:"))
    if "+cluster:" not in url.partition("/")[0]:
        return RedisClient(Redis.from_pool(ConnectionPool(**options)), name, remedy)
    return RedisClient(_cluster(options), name, remedy)


def _check_options(options: Mapping[str, Any]) -> None:
    if any(name not in _URL_OPTIONS and not name.startswith("ssl_") for name in options):
        raise ValueError


def _limits(timeout: float, *, on_a_socket_file: bool) -> dict[str, Any]:
    limits = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "decode_responses": False,
        "health_check_interval": 0,
    }
    return limits if on_a_socket_file else limits | {"socket_keepalive": True}


def _cluster(options: dict[str, Any]) -> RedisCluster:
    encrypted = options.pop("connection_class", None) is SSLConnection
    try:
        return RedisCluster(**options, ssl=encrypted)
    except (RedisClusterException, TypeError):
        raise ValueError(
            "redis.url names a cluster: expected redis+cluster://[user:password@]host:port, without a db"
        ) from None


def _name(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or "localhost"
    return f"{parts.scheme}://{host}:{parts.port or 6379}{parts.path.rstrip('/')}"


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Stop a task that was cancelled in the block, even if the block went on.

    redis-py sends through `asyncio.wait_for`, which before Python 3.12 forgets a cancellation that comes together with
    its result; a task that follows a log or renews a lease would then run for ever.
    """
    task = asyncio.current_task()
    asked_before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > asked_before:
            raise asyncio.CancelledError


@contextmanager
def refusals_told(name: str, remedy: str = START_IT) -> Iterator[None]:
    """Turn what redis-py raises when Redis does not serve into a LiveStateUnavailableError with an advice.

    Anything else (a wrong type of key, a script that fails) is a bug and passes unchanged.
    """
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        advice = _advice(_innermost(error), remedy)
        if advice is None:
            raise
        raise LiveStateUnavailableError(f"Redis at {name} {advice}") from error


def _innermost(error: BaseException) -> BaseException:
    """Unwrap: while a connection is made, redis-py hides what really happened inside a ConnectionError."""
    while type(error) is RedisConnectionError and isinstance(error.__cause__, RedisError | OSError):
        error = error.__cause__
    return error


def _advice(error: BaseException, remedy: str) -> str | None:
    # redis-py cuts the code off the replies for which it has a class, so the class's name is looked at as well
    refusal = _REFUSAL.search(str(error)) or _REFUSAL.search(_CODES.get(type(error).__name__, ""))
    match error:
        case AuthenticationError() | AuthorizationError() | NoPermissionError():
            return f"refused us ({error}): correct the user and password of redis.url"
        case RedisError() if refusal:
            return f"does not serve us now: {_REFUSALS[refusal[1]]}"
        case RedisTimeoutError() | TimeoutError():
            return "does not answer in time: see whether it is stopped or overloaded"
        case RedisConnectionError() | RedisClusterException() | InvalidResponse() | OSError():
            return f"cannot be reached ({error}): {remedy}"
        case _:
            return None


_CODES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "BusyLoadingError": "LOADING",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "TryAgainError": "TRYAGAIN",
}
