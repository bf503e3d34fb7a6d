"""The one place that lets requests in: who it is, whether they may, and how often."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic

from starlette.types import Scope

from app.adapters.inbound.http.access.access_errors import (
    ForeignPageError,
    MisplacedKeyError,
    OriginNotAllowedError,
    RateLimitedError,
)
from app.adapters.inbound.http.access.credentials import credential_in
from app.adapters.inbound.http.access.failed_credentials import FailedCredentials
from app.adapters.inbound.http.access.local_areas import LocalAreas
from app.adapters.inbound.http.access.rate_limit_fields import rate_limit_fields
from app.adapters.inbound.http.connection.client_address import Network, caller_of, client_of
from app.adapters.inbound.http.describing.answers import Fields
from app.application.authenticate import OURS, Authenticate
from app.application.ports.limits import BUCKETS, Bucket, Quota, RateLimiter
from app.application.ports.system import HistoryUnavailableError
from app.application.ports.users import TokensUnavailableError
from app.domain.access import ALWAYS_OPEN, Area, Principal, UnauthenticatedError, check
from app.domain.publishable_keys import Publishable

UNLIMITED = frozenset({Area.PAGE, Area.HEALTH})
OPTIONAL_LOOK_UP_TIMEOUT = 0.25
"""Seconds that somebody who needs no key waits to be known all the same."""
LOOK_UP_TIMEOUT = 5.0
"""Seconds that somebody who does need one waits for a database that hangs, or for the keys of a tokens' issuer."""
STREAM_GRACE = 10.0
"""Seconds for which a stream goes on while nobody can say whether its key is good still."""
STREAM_TOKEN_LIFE = 60.0
"""Seconds after which a stream asks for its token again: nobody hears of one that was revoked."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
ONE_SECOND: Fields = ((b"retry-after", b"1"),)


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that was let in."""

    principal: Principal | None = None
    """Who it is; None for somebody unknown, where none needs to be known."""
    bucket: Bucket = Bucket.READS
    quota: Quota | None = None
    """None where nothing is limited."""

    @property
    def fields(self) -> Fields:
        """What the answer says of the limit."""
        return () if self.quota is None else rate_limit_fields(self.bucket, self.quota)


ANONYMOUS = Admission()


class Gatekeeper:
    """Lets requests into the areas of the service.

    `anonymous` are the areas that are open to everybody, those in `local` only to who asks for this machine; `limited`
    the buckets for which `limiter` has a rate. A client who sends many bad keys is answered 429 for a while, but for
    keys that are remembered as good: each may cost a look-up. Tokens cost none.
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults
        self,
        authenticate: Authenticate,
        anonymous: frozenset[Area],
        limiter: RateLimiter | None = None,
        trusted_proxies: Sequence[Network] = (),
        *,
        local: LocalAreas = LocalAreas(),  # noqa: B008 - frozen
        limited: Collection[Bucket] = frozenset(Bucket),
        failures: FailedCredentials | None = None,
        on_unauthenticated: Callable[[], None] = lambda: None,
        on_limited: Callable[[Bucket], None] = lambda _: None,
    ) -> None:
        self._authenticate = authenticate
        self._open = anonymous | ALWAYS_OPEN
        self._local = local
        self._limiter = limiter
        self._trusted = tuple(trusted_proxies)
        self._limited = frozenset(limited) if limiter else frozenset[Bucket]()
        self._on_unauthenticated = on_unauthenticated
        self._on_limited = on_limited
        self._failures = failures or FailedCredentials()
        self.search_is_free = Area.SEARCH in self._open and Bucket.SEARCH not in self._limited
        """Whether no search needs to be asked about: so that the busiest route pays nothing for those that do."""

    async def admit(self, scope: Scope, area: Area, in_body: str | None = None) -> Admission:
        """Let a request in, perhaps by the key that is in its body.

        Raises:
            UnauthenticatedError: a key is needed, and none came that is good.
            NotAllowedError: the key's role is not enough.
            OnlyActivitiesError: a publishable key is not for this.
            OriginNotAllowedError: nor is it for pages of this origin.
            MisplacedKeyError: a secret key stands in the URL.
            ForeignPageError: a browser sends it for a page of another site, and it would change something.
            UnknownHostError: no key came, and it asks for another host than those that `local` knows.
            RateLimitedError: too many requests, or too many bad keys.
            HistoryUnavailableError: a key is needed, and nobody can tell now whether this one is good.
            TokensUnavailableError: the same for a token.
        """
        try:
            principal = await self._identify(scope, area, in_body)
            admission = await self._count(scope, area, principal)  # whoever is refused counts as well
            check(principal, area, self._open)
        except UnauthenticatedError:
            self._on_unauthenticated()
            raise
        if principal is None:
            self._local.check(scope, area)
            if area is not Area.INGEST:
                _refuse_foreign_pages(scope)
        elif principal.publishable and area is Area.INGEST:
            _refuse_other_origins(scope, principal.publishable)
        return admission

    def must_be_told(self, scope: Scope, area: Area) -> bool:
        """Tell whether a request brings no key where one is needed, unless it is in its body."""
        if area in self._open:
            return False
        try:
            return credential_in(scope, area) is None
        except (UnauthenticatedError, MisplacedKeyError):
            return False

    def lasting(self, scope: Scope, area: Area) -> Callable[[], bool]:
        """Give what says, while the answer to a request that was let in lasts, whether it would be let in still.

        A stream must not outlive its key, and a slow database must not cut off all who are let in.
        """
        credential = None if area in self._open else credential_in(scope, area)
        if credential is None:
            return lambda: True
        if not credential.startswith(OURS):
            until = monotonic() + STREAM_TOKEN_LIFE
            return lambda: monotonic() < until

        known_at = monotonic()

        def is_good() -> bool:
            nonlocal known_at
            principal = self._authenticate.remembered(credential, began=True)
            if principal is not None:
                known_at = monotonic()
                return principal.role.covers(area.needs)
            return not self._authenticate.refuses(credential) and monotonic() - known_at < STREAM_GRACE

        return is_good

    def address_of(self, scope: Scope) -> str:
        """Name whoever brings no key."""
        return caller_of(None, scope, self._trusted)

    async def count(self, scope: Scope, area: Area = Area.CATALOG) -> None:
        """Count a request that leads nowhere, or of which nobody knows yet whose it is: for its address.

        Raises:
            RateLimitedError: there were too many.
        """
        await self._count(scope, area, None)

    async def _identify(self, scope: Scope, area: Area, in_body: str | None) -> Principal | None:
        is_open = area in self._open
        try:
            credential = credential_in(scope, area, in_body)
            if credential is None:
                return None
            known = self._authenticate.remembered(credential)
            return known or await self._look_up(scope, credential, OPTIONAL_LOOK_UP_TIMEOUT if is_open else None)
        except MisplacedKeyError:  # to be told in any case: it is a secret no more
            await self._count(scope, area, None)
            raise
        except (UnauthenticatedError, RateLimitedError, HistoryUnavailableError, TokensUnavailableError) as error:
            if is_open:
                return None
            if not isinstance(error, RateLimitedError):
                await self._count(scope, area, None)
            raise

    async def _look_up(self, scope: Scope, credential: str, within: float | None) -> Principal:
        is_key, client = credential.startswith(OURS), client_of(scope, self._trusted)
        if is_key and self._failures.are_too_many(client):
            raise RateLimitedError(
                "too many bad keys came from this address: send a good one a little later", ONE_SECOND
            )
        try:
            async with asyncio.timeout(within or LOOK_UP_TIMEOUT):
                return await self._authenticate(credential)
        except TimeoutError:
            if is_key:
                raise HistoryUnavailableError("the database did not say in time whether this key is good") from None
            raise TokensUnavailableError("the keys of the tokens' issuer did not come in time") from None
        except UnauthenticatedError:
            if is_key:
                self._failures.note(client)
            raise

    async def _count(self, scope: Scope, area: Area, principal: Principal | None) -> Admission:
        bucket = BUCKETS.get(area, Bucket.READS)
        if self._limiter is None or bucket not in self._limited or area in UNLIMITED:
            return Admission(principal) if principal else ANONYMOUS
        quota = await self._limiter.take(bucket, caller_of(principal, scope, self._trusted))
        if quota is not None and not quota.allowed:
            self._on_limited(bucket)
            raise RateLimitedError("too many requests: come again a little later", rate_limit_fields(bucket, quota))
        return Admission(principal, bucket, quota)


def _refuse_other_origins(scope: Scope, may: Publishable) -> None:
    """Refuse a publishable key that comes from elsewhere than the pages that it is for.

    Raises:
        OriginNotAllowedError: it does.
    """
    found = dict(scope["headers"]).get(b"origin")
    origin = None if found is None else found.decode("latin-1")
    if may.admits(origin):
        return
    if origin is None:
        raise OriginNotAllowedError("this key is for web pages, and no page sent this (no Origin): send a secret key")
    raise OriginNotAllowedError(f"this key is not for pages of {origin[:100]!r}")


def _refuse_foreign_pages(scope: Scope) -> None:
    """Refuse what a browser sends for a page of somebody else: being on loopback is no consent (Fetch Metadata).

    Activities are another matter: pages of other sites are meant to send them. A browser that knows no Fetch Metadata
    says at least the page's origin; behind a proxy that changes `Host` that says nothing.

    Raises:
        ForeignPageError: a browser says so.
    """
    if scope["method"] in READING:
        return
    headers = dict(scope["headers"])
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        is_foreign = site not in (b"none", b"same-origin")
    else:
        is_foreign = origin is not None and origin.rpartition(b"://")[2] != headers.get(b"host")
    if is_foreign:
        raise ForeignPageError
