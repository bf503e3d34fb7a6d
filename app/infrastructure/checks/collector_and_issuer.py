"""Checks of what else the settings name: the collector of traces, and the keys of a tokens' issuer."""

from collections.abc import Sequence
from importlib.util import find_spec
from urllib.parse import urlsplit, urlunsplit

import httpx

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.egress.pinned_request import PinnedRequest
from app.adapters.outbound.jwt.jwks import Jwks
from app.application.check_installation import Check, Finding, Verdict
from app.application.ports.users import TokensUnavailableError
from app.infrastructure.settings.access_settings import Jwt
from app.infrastructure.settings.settings import Settings

TELEMETRY = "telemetry.otlp_endpoint"
JWKS = "security.jwt.jwks_url"


def check_others(settings: Settings) -> list[Check]:
    """Check those that are configured."""
    checks = []
    if endpoint := settings.telemetry.otlp_endpoint:
        checks.append(Check(TELEMETRY, lambda: _collector(endpoint)))
    if jwt := settings.security.jwt:
        checks.append(Check(JWKS, lambda: _issuer(jwt)))
    return checks


async def _collector(endpoint: str) -> Sequence[Finding]:
    """Ask whether anything answers there; a collector refuses a GET, and that is an answer."""
    if find_spec("opentelemetry") is None:
        return [Finding(TELEMETRY, Verdict.PROBLEM, "the extra is missing", 'install "marquee-events[telemetry]"')]
    parts = urlsplit(endpoint)
    shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    try:
        async with httpx.AsyncClient(trust_env=False) as client, client.stream("GET", endpoint) as response:
            return [Finding(TELEMETRY, Verdict.OK, f"{shown} answers ({response.status_code} to a GET)")]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        words = f"{shown} cannot be reached ({type(error).__name__}): traces get lost, and nothing else"
        return [Finding(TELEMETRY, Verdict.WARNING, words, "start the collector, or correct the endpoint")]


async def _issuer(jwt: Jwt) -> Sequence[Finding]:
    send = PinnedRequest(policy=AddressPolicy(allow_private_networks=jwt.allow_private_networks))
    try:
        keys = await Jwks(jwt.jwks_url, send).keys()
    except TokensUnavailableError as error:
        return [Finding(JWKS, Verdict.PROBLEM, str(error), "correct the url, or ask the issuer")]
    return [Finding(JWKS, Verdict.OK, f"{urlsplit(jwt.jwks_url).netloc.rpartition('@')[2]} gave {len(keys)} keys")]
