"""Zones as they are stored: JSON, of which nothing is made until somebody looks at one of them."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from itertools import compress
from typing import overload

import msgspec

from app.domain.plans import PricedZones, PriceRange, Zone

SaidZone = tuple[str, int, str, str, bool]
"""A zone with its price as text."""

_zones = msgspec.json.Decoder(tuple[Zone, ...])


class PackedZones(PricedZones):
    """Behaves as a tuple of zones; a large feed has a million of them, and a sync looks at none."""

    def __init__(self, json: str, count: int, prices: PriceRange) -> None:
        """Take the zones as JSON, at least one, with how many they are and what they cost."""
        self._json = json.encode()
        self._count = count
        self._price_range = prices

    @property
    def price_range(self) -> PriceRange:
        """See PricedZones."""
        return self._price_range

    @property
    def json(self) -> msgspec.Raw:
        """The zones as they are stored."""
        return msgspec.Raw(self._json)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Zone: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Zone, ...]: ...
    def __getitem__(self, at: int | slice) -> Zone | tuple[Zone, ...]:
        return self._zones[at]

    def __eq__(self, other: object) -> bool:
        return self._zones == (other._zones if isinstance(other, PackedZones) else other)

    def __hash__(self) -> int:
        return hash(self._zones)

    def __repr__(self) -> str:
        return repr(self._zones)

    @cached_property
    def _zones(self) -> tuple[Zone, ...]:
        return _zones.decode(self._json)


def price_range(texts: Sequence[str], numbers: Sequence[float], capacities: Sequence[int]) -> PriceRange:
    """Find the prices of what is offered, of all where nothing is; each has two decimals and 14 digits at most."""
    offered = list(compress(numbers, capacities)) or numbers if 0 in capacities else numbers
    lowest, highest = (texts[numbers.index(end(offered))] for end in (min, max))
    return PriceRange(Decimal(lowest), Decimal(highest))


def packed(value: object) -> object:
    """Give what an encoder does not know: zones that are packed already."""
    if isinstance(value, PackedZones):
        return value.json
    raise NotImplementedError(f"expected a part of a plan, found a {type(value).__name__}")
