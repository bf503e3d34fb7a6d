"""Startup checks of who is let in: a warning for each door that may be wider open than somebody meant."""

from collections.abc import Callable

import structlog

from app.domain.access import Area
from app.infrastructure.settings.network_access import needlessly_open, open_by_address, open_to_any_page
from app.infrastructure.settings.settings import Settings

log = structlog.get_logger()

OPEN_BEHIND_PROXY = (
    "a proxy stands in front, and this service is open because it listens on loopback: everybody who "
    "reaches the proxy is let in without a key; "
    "list in security.anonymous what needs none, such as [search, health]"
)


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
    if settings.security.trusted_proxies and (opened := open_by_address(settings)):
        log.warning(OPEN_BEHIND_PROXY, named_in="security.trusted_proxies", areas=_named(opened))


def warn_of_proxy(settings: Settings) -> Callable[[str], None] | None:
    """Give what is to hear of the first header that a proxy has added; None where nothing is open by the address."""
    opened = open_by_address(settings)
    return (lambda header: log.warning(OPEN_BEHIND_PROXY, header=header, areas=_named(opened))) if opened else None


def _named(areas: frozenset[Area]) -> str:
    return ", ".join(sorted(areas))
