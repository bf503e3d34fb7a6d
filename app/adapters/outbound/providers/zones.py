"""The zones of an item. A large feed has a million of them: what is done for each decides how long a sync takes."""

from collections.abc import Callable
from itertools import repeat
from operator import getitem
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
        self._known: tuple[_Known[Any], ...] = (
            _Known(lambda text: values.identifier("zone_id", text)),
            _Known(values.capacity),
            _Known(values.price),
            _Known(lambda text: values.label("name", text)),
            _Known(lambda text: values.boolean("numbered", text)),
        )
        """In the order of a zone's parts."""
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
        elements = list(item.iterchildren(ZONE))
        rows: Any = [zone.values() for zone in elements if zone.keys() == _IN_ORDER]  # bytes in the stubs
        if rows and len(rows) == len(elements):
            try:
                return self._by_columns(rows)
            except UnusableError:
                pass  # one by one tells which
        return [self._one(zone) for zone in elements]

    def _by_columns(self, rows: list[list[str]]) -> list[Zone]:
        """Read many at once: each part of all zones in a loop of the interpreter's own, two thirds of the time."""
        texts = zip(*rows, strict=True)
        columns = (map(known.__getitem__, column) for known, column in zip(self._known, texts, strict=True))
        return list(map(_new, repeat(Zone), zip(*columns, strict=True)))

    def _one(self, zone: _Element) -> Zone:
        try:
            said: Any = zone.values() if zone.keys() == _IN_ORDER else self._in_order(zone)  # bytes in the stubs
            return Zone(*map(getitem, self._known, said))
        except UnusableError as error:
            raise _of_zone(zone, error) from None

    def _in_order(self, zone: _Element) -> list[str]:
        self._ignored.attributes(ZONE, zone.keys(), ZONE_ATTRIBUTES)
        return [required(zone, name) for name in _IN_ORDER]


def _of_zone(zone: _Element, error: UnusableError) -> UnusableError:
    zone_id = zone.get("zone_id", "without id")[: values.MAX_ID]
    return UnusableError(error.reason, f"zone {zone_id}: {error.message}", line_of(zone))
