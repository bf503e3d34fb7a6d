"""What redis.url may say: one server, a cluster by some of its nodes, or a primary by the Sentinels that watch it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio import Connection
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.adapters.outbound.redis.cluster import Address, ClusterRoute
from app.adapters.outbound.redis.node import RedisNode, Route
from app.adapters.outbound.redis.sentinel import SentinelRoute

_SCHEMES = ("unix", *(f"{base}{kind}" for base in ("redis", "rediss") for kind in ("", "+cluster", "+sentinel")))
_PORT, _SENTINEL_PORT = 6379, 26379
# What a URL may say after its `?`, beside `ssl_...`: who we are and where, not how long we wait.
_OPTIONS = {"connection_class", "host", "port", "path", "db", "username", "password", "client_name"}
_OF_SENTINELS = {"sentinel_username": "username", "sentinel_password": "password"}


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A URL that was read."""

    name: str
    """Without user, password and options: fit for messages."""
    kind: str
    """`server`, `cluster` or `sentinel`."""
    hosts: Sequence[Address]
    service: str
    """What the Sentinels call it."""
    connection_class: type[AbstractConnection]
    options: Mapping[str, Any]
    """redis-py's, of a connection to any server."""
    sentinel_options: Mapping[str, Any]

    def route(self, timeout: float, max_connections: int) -> Route:
        """Make the way there; nothing is opened yet."""

        def open_node(address: Address) -> RedisNode:
            return self._node(dict(self.options) | _at(address), timeout, max_connections)

        if self.kind == "cluster":
            return ClusterRoute(self.hosts, open_node, timeout)
        if self.kind == "sentinel":
            sentinels = [self._node(dict(self.sentinel_options) | _at(host), timeout, 1) for host in self.hosts]
            return SentinelRoute(self.service, sentinels, open_node, timeout)
        return self._node(dict(self.options), timeout, max_connections)

    def _node(self, options: dict[str, Any], timeout: float, max_connections: int) -> RedisNode:
        # no socket_timeout: the node has its own, and redis-py's forgets a cancellation before Python 3.12
        limits = {
            "socket_timeout": None,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }
        keepalive = {} if "path" in options else {"socket_keepalive": True}
        return RedisNode(
            self.connection_class, options | limits | keepalive, timeout=timeout, max_connections=max_connections
        )


def read_url(url: str) -> RedisUrl:
    """Read `redis[s]://`, `redis[s]+cluster://`, `redis[s]+sentinel://` or `unix://`.

    Raises:
        ValueError: it cannot be used; the message does not repeat it, for it may hold a password.
    """
    try:
        return _read(urlsplit(url))
    except ValueError:
        raise ValueError(
            "redis.url is not a URL that Redis understands: expected redis://[user:password@]host:port/db, rediss://, "
            "redis+cluster://[user:password@]host:port[,host:port...] (without a db), "
            "redis+sentinel://[user:password@]host:port[,host:port...]/service[/db] or unix:///path/to/socket, "
            "with / : @ # ? in a password written as %2F %3A %40 %23 %3F and no options but db, username, password, "
            "client_name, sentinel_username, sentinel_password and ssl_..."
        ) from None


def _read(parts: SplitResult) -> RedisUrl:
    if parts.scheme not in _SCHEMES:
        raise ValueError(parts.scheme)
    if parts.scheme == "unix":
        return _made(parts, "server", (), "", _options(parts))
    scheme, _, kind = parts.scheme.partition("+")
    hosts = _hosts(parts, _SENTINEL_PORT if kind == "sentinel" else _PORT)
    path = parts.path.strip("/")
    service, _, db = path.partition("/") if kind == "sentinel" else ("", "", path)
    if (kind == "cluster" and db) or (kind == "sentinel" and not service) or (not kind and len(hosts) > 1):
        raise ValueError(kind)
    if db and not db.isdigit():
        raise ValueError(db)
    credentials = parts.netloc.rpartition("@")[0]
    one_host = f"{credentials}@" if kind else parts.netloc
    options = _options(parts._replace(scheme=scheme, netloc=one_host, path=f"/{db}"))
    if kind == "cluster" and options.pop("db", 0):
        raise ValueError(kind)
    return _made(parts, kind or "server", hosts, unquote(service), options)


def _options(parts: SplitResult) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_url(parts.geturl()))
    known = _OPTIONS | _OF_SENTINELS.keys()
    if any(name not in known and not name.startswith("ssl_") for name in options):
        raise ValueError
    return options


def _made(parts: SplitResult, kind: str, hosts: Sequence[Address], service: str, options: dict[str, Any]) -> RedisUrl:
    of_sentinels = {ours: options.pop(said) for said, ours in _OF_SENTINELS.items() if said in options}
    if of_sentinels and kind != "sentinel":
        raise ValueError(kind)
    connection_class = options.pop("connection_class", Connection)
    encryption = {name: value for name, value in options.items() if name.startswith("ssl_")}
    name = f"unix://{parts.path}" if parts.scheme == "unix" else _name(parts, hosts)
    return RedisUrl(name, kind, hosts, service, connection_class, options, encryption | of_sentinels)


def _hosts(parts: SplitResult, port: int) -> list[Address]:
    return [_address(host, port) for host in parts.netloc.rpartition("@")[2].split(",")]


def _address(host: str, port: int) -> Address:
    parts = urlsplit(f"//{host}")
    return unquote(parts.hostname or "localhost"), parts.port or port


def _at(address: Address) -> dict[str, Any]:
    return {"host": address[0], "port": address[1]}


def _name(parts: SplitResult, hosts: Sequence[Address]) -> str:
    shown = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in hosts]
    return f"{parts.scheme}://{','.join(shown)}{parts.path.rstrip('/')}"
