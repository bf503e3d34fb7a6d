"""How a feed is asked for over a connection to an address that was checked."""

import ssl
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from json import dumps

from app.adapters.egress.addresses import AddressPolicy, Resolver, addresses_of
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.application.ports.providers import FeedRequest


@dataclass(frozen=True, kw_only=True)
class PinnedGet:
    """How a feed is asked for: with what, within which limits, at which addresses, and whom to trust."""

    limits: FetchLimits = FetchLimits()  # noqa: RUF009 - frozen
    policy: AddressPolicy = AddressPolicy()  # noqa: RUF009 - frozen
    resolver: Resolver = addresses_of
    trusted: ssl.SSLContext | None = None
    """Whom to trust for https; the certificates that httpx brings when None."""
    identified: ssl.SSLContext | None = None
    """The same with the client's certificate, for the origin of the feed; None without one."""
    request: FeedRequest = FeedRequest()  # noqa: RUF009 - frozen

    @cached_property
    def send(self) -> PinnedRequest:
        """What sends it."""
        return self._request(self.trusted)

    @cached_property
    def send_to_origin(self) -> PinnedRequest:
        """What sends it to the origin of the feed, which may know who we are."""
        return self.send if self.identified is None else self._request(self.identified)

    @cached_property
    def way(self) -> str:
        """Changes when the request does: what another one brought says nothing of what this one brings.

        Of 16 bits, so that it tells nobody a secret; empty for the request that is made when nothing is configured.
        """
        asked = self.request
        if asked == FeedRequest():
            return ""
        said = dumps([asked.method, sorted(asked.headers.items()), asked.user_agent, asked.body, asked.content_type])
        return blake2b(said.encode(), digest_size=2).hexdigest()

    def _request(self, trusted: ssl.SSLContext | None) -> PinnedRequest:
        return PinnedRequest(
            connect_timeout=self.limits.connect_timeout,
            idle_timeout=self.limits.idle_timeout,
            policy=self.policy,
            resolver=self.resolver,
            trusted=trusted,
        )
