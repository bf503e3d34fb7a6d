"""How a feed is asked for over a connection to an address that was checked."""

import ssl
from dataclasses import dataclass
from functools import cached_property

from app.adapters.egress.addresses import AddressPolicy, Resolver, addresses_of
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.outbound.providers.fetched_feed import FetchLimits


@dataclass(frozen=True, kw_only=True)
class PinnedGet:
    """How a feed is asked for: within which limits, at which addresses, and whom to trust."""

    limits: FetchLimits = FetchLimits()  # noqa: RUF009 - frozen
    policy: AddressPolicy = AddressPolicy()  # noqa: RUF009 - frozen
    resolver: Resolver = addresses_of
    trusted: ssl.SSLContext | None = None
    """Whom to trust for https; the certificates that httpx brings when None."""

    @cached_property
    def send(self) -> PinnedRequest:
        """What sends it."""
        return PinnedRequest(
            connect_timeout=self.limits.connect_timeout,
            idle_timeout=self.limits.idle_timeout,
            policy=self.policy,
            resolver=self.resolver,
            trusted=self.trusted,
        )
