"""What follows from where the service listens: what is open to everybody, and what is limited."""

from collections.abc import Mapping
from ipaddress import ip_address
from math import isfinite

from app.application.ports.limits import Bucket, Rate
from app.domain.access import OPEN_ELSEWHERE, OPEN_ON_LOOPBACK, Area
from app.infrastructure.settings.settings import Settings

RATES_ELSEWHERE: dict[Bucket, Rate] = {
    Bucket.SEARCH: Rate(500, 1000),
    Bucket.INGEST: Rate(200, 400),
    Bucket.READS: Rate(50, 100),
    Bucket.CHANGES: Rate(5, 20),
}
"""For one key, or one address without a key, when the service listens beyond loopback."""


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


def open_by_address(settings: Settings) -> frozenset[Area]:
    """Say what is open only because the service listens on loopback."""
    by_address = settings.security.anonymous is None and is_loopback(settings.service.host)
    return OPEN_ON_LOOPBACK - OPEN_ELSEWHERE if by_address else frozenset()


def needlessly_open(settings: Settings) -> frozenset[Area]:
    """Say what is open to everybody who can reach the service, beyond what is by default."""
    return frozenset() if is_loopback(settings.service.host) else open_areas(settings) - OPEN_ELSEWHERE


def open_to_any_page(settings: Settings) -> frozenset[Area]:
    """Say what is open because only this machine reaches it, and by CORS to every page that is looked at here."""
    if "*" not in settings.security.cors_origins or not is_loopback(settings.service.host):
        return frozenset()
    return open_areas(settings) - OPEN_ELSEWHERE


def rates(settings: Settings) -> Mapping[Bucket, Rate]:
    """Say what is limited: what the settings say, else nothing on loopback and RATES_ELSEWHERE elsewhere."""
    by_address: dict[Bucket, Rate] = {} if is_loopback(settings.service.host) else RATES_ELSEWHERE
    said = {bucket: getattr(settings.rate_limits, bucket) for bucket in Bucket}
    chosen = {bucket: Rate(limit.per_second, limit.burst) for bucket, limit in said.items() if limit is not None}
    return {bucket: rate for bucket, rate in (by_address | chosen).items() if isfinite(rate.per_second)}
