"""The settings of who may do what, and how much of it."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import inf
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.domain.access import OPENABLE, Area, Role
from app.infrastructure.settings.settings_section import Seconds, SettingsSection

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of signatures with a public key; none that a shared secret or nothing at all would pass."""

_EXPECTED_RATE = "auto, none, or {per_second: 50, burst: 100}"


def _origin(origin: str) -> str:
    if origin != "*" and not re.fullmatch(r"https?://[^/?#\s]+", origin):
        raise ValueError(f"{origin!r} is no origin; expected one such as https://app.example.com, or *")
    return origin


def _host(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", name):
        raise ValueError(f"{name!r} is no name of a host; expected one such as marquee.example.com, without a port")
    return name.lower()


def _areas(said: Any) -> Any:
    if said is None or said == "auto":
        return None
    if not isinstance(said, list | tuple) or not all(isinstance(area, str) and area in OPENABLE for area in said):
        raise ValueError(f"expected auto, or a list of {', '.join(sorted(OPENABLE))}")
    return said


def _network(said: Any) -> Any:
    try:
        return ip_network(said)
    except ValueError:
        raise ValueError(f"expected an address or a network such as 10.0.0.0/8, found {said!r}") from None


def _rate(said: Any) -> Any:
    if said is None or said in ("auto", "none"):
        return UNLIMITED if said == "none" else None
    if not isinstance(said, dict | Allowance):
        raise ValueError(f"expected {_EXPECTED_RATE}")  # noqa: TRY004 - pydantic's way to say it
    return said


class Jwt(SettingsSection):
    """Tokens of another issuer that are taken beside our keys."""

    issuer: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)]
    jwks_url: Annotated[str, Field(pattern=r"^https?://")]
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256", "ES256", "EdDSA")
    scopes: dict[str, Role] = Field(default={f"marquee:{role}": role for role in Role})
    cache: Seconds = 300.0
    stale: Annotated[float, Field(ge=0, le=30 * 86400)] = 86400.0
    leeway: Annotated[float, Field(ge=0, le=600)] = 30.0
    allow_private_networks: bool = False


class Security(SettingsSection):
    """Who may do what."""

    anonymous: Annotated[tuple[Area, ...] | None, BeforeValidator(_areas)] = None
    """None: as the address has it (`network_access.py`)."""
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    """By which names, beside localhost, a service on loopback may be asked without a key."""
    key_grace: Annotated[float, Field(ge=0, le=30 * 86400)] = 3600.0
    jwt: Jwt | None = None
    trusted_proxies: tuple[Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)], ...] = ()
    cors_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = ()


class Allowance(SettingsSection):
    """A token bucket."""

    per_second: Annotated[float, Field(gt=0, le=1_000_000)]
    burst: Annotated[int, Field(ge=1, le=1_000_000)]


UNLIMITED = Allowance.model_construct(per_second=inf, burst=0)
RateLimit = Annotated[Allowance | None, BeforeValidator(_rate)]
"""None: as the address has it (`network_access.py`)."""


class RateLimitSettings(SettingsSection):
    """How much one key, or one address without a key, may ask for."""

    search: RateLimit = None
    ingest: RateLimit = None
    reads: RateLimit = None
    changes: RateLimit = None

    @model_validator(mode="before")
    @classmethod
    def _has_keys(cls, said: Any) -> Any:
        if not isinstance(said, dict | cls):
            raise ValueError(  # noqa: TRY004 - as above
                f"expected {', '.join(cls.model_fields)} beneath it, each {_EXPECTED_RATE}"
            )
        return said
