"""The zones of an item. A large feed has a million of them: what is done for each decides how long a sync takes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

from app.adapters.outbound.providers.plan_list.dialects import ZONE
from app.adapters.outbound.providers.plan_list.markup import Element
from app.adapters.outbound.providers.reading import values
from app.adapters.outbound.providers.reading.ignored import IgnoredNames
from app.adapters.outbound.providers.reading.values import UnusableError, required
from app.domain.feeds import RejectionReason
from app.domain.plans import Zone

MAX_ZONES = 10_000
ZONE_ATTRIBUTES = frozenset(Zone._fields)  # a zone's parts are named as in the feed

IN_ORDER = list(Zone._fields)
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


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a record that cannot be used while the record can."""

    element: Element
    part: str
    reason: RejectionReason
    message: str


@dataclass(frozen=True, slots=True)
class Zones:
    """What the zones of an item come to."""

    zones: tuple[Zone, ...]
    faults: Sequence[Fault] = ()


class ZoneReader:
    """Reads the zones of one item after the other; counts in `ignored` what it does not know."""

    def __init__(self, ignored: IgnoredNames) -> None:
        self._ignored = ignored
        self._capacities = _Known(values.capacity)
        self._prices = _Known(values.price)
        self._kinds = _Known(lambda text: values.boolean("numbered", text))
        self._readers: tuple[Callable[[str], Any], ...] = (
            lambda text: values.identifier("zone_id", text),
            self._capacities.__getitem__,
            self._prices.__getitem__,
            lambda text: values.label("name", text),
            self._kinds.__getitem__,
        )
        """In the order of a zone's parts."""

    def read(self, elements: Sequence[Element]) -> Zones:
        """Read all zones of an item, in their order; a fault costs the zone, or what the answer does not need of it.

        Raises:
            UnusableError: there are too many.
        """
        if len(elements) > MAX_ZONES:
            message = f"there are more than {MAX_ZONES:,} zones, expected at most as many"
            raise UnusableError(RejectionReason.INVALID_VALUE, message)
        if elements and all(list(zone.said) == IN_ORDER for zone in elements):
            try:
                return Zones(self.by_columns(zip(*(zone.said.values() for zone in elements), strict=True)))
            except UnusableError:
                pass  # one by one tells which
        return self._one_by_one(elements)

    def by_columns(self, columns: Iterable[Sequence[str]]) -> tuple[Zone, ...]:
        """Read many at once: each part of all zones in a loop of the interpreter's own, half of the time.

        Raises:
            UnusableError: one of them has a fault.
        """
        ids, capacities, prices, names, numbered = columns
        if "" in ids or max(map(len, ids)) > values.MAX_ID or max(map(len, names)) > values.MAX_TEXT:
            raise UnusableError(RejectionReason.INVALID_VALUE, "one of them is too long")
        read = zip(
            ids,
            map(self._capacities.__getitem__, capacities),
            map(self._prices.__getitem__, prices),
            names,
            map(self._kinds.__getitem__, numbered),
            strict=True,
        )
        return tuple(map(_new, repeat(Zone), read))

    def _one_by_one(self, elements: Sequence[Element]) -> Zones:
        zones: list[Zone] = []
        faults: list[Fault] = []
        for element in elements:
            self._ignored.attributes(ZONE, element.said, ZONE_ATTRIBUTES)
            zone, of_zone = self._one(element)
            faults += of_zone
            if zone:
                zones.append(zone)
        return Zones(tuple(zones), faults)

    def _one(self, element: Element) -> tuple[Zone | None, list[Fault]]:
        said: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, read in zip(IN_ORDER, self._readers, strict=True):
            try:
                said[name] = read(required(element.said, ZONE, name))
            except UnusableError as error:
                faults.append(_fault(element, name, error))
        # Neither a name nor a kind of seat decides what a plan costs: without them the zone is still one.
        usable: dict[str, Any] = {"name": "", "numbered": False} | said
        return Zone(**usable) if len(usable) == len(IN_ORDER) else None, faults


def _fault(zone: Element, name: str, error: UnusableError) -> Fault:
    zone_id = zone.said.get("zone_id") or "without id"
    named = f"zone {zone_id[: values.MAX_ID]}"
    return Fault(zone, f"{named}: {name}", error.reason, f"{named}: {error.message}")
