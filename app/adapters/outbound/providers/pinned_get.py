"""One GET over a connection to an address that was checked, so that no second look-up can lead elsewhere."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address

import httpx

from app.adapters.outbound.providers.addresses import Address, AddressPolicy, Resolver, addresses_of, resolve
from app.adapters.outbound.providers.fetched_feed import FetchLimits
from app.adapters.outbound.providers.urls import port_of


@dataclass(frozen=True, kw_only=True)
class PinnedGet:
    """Sends a GET to the checked addresses of a host, one after the other until one takes the connection.

    It asks httpx's transport and not its client: the client would follow the environment's proxies and write the whole
    URL, with what is secret in it, to the log.
    """

    limits: FetchLimits = FetchLimits()  # noqa: RUF009 - frozen
    policy: AddressPolicy = AddressPolicy()  # noqa: RUF009 - frozen
    resolver: Resolver = addresses_of
    trusted: ssl.SSLContext | None = None
    """Whom to trust for https; the certificates that httpx brings when None."""

    @asynccontextmanager
    async def __call__(self, url: httpx.URL, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """Give the response as soon as its headers are there; its body is to be read inside the block.

        Raises:
            FeedRefusedError: an address of the host is not allowed.
            FeedUnavailableError: the host has no addresses.
            httpx.TransportError: the connection was not to be had.
        """
        host = url.raw_host.decode("ascii")
        found = await resolve(host, port_of(url), self.resolver, self.limits.connect_timeout)
        addresses = self.policy.check(host, found)
        # No connection is kept: one to this address may have been made for another name.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits) as transport:
            response = await self._first_answer(transport, url, headers, addresses)
            try:
                yield response
            finally:
                await response.aclose()

    async def _first_answer(
        self, transport: httpx.AsyncHTTPTransport, url: httpx.URL, headers: Mapping[str, str], addresses: list[Address]
    ) -> httpx.Response:
        *others, last = addresses
        for address in others:
            try:
                return await transport.handle_async_request(self._request(url, headers, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await transport.handle_async_request(self._request(url, headers, last))

    def _request(self, url: httpx.URL, headers: Mapping[str, str], address: Address) -> httpx.Request:
        host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        timeout = httpx.Timeout(self.limits.idle_timeout, connect=self.limits.connect_timeout)
        return httpx.Request(
            "GET",
            url.copy_with(host=host, userinfo=b"", fragment=None),
            headers={"Host": url.netloc.decode("ascii"), **headers},
            # The name of the certificate is the host's, not the address's.
            extensions={"timeout": timeout.as_dict(), "sni_hostname": url.raw_host.decode("ascii")},
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.trusted or httpx.create_ssl_context(trust_env=False)
