"""What follows from where the service listens: what is open to everybody, and what is limited."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from math import isfinite
from typing import TYPE_CHECKING

import structlog

from app.application.ports.limits import Bucket, Rate
from app.domain.access import OPEN_ELSEWHERE, OPEN_ON_LOOPBACK, Area
from app.infrastructure.settings.settings import Settings

if TYPE_CHECKING:
    from app.adapters.inbound.http.access.local_areas import LocalAreas

log = structlog.get_logger()

RATES_ELSEWHERE: dict[Bucket, Rate] = {
    Bucket.SEARCH: Rate(500, 1000),
    Bucket.INGEST: Rate(200, 400),
    Bucket.READS: Rate(50, 100),
    Bucket.CHANGES: Rate(5, 20),
}
"""For one key, or one address without a key, when the service listens beyond loopback."""
OPEN_BEHIND_PROXY = (
    "a proxy stands in front, and this service is open because it listens on loopback: everybody who "
    "reaches the proxy is let in without a key; "
    "list in security.anonymous what needs none, such as [search, health]"
)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host; a name other than localhost may lead anywhere."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def open_areas(settings: Settings) -> frozenset[Area]:
    """Say what needs no key: what the settings list, else by the address."""
    listed = settings.security.anonymous
    if listed is not None:
        return frozenset(listed)
    return OPEN_ON_LOOPBACK if is_loopback(settings.service.host) else OPEN_ELSEWHERE


def local_only(settings: Settings) -> "LocalAreas":
    """Say what is open only because the service listens on loopback, and by which names this machine is asked."""
    from app.adapters.inbound.http.access.local_areas import LocalAreas  # noqa: PLC0415 - the supervisor serves no HTTP

    security = settings.security
    by_address = security.anonymous is None and is_loopback(settings.service.host)
    return LocalAreas(OPEN_ON_LOOPBACK - OPEN_ELSEWHERE if by_address else frozenset(), security.hosts)


def needlessly_open(settings: Settings) -> frozenset[Area]:
    """Say what is open to everybody who can reach the service, beyond what is by default."""
    return frozenset() if is_loopback(settings.service.host) else open_areas(settings) - OPEN_ELSEWHERE


def rates(settings: Settings) -> Mapping[Bucket, Rate]:
    """Say what is limited: what the settings say, else nothing on loopback and RATES_ELSEWHERE elsewhere."""
    by_address: dict[Bucket, Rate] = {} if is_loopback(settings.service.host) else RATES_ELSEWHERE
    said = {bucket: getattr(settings.rate_limits, bucket) for bucket in Bucket}
    chosen = {bucket: Rate(limit.per_second, limit.burst) for bucket, limit in said.items() if limit is not None}
    return {bucket: rate for bucket, rate in (by_address | chosen).items() if isfinite(rate.per_second)}


def warn_of_open_doors(settings: Settings) -> None:
    """Say at each start what everybody who can reach the service may do, beyond what they may by default."""
    if opened := needlessly_open(settings):
        log.warning("security.anonymous opens this to everybody who can reach the service", areas=_named(opened))
    if opened := open_to_any_page(settings):
        log.warning(
            "security.cors_origins has *: any web page that is opened on this machine may ask for this and read it; "
            "name the origins that may, or list in security.anonymous what needs no key",
            areas=_named(opened),
        )
    if settings.security.trusted_proxies and (opened := local_only(settings).areas):
        log.warning(OPEN_BEHIND_PROXY, named_in="security.trusted_proxies", areas=_named(opened))


def open_to_any_page(settings: Settings) -> frozenset[Area]:
    """Say what is open because only this machine reaches it, and by CORS to every page that is looked at here."""
    if "*" not in settings.security.cors_origins or not is_loopback(settings.service.host):
        return frozenset()
    return open_areas(settings) - OPEN_ELSEWHERE


def warn_of_proxy(settings: Settings) -> Callable[[str], None] | None:
    """Give what is to hear of the first header that a proxy has added; None where nothing is open by the address."""
    opened = local_only(settings).areas
    if not opened:
        return None

    def warn(header: str) -> None:
        log.warning(OPEN_BEHIND_PROXY, header=header, areas=_named(opened))

    return warn


def _named(areas: frozenset[Area]) -> str:
    return ", ".join(sorted(areas))
