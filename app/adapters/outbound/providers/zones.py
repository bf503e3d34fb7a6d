"""The zones of an item. A large feed has a million of them: what is done for each decides how long a sync takes."""

from collections.abc import Callable
from typing import Any, TypeVar

from lxml import etree
from lxml.etree import _Element

from app.adapters.outbound.providers import values
from app.adapters.outbound.providers.dialects import ZONE
from app.adapters.outbound.providers.ignored import IgnoredNames
from app.adapters.outbound.providers.values import UnusableError, line_of, required
from app.domain.feeds import RejectionReason
from app.domain.plans import Zone

MAX_ZONES = 10_000
ZONE_ATTRIBUTES = frozenset(Zone._fields)  # a zone's parts are named as in the feed

_IN_ORDER = list(Zone._fields)
_REMEMBERED = 32_768

T = TypeVar("T")

# What `Zone(...)` does in the end, without its call of a Python function.
_new = tuple.__new__


class _Known(dict[str, T]):
    """Values by their text. Feeds repeat them, and finding one takes a tenth of the time of judging and building it."""

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> T:
        value = self._read(text)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = value
        return value


class ZoneReader:
    """Reads the zones of one item after the other; counts in `ignored` what it does not know."""

    def __init__(self, ignored: IgnoredNames) -> None:
        self._ignored = ignored
        self._ids = _Known(lambda text: values.identifier("zone_id", text))
        self._capacities = _Known(values.capacity)
        self._prices = _Known(values.price)
        self._names = _Known(lambda text: values.label("name", text))
        self._numbered = _Known(lambda text: values.boolean("numbered", text))
        self._descendants = etree.XPath("count(.//*)")

    def read(self, item: _Element) -> tuple[Zone, ...]:
        """Read all zones of an item, in their order.

        Raises:
            UnusableError: one of them cannot be used; the message says which, the line is its own.
        """
        zones = self._zones(item)
        if self._descendants(item) != len(zones):
            self._ignored.children(item, ZONE)
            for zone in item.iterchildren(ZONE):
                self._ignored.children(zone, "")
        if len(zones) > MAX_ZONES:
            message = f"there are {len(zones):,} zones, expected at most {MAX_ZONES:,}"
            raise UnusableError(RejectionReason.INVALID_VALUE, message)
        return tuple(zones)

    def _zones(self, item: _Element) -> list[Zone]:
        ids, capacities, prices = self._ids, self._capacities, self._prices
        names, numbered = self._names, self._numbered
        zones = []
        for zone in item.iterchildren(ZONE):
            try:
                said: Any = zone.values() if zone.keys() == _IN_ORDER else self._in_order(zone)  # bytes in the stubs
                zone_id, capacity, price, name, seats = said
                parts = (ids[zone_id], capacities[capacity], prices[price], names[name], numbered[seats])
            except UnusableError as error:
                raise _of_zone(zone, error) from None
            zones.append(_new(Zone, parts))
        return zones

    def _in_order(self, zone: _Element) -> list[str]:
        self._ignored.attributes(ZONE, zone.keys(), ZONE_ATTRIBUTES)
        return [required(zone, name) for name in _IN_ORDER]


def _of_zone(zone: _Element, error: UnusableError) -> UnusableError:
    zone_id = zone.get("zone_id", "without id")[: values.MAX_ID]
    return UnusableError(error.reason, f"zone {zone_id}: {error.message}", line_of(zone))
