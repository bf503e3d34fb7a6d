"""Which network addresses we may connect to. A URL that somebody gave us must not be a way into our own network."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from app.adapters.egress.look_ups import LookUps

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""A host and a port -> its addresses as text; raises OSError."""

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the IPv4 address is in the last 32 bits
_NOT_PUBLIC = (
    # What older Pythons take for global:
    ip_network("192.0.0.0/24"),  # protocol assignments, and what clouds have put there
    ip_network("192.88.99.0/24"),  # the relays of 6to4, which are no more
    ip_network("3fff::/20"),  # documentation
    # What all of them do:
    ip_network("168.63.129.16/32"),  # Azure's agent of the host
)


class AddressRefusedError(Exception):
    """A host has an address that is not allowed; the message names both."""


class NoAddressError(Exception):
    """A host has no addresses, or nobody told them in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Public addresses are allowed, all others are not, unless the configuration says so."""

    allow_private_networks: bool = False
    """Allow every address."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Allow these, too."""

    def allows(self, address: Address) -> bool:
        """Judge an address, and the IPv4 address that an IPv6 address stands for."""
        if self.allow_private_networks or any(address in network for network in self.allowed_networks):
            return True
        embedded = _embedded(address)
        if embedded is not None:
            return self.allows(embedded)
        if any(address in network for network in _NOT_PUBLIC):
            return False
        # Not global: private, loopback, link-local, shared (100.64.0.0/10), kept for documentation, unspecified.
        return address.is_global and not (address.is_multicast or address.is_reserved or _is_site_local(address))

    def check(self, host: str, addresses: Sequence[str]) -> list[Address]:
        """Take the addresses that a host has; one that is not allowed is enough to refuse the host.

        Raises:
            AddressRefusedError: it names the host and the address.
        """
        checked = [ip_address(address.partition("%")[0]) for address in addresses]
        for address in checked:
            if not self.allows(address):
                raise AddressRefusedError(
                    f"{host} has the address {address}, expected a public one (allow_private_networks allows others)"
                )
        return checked


addresses_of = LookUps()
"""Asks the system's resolver."""


async def resolve(host: str, port: int, resolver: Resolver, within: float) -> Sequence[str]:
    """Find a host's addresses within some seconds.

    Raises:
        NoAddressError: there are none, or nobody told in time.
    """
    try:
        async with asyncio.timeout(within):
            found = await resolver(host, port)
    except TimeoutError as error:
        notes = getattr(error.__cause__, "__notes__", ())  # of the resolver that was cancelled
        why = "".join(f" ({note})" for note in notes)
        raise NoAddressError(f"the addresses of {host} were not found within {within:g} s{why}") from None
    except (OSError, UnicodeError) as error:
        raise NoAddressError(f"the addresses of {host} were not found: {error}") from error
    if not found:
        raise NoAddressError(f"{host} has no addresses")
    return found


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _is_site_local(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address.is_site_local
