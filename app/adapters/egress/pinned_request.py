"""Requests over connections to addresses that were checked, so that no second look-up can lead elsewhere."""

import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv6Address
from time import monotonic
from typing import Any, Self

import httpx

from app.adapters.egress.addresses import Address, AddressPolicy, Resolver, addresses_of, resolve

LONGEST_IDLE = 3.0
"""Seconds for which a connection that nobody uses is kept: less than most servers do."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout)

Place = tuple[str, str, int, Address]
"""Where a connection leads: scheme, name, port, and the address of that name."""


def port_of(url: httpx.URL) -> int:
    """Give the port, be it said or not."""
    return url.port or _DEFAULT_PORTS[url.scheme]


class _EndedError(Exception):
    """A connection that was made before is not there any more."""


class _Connection:
    """A connection that is made at its first request and, when it has ended, not made again."""

    def __init__(self, place: Place, tls: ssl.SSLContext) -> None:
        self.place = place
        self.idle_since = 0.0
        limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
        self._transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits)
        self._stream: Any = None

    async def ask(self, request: httpx.Request) -> httpx.Response:
        request.extensions["trace"] = self._hear
        try:
            return await self._transport.handle_async_request(request)
        except BaseException:
            await self.aclose()
            raise

    def is_drained(self) -> bool:
        """Say whether all that came was read, so that what comes next answers the next request.

        What was not may be with h11, anyio, the system or TLS. The first two do not say so in public: when they are not
        as they were, this is False.
        """
        try:
            pool: Any = self._transport._pool  # noqa: SLF001 - see above, and so on
            [pooled] = pool.connections
            with_h11 = pooled._connection._h11_state.trailing_data  # noqa: SLF001
            stream = self._stream._stream  # noqa: SLF001
            with_anyio = getattr(stream, "transport_stream", stream)._protocol.read_event.is_set()  # noqa: SLF001
        except (AttributeError, TypeError, ValueError):  # ValueError also when the connection has ended
            return False
        if with_h11 != (b"", False) or with_anyio or self._stream.get_extra_info("is_readable"):
            return False
        tls = self._stream.get_extra_info("ssl_object")
        return tls is None or _is_read(tls)

    async def aclose(self) -> None:
        async with AsyncExitStack() as stack:
            if self._stream:  # which the transport forgets when it is cancelled during the handshake
                stack.push_async_callback(self._stream.aclose)
            stack.push_async_callback(self._transport.aclose)

    async def _hear(self, event: str, said: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started" and self._stream:
            raise _EndedError
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = said["return_value"]


def _is_read(tls: ssl.SSLObject) -> bool:
    """Ask for one byte more: when there is one, or the end, the connection is of no use."""
    try:
        tls.read(1)
    except ssl.SSLError as error:
        return isinstance(error, ssl.SSLWantReadError)
    return False


@dataclass(slots=True)
class KeptConnections:
    """Connections that are used by one request after the other, and closed at the end of this context.

    Each only for the name that it was made for: another name of the same address may have another certificate. None
    over which more came than the answer: it would pass for the next one. There are never more than there were requests
    at a time; all requests must have ended before the context does.
    """

    longest_idle: float = LONGEST_IDLE
    _idle: list[_Connection] = field(default_factory=list, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close(len(self._idle))

    async def take(self, places: Collection[Place]) -> _Connection | None:
        """Give the one that was used last of those that lead to one of these places.

        Without one, one that leads elsewhere makes room for the one that the caller is going to make.
        """
        oldest = monotonic() - self.longest_idle
        await self._close(sum(connection.idle_since < oldest for connection in self._idle))
        while connection := self._last_to(places):
            self._idle.remove(connection)
            if connection.is_drained():  # still: something may have come meanwhile, if only the end
                return connection
            await connection.aclose()
        await self._close(1)
        return None

    async def put(self, connection: _Connection) -> None:
        """Keep one, or close it when it cannot be used again."""
        if not connection.is_drained():
            await connection.aclose()
            return
        connection.idle_since = monotonic()
        self._idle.append(connection)

    def _last_to(self, places: Collection[Place]) -> _Connection | None:
        return next((connection for connection in reversed(self._idle) if connection.place in places), None)

    async def _close(self, number: int) -> None:
        """Close the oldest, all of them also when this is cancelled."""
        closing, self._idle[:] = self._idle[:number], self._idle[number:]
        async with AsyncExitStack() as stack:
            for connection in closing:
                stack.push_async_callback(connection.aclose)


@dataclass(frozen=True, kw_only=True)
class PinnedRequest:
    """Sends a request to the checked addresses of a host, one after the other until one takes the connection.

    It follows no redirects. It asks httpx's transport and not its client: the client would follow the environment's
    proxies and write the whole URL, with what is secret in it, to the log.
    """

    connect_timeout: float = 5
    """For finding the host's addresses, and for connecting to each of them."""
    idle_timeout: float = 15
    """For the silence between two pieces of an answer."""
    policy: AddressPolicy = AddressPolicy()  # noqa: RUF009 - frozen
    resolver: Resolver = addresses_of
    trusted: ssl.SSLContext | None = None
    """Whom to trust for https; the certificates that httpx brings when None."""

    @asynccontextmanager
    async def __call__(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None = None,
        kept: KeptConnections | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Give the response as soon as its headers are there; its body is to be read inside the block.

        A request that a connection of `kept` ends at, before there is an answer, is sent once more over a new one.

        Raises:
            AddressRefusedError: an address of the host is not allowed.
            NoAddressError: the host has no addresses.
            httpx.TransportError: the connection was not to be had.
        """
        host = url.raw_host.decode("ascii")
        found = await resolve(host, port_of(url), self.resolver, self.connect_timeout)
        addresses = self.policy.check(host, found)
        requests = {
            (url.scheme, host, port_of(url), address): self._request(method, url, headers, content, address)
            for address in addresses
        }
        async with AsyncExitStack() as stack:
            if kept is None:
                kept = await stack.enter_async_context(KeptConnections())
            connection, response = await self._first_answer(requests, kept)
            stack.push_async_callback(kept.put, connection)
            stack.push_async_callback(response.aclose)
            yield response

    async def _first_answer(
        self, requests: Mapping[Place, httpx.Request], kept: KeptConnections
    ) -> tuple[_Connection, httpx.Response]:
        known = await kept.take(requests)
        if known:  # a server may have ended it meanwhile, seen or unseen
            with suppress(_EndedError, httpx.NetworkError, httpx.RemoteProtocolError, ssl.SSLError):
                return known, await known.ask(requests[known.place])
        *others, last = requests
        for place in others:
            with suppress(*_NO_CONNECTION):
                return await self._anew(place, requests)
        return await self._anew(last, requests)

    async def _anew(self, place: Place, requests: Mapping[Place, httpx.Request]) -> tuple[_Connection, httpx.Response]:
        connection = _Connection(place, self._tls)
        return connection, await connection.ask(requests[place])

    def _request(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None, address: Address
    ) -> httpx.Request:
        host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        timeout = httpx.Timeout(self.idle_timeout, connect=self.connect_timeout)
        return httpx.Request(
            method,
            url.copy_with(host=host, userinfo=b"", fragment=None),
            headers={"Host": url.netloc.decode("ascii"), **headers},
            content=content,
            # The name of the certificate is the host's, not the address's.
            extensions={"timeout": timeout.as_dict(), "sni_hostname": url.raw_host.decode("ascii")},
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.trusted or httpx.create_ssl_context(trust_env=False)
