"""One request over a connection to an address that was checked, so that no second look-up can lead elsewhere."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address

import httpx

from app.adapters.addresses import Address, AddressPolicy, Resolver, addresses_of, resolve

_DEFAULT_PORTS = {"http": 80, "https": 443}


def port_of(url: httpx.URL) -> int:
    """Give the port, be it said or not."""
    return url.port or _DEFAULT_PORTS[url.scheme]


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
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Give the response as soon as its headers are there; its body is to be read inside the block.

        Raises:
            AddressRefusedError: an address of the host is not allowed.
            NoAddressError: the host has no addresses.
            httpx.TransportError: the connection was not to be had.
        """
        host = url.raw_host.decode("ascii")
        found = await resolve(host, port_of(url), self.resolver, self.connect_timeout)
        addresses = self.policy.check(host, found)
        requests = [self._request(method, url, headers, content, address) for address in addresses]
        # No connection is kept: one to this address may have been made for another name.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits) as transport:
            response = await _first_answer(transport, requests)
            try:
                yield response
            finally:
                await response.aclose()

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


async def _first_answer(transport: httpx.AsyncHTTPTransport, requests: list[httpx.Request]) -> httpx.Response:
    *others, last = requests
    for request in others:
        try:
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await transport.handle_async_request(last)
