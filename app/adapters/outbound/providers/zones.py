"""The zones of an item: a quick way for those that are as they should be, a careful one to find out what is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial

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

_REMEMBERED = 32_768
# What `Zone._make` does, without its call of a Python function for each of a million zones.
_zone = partial(tuple.__new__, Zone)


class _Capacities(dict[str, int]):
    """Capacities by their text: a feed repeats them, and a look-up takes half the time of judging and building one."""

    def __missing__(self, text: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[text] = values.capacity(text)
        return value


class _Prices(dict[str, Decimal]):
    """Prices by their text: the same, and the gain is tenfold."""

    def __missing__(self, text: str) -> Decimal:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[text] = values.price(text)
        return value


class ZoneReader:
    """Reads the zones of one item after the other; counts in `ignored` what it does not know."""

    def __init__(self, ignored: IgnoredNames) -> None:
        self._ignored = ignored
        self._capacities = _Capacities()
        self._prices = _Prices()
        self._descendants = etree.XPath("count(.//*)")

    def read(self, item: _Element) -> tuple[Zone, ...]:
        """Read all zones of an item, in their order.

        Raises:
            UnusableError: one of them cannot be used; the message says which, the line is its own.
        """
        zones = list(item.iterchildren(ZONE))
        if self._descendants(item) != len(zones):
            self._ignored.children(item, ZONE)
            for zone in zones:
                self._ignored.children(zone, "")
        if len(zones) > MAX_ZONES:
            message = f"there are {len(zones):,} zones, expected at most {MAX_ZONES:,}"
            raise UnusableError(RejectionReason.INVALID_VALUE, message)
        columns = self._columns(zones)
        try:
            return self._zones(columns) if columns else self._one_by_one(zones)
        except (UnusableError, KeyError):
            return self._one_by_one(zones)

    def _columns(self, zones: Sequence[_Element]) -> Mapping[str | bytes, tuple[str, ...]] | None:
        """Turn zones that have the same attributes, whatever their order and number, into columns; None for others."""
        layout = zones[0].keys() if zones else []
        rows = [zone.values() for zone in zones if zone.keys() == layout]
        if len(rows) != len(zones):
            for zone in zones:
                self._ignored.attributes(ZONE, zone.keys(), ZONE_ATTRIBUTES)
            return None
        self._ignored.attributes(ZONE, layout, ZONE_ATTRIBUTES, len(rows))
        return dict(zip(layout, zip(*rows, strict=True), strict=True))

    def _zones(self, columns: Mapping[str | bytes, tuple[str, ...]]) -> tuple[Zone, ...]:
        ids, names = columns["zone_id"], columns["name"]
        values.identifier("zone_id", min(ids, key=len))
        values.identifier("zone_id", max(ids, key=len))
        values.label("name", max(names, key=len))
        capacities = map(self._capacities.__getitem__, columns["capacity"])
        prices = map(self._prices.__getitem__, columns["price"])
        numbered = map(values.BOOLEANS.__getitem__, columns["numbered"])
        return tuple(map(_zone, zip(ids, capacities, prices, names, numbered, strict=True)))

    def _one_by_one(self, zones: Iterable[_Element]) -> tuple[Zone, ...]:
        return tuple(_read_one(zone) for zone in zones)


def _read_one(zone: _Element) -> Zone:
    try:
        return Zone(
            values.identifier("zone_id", required(zone, "zone_id")),
            values.capacity(required(zone, "capacity")),
            values.price(required(zone, "price")),
            values.label("name", required(zone, "name")),
            values.boolean("numbered", required(zone, "numbered")),
        )
    except UnusableError as error:
        message = f"zone {zone.get('zone_id', 'without id')[: values.MAX_ID]}: {error.message}"
        raise UnusableError(error.reason, message, line_of(zone)) from None
