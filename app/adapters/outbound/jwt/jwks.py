"""The public keys of a tokens' issuer (JWKS, RFC 7517): fetched, remembered, and kept when the issuer is away."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from warnings import catch_warnings, simplefilter

import httpx
import structlog
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from app.adapters.egress.addresses import AddressRefusedError, NoAddressError
from app.adapters.egress.pinned_request import PinnedRequest
from app.application.ports.users import TokensUnavailableError
from app.application.single_flight import SingleFlight

log = structlog.get_logger()

PublicKey = RSAKey | ECKey | OKPKey

LARGEST = 256 * 1024
"""Bytes of a document; one with two keys has about 1,000."""
MOST_KEYS = 100
PAUSE = 10.0
"""Seconds between two fetches that a failure or an unknown key asks for."""
SHORT_PAUSE = 1.0
"""The same while there are no keys at all."""
HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
KEY_TYPES = {"RSA", "EC", "OKP"}
"""None that is shared: with one of those, whoever can verify can sign."""


class _NoKeysError(Exception):
    """A fetch brought no keys; the message says why."""


@dataclass(slots=True)
class Jwks:
    """The keys at a URL. One fetch at a time, for all who need it: whoever leaves meanwhile does not end it.

    Nobody who has usable keys waits for a fetch, unless the key that is asked for is not among them.
    """

    url: str
    """It has no redirects, and no secret in it."""
    send: PinnedRequest
    cache: float = 300.0
    """Seconds for which keys are good without asking again."""
    stale: float = 86400.0
    """Seconds for which they are good beyond that while the issuer cannot be asked."""
    within: float = 4.0
    """Seconds for a whole fetch; less than a request waits to be let in, so that it hears what is wrong."""
    now: Callable[[], float] = monotonic
    """Seconds by a clock that nobody sets."""
    _keys: Sequence[PublicKey] = field(default=(), init=False)
    _fetched_at: float = field(default=float("-inf"), init=False)
    _tried_at: float = field(default=float("-inf"), init=False)
    _reason: str = field(default="", init=False)
    """Why the last fetch brought no keys; empty when it did."""
    _told: tuple[str, bool] = field(default=("", True), init=False)
    """What the log knows: the reason, and whether there were usable keys all the same."""
    _flight: SingleFlight[None] = field(init=False)

    def __post_init__(self) -> None:
        self._flight = SingleFlight(self._refresh)

    async def keys(self) -> Sequence[PublicKey]:
        """Give the keys.

        Raises:
            TokensUnavailableError: there are none that may be believed, and none were to be had.
        """
        if self._age() > self.cache and self._is_due():
            self._flight.begin()
            if not self._usable():
                await self._flight()
        if not self._usable():
            raise TokensUnavailableError(f"the keys of the tokens' issuer cannot be had: {self._reason}")
        return self._keys

    async def keys_after_a_look(self) -> Sequence[PublicKey]:
        """Give the keys, fetched anew if that was not just done: for a token that names one that is not among them."""
        if self._is_due():
            await self._flight()
        return await self.keys()

    def _is_due(self) -> bool:
        """Tell whether to fetch, or to wait for a fetch that goes on: not when the last one ended just now."""
        pause = PAUSE if self._usable() else SHORT_PAUSE
        return self._flight.is_flying or self.now() - self._tried_at >= pause

    async def _refresh(self) -> None:
        began = self.now()
        try:
            self._keys, self._reason = await self._fetch(), ""
            self._fetched_at = began
        except _NoKeysError as error:
            self._reason = str(error)
        finally:
            self._tried_at = self.now()  # the end of it: whoever waited meanwhile does not try again at once
        self._tell()

    def _tell(self) -> None:
        """Say once what changed."""
        told, self._told = self._told, (self._reason, self._usable())
        if self._told == told:
            return
        if self._reason:
            log.warning("the keys of the tokens' issuer cannot be had", reason=self._reason, usable=self._usable())
        else:
            log.info("the keys of the tokens' issuer are to be had again")

    def _age(self) -> float:
        return self.now() - self._fetched_at

    def _usable(self) -> bool:
        return bool(self._keys) and self._age() <= self.cache + self.stale

    async def _fetch(self) -> Sequence[PublicKey]:
        try:
            async with asyncio.timeout(self.within), self.send("GET", httpx.URL(self.url), HEADERS) as response:
                return _read(await _body_of(response))
        except TimeoutError:
            raise _NoKeysError(f"nothing whole came within {self.within:g} s") from None
        except (AddressRefusedError, NoAddressError) as error:
            raise _NoKeysError(str(error)) from error
        except (httpx.HTTPError, OSError) as error:
            raise _NoKeysError(f"{type(error).__name__} {error}".rstrip()) from error


async def _body_of(response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        raise _NoKeysError(f"expected 200, found {response.status_code}")
    coding = response.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise _NoKeysError(f"expected a body as it is, found Content-Encoding {coding[:40]!r}")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > LARGEST:
            raise _NoKeysError(f"expected at most {LARGEST:,} bytes, found more")
    return bytes(body)


def _read(body: bytes) -> Sequence[PublicKey]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _NoKeysError("expected JSON") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise _NoKeysError('expected an object such as {"keys": [...]}')
    keys = [key for entry in entries[:MOST_KEYS] if (key := _key_of(entry)) is not None]
    if not keys:
        raise _NoKeysError("none of the keys there can be used to verify signatures")
    return keys


def _key_of(entry: Any) -> PublicKey | None:
    """Read one key; None for one that cannot be used here, so that it does not spoil the others (RFC 7517, 5)."""
    if not isinstance(entry, dict) or str(entry.get("kty")) not in KEY_TYPES:
        return None
    if entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid", ""), str):
        return None
    try:
        with catch_warnings():
            simplefilter("error", SecurityWarning)  # which an RSA key of less than 2,048 bits gets
            key = JWKRegistry.import_key(_public(entry))
    except (JoseError, SecurityWarning, ValueError, TypeError, KeyError, OverflowError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _public(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is private, should somebody have published it."""
    return {
        name: value for name, value in entry.items() if name in {"kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"}
    }
