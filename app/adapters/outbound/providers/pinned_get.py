"""One GET of a feed over a connection to an address that was checked."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property

import httpx

from app.adapters.egress.addresses import AddressPolicy, AddressRefusedError, NoAddressError, Resolver, addresses_of
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.outbound.providers.fetched_feed import FetchLimits
from app.application.ports.providers import FeedRefusedError, FeedUnavailableError


@dataclass(frozen=True, kw_only=True)
class PinnedGet:
    """Sends a GET within the limits of a feed, and says in a feed's words what went wrong."""

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
        try:
            async with self._send("GET", url, headers) as response:
                yield response
        except AddressRefusedError as error:
            raise FeedRefusedError(str(error)) from error
        except NoAddressError as error:
            raise FeedUnavailableError(str(error)) from error

    @cached_property
    def _send(self) -> PinnedRequest:
        return PinnedRequest(
            connect_timeout=self.limits.connect_timeout,
            idle_timeout=self.limits.idle_timeout,
            policy=self.policy,
            resolver=self.resolver,
            trusted=self.trusted,
        )
