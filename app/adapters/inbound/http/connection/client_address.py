"""Where a request comes from, and what of it is told by somebody who is trusted."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from app.domain.access import Principal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST_HOPS = 32
"""Of `X-Forwarded-For`, counted from the right."""
SITE_BITS = 64
"""Of an IPv6 address: what is behind belongs to one customer, who has 2^64 addresses to choose from."""
UNKNOWN = "unknown"


def client_of(scope: Scope, trusted: Sequence[Network]) -> str:
    """Say whom a limit counts: an IPv4 address, the /64 of an IPv6 address, or `unknown` (a Unix socket).

    `X-Forwarded-For` counts only when a trusted proxy sends it: from the right, up to the first that is none.
    """
    client = scope.get("client")
    address = _parsed(client[0]) if client else None
    if address is not None and trusted:
        address = _behind(address, scope, trusted)
    return UNKNOWN if address is None else _counted(address)


def caller_of(principal: Principal | None, scope: Scope, trusted: Sequence[Network]) -> str:
    """Say whose limit or share counts: the key's or the token's, without one the address's.

    Of a publishable key, which all visitors of a page have, that of each address by itself.
    """
    if principal is None:
        return f"address:{client_of(scope, trusted)}"
    return f"{principal.caller}@{client_of(scope, trusted)}" if principal.publishable else principal.caller


def _behind(peer: Address, scope: Scope, trusted: Sequence[Network]) -> Address:
    address = peer
    for told in _forwarded_for(scope) if _is_trusted(peer, trusted) else ():
        hop = _parsed(told)
        if hop is None:  # whoever is trusted said nothing of use
            break
        address = hop
        if not _is_trusted(hop, trusted):
            break
    return address


def _forwarded_for(scope: Scope) -> Iterable[str]:
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return reversed(b",".join(lines).decode("latin-1").rsplit(",", MOST_HOPS)[-MOST_HOPS:])


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _parsed(text: str) -> Address | None:
    """Read an address, perhaps with a port, as proxies write it; an IPv4 address in IPv6's clothes is what it is."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _counted(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, SITE_BITS), strict=False))
