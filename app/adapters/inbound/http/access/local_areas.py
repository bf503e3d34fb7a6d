"""Areas that are open because only this machine reaches the service, and who is not taken for somebody on it.

A web page can lead a name of its own to this machine (DNS rebinding); a browser here then sends what the page asks for,
and lets the page read the answers. The name still stands in `Host`. An address there is no such name, and neither is
`localhost`, which browsers look up nowhere.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import Scope

from app.adapters.inbound.http.access.access_errors import UnknownHostError
from app.domain.access import Area

HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::[0-9]*)?").fullmatch
"""A host, an IPv6 address in brackets, and perhaps a port."""


@dataclass(frozen=True, slots=True)
class LocalAreas:
    """What is open to those only who ask for this machine by an address, by `localhost`, or by one of `hosts`."""

    areas: frozenset[Area] = frozenset()
    hosts: Collection[str] = ()
    """In small letters, without a port."""

    def check(self, scope: Scope, area: Area) -> None:
        """Refuse a request of somebody unknown that asks another host.

        Raises:
            UnknownHostError: its Host is a name that may be anybody's.
        """
        if area in self.areas and not self._is_known(host := _host_of(scope)):
            raise UnknownHostError(host)

    def _is_known(self, host: str) -> bool:
        found = HOST(host.lower())
        if found is None:
            return False
        name = found[1]
        if name.startswith("["):
            return _is_address(name[1:-1])
        return name == "localhost" or _is_address(name) or name in self.hosts


def _host_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value, "latin-1")
    return ""


@lru_cache(maxsize=64)  # those who may ask say few
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
