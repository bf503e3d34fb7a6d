"""The zones of a record. A large feed has a million of them: they are read column by column."""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

from app.adapters.outbound.providers.mapped import interpreting
from app.adapters.outbound.providers.mapped.field_reading import adapted, plain, read
from app.adapters.outbound.providers.mapped.mapping import Field, Source, ZoneMapping
from app.adapters.outbound.providers.mapped.paths import Path, Paths, Record
from app.adapters.outbound.providers.reading import values
from app.adapters.outbound.providers.reading.values import UnusableError
from app.domain.feeds import RejectionReason
from app.domain.plans import Zone

MAX_ZONES = 10_000
UNKNOWN_CAPACITY = 1
"""Of a zone of which nobody says how many tickets are left: there are some."""

NOT_NUMBERED = False

_REMEMBERED = 32_768
_new = tuple.__new__  # what `Zone(...)` does in the end, without its call of a Python function

Read = Callable[[Field, Source, str], Any]


def _text(read_text: Callable[[str, str], Any]) -> Read:
    return lambda field, _, said: read_text(field.shown, said)


READERS: dict[str, Read] = {
    "zone_id": _text(values.identifier),
    "capacity": interpreting.capacity,
    "price": interpreting.price,
    "name": _text(values.label),
    "numbered": _text(values.boolean),
}
"""In the order of a zone's parts."""


class _Known(dict[Any, Any]):
    """Values by what the feed says, of one type: feeds repeat them, and finding one is quicker than reading it."""

    def __init__(self, column: "_Column") -> None:
        super().__init__()
        self._column = column

    def __missing__(self, found: Any) -> Any:
        value = self._column.value(found)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[found] = value
        return value


class _Column:
    """One part of all zones of a record."""

    def __init__(self, name: str, field: Field | None) -> None:
        self.field = field
        self._read = READERS[name]
        self._name = name
        self._known: dict[type, _Known] = {}
        sources = field.sources if field else ()
        self.source = sources[0] if len(sources) == 1 and len(sources[0].paths) <= 1 else None
        """The one source of a field; several are asked zone by zone."""

    @property
    def path(self) -> Path | None:
        """The one path by which it is found, where there is one."""
        return self.source.paths[0] if self.source and self.source.paths else None

    def values(self, nodes: Sequence[Any], found: Sequence[Any] | None) -> Iterator[Any]:
        """Give the part of every zone; `found` is what its path has found.

        Raises:
            UnusableError, TypeError: of one of them it cannot be had: one by one tells which.
        """
        if self.field is None:
            return self._unsaid(nodes)
        if self.source is None:
            return (self.one(node, number) for number, node in enumerate(nodes, 1))
        if found is None:
            return repeat(self.value(None), len(nodes))
        [kind, *others] = set(map(type, found))
        if others:  # a dict takes 1, 1.0 and True for one and the same
            return map(self.value, found)
        if kind not in self._known:
            self._known[kind] = _Known(self)
        return map(self._known[kind].__getitem__, found)

    def value(self, found: Any) -> Any:
        """Read what the one source found."""
        assert self.field  # noqa: S101 - as its callers made sure
        assert self.source  # noqa: S101 - the same
        text = plain(found, self.field) if self.source.paths else self.source.value
        return self._interpreted(self.source, adapted(self.source, interpreting.text_in(text) if text else None))

    def one(self, node: Any, number: int) -> Any:
        """Read the part of one zone, the `number`th."""
        if self.field is None:
            return next(iter(self._unsaid([node], number)))
        record = Record(node, 0, str)
        found = read(self.field, record, lambda source, said: (source, said))
        if found is None:
            return self._interpreted(self.field.sources[0], None)
        source, said = found
        return self._interpreted(source, interpreting.text_in(said))

    def _interpreted(self, source: Source, text: str | None) -> Any:
        assert self.field  # noqa: S101 - as above
        if text is not None:
            return self._read(self.field, source, text)
        if self._name == "name":
            return ""
        raise UnusableError(RejectionReason.MISSING_ATTRIBUTE, f"there is no {self.field.shown}")

    def _unsaid(self, nodes: Sequence[Any], first: int = 1) -> Iterator[Any]:
        match self._name:
            case "zone_id":
                return map(str, range(first, first + len(nodes)))
            case "capacity":
                return repeat(UNKNOWN_CAPACITY, len(nodes))
            case "name":
                return repeat("", len(nodes))
            case _:
                return repeat(NOT_NUMBERED, len(nodes))


class ZoneMapper:
    """Reads the zones of one record after the other."""

    def __init__(self, mapping: ZoneMapping, paths: Paths) -> None:
        self._each = mapping.each
        self._paths = paths
        self._columns = [_Column(name, mapping.fields.get(name)) for name in Zone._fields]
        self._found = [column.path for column in self._columns if column.path]

    def read(self, node: Any, before: int = 0) -> tuple[tuple[Zone, ...], list[tuple[str, UnusableError]]]:
        """Read all zones, in their order; those that cannot be used are told, by the name of their part.

        `before` is how many the record has already.

        Raises:
            UnusableError: there are more than MAX_ZONES.
        """
        nodes = self._nodes(node)
        if before + len(nodes) > MAX_ZONES:
            message = f"there are {before + len(nodes):,} zones, expected at most {MAX_ZONES:,}"
            raise UnusableError(RejectionReason.INVALID_VALUE, message)
        if not nodes:
            return (), []
        try:
            found = iter(self._paths.columns(self._found, nodes))
            columns = [column.values(nodes, next(found) if column.path else None) for column in self._columns]
            return tuple(map(_new, repeat(Zone), zip(*columns, strict=True))), []
        except (UnusableError, TypeError):
            return self._one_by_one(nodes)

    def _nodes(self, node: Any) -> list[Any]:
        for path in self._each:
            if found := path.nodes(node):
                return found
        return []

    def _one_by_one(self, nodes: Sequence[Any]) -> tuple[tuple[Zone, ...], list[tuple[str, UnusableError]]]:
        zones, wrong = [], []
        for number, node in enumerate(nodes, 1):
            zone, faults = self._one(node, number)
            wrong.extend(faults)
            if zone:
                zones.append(zone)
        return tuple(zones), wrong

    def _one(self, node: Any, number: int) -> tuple[Zone | None, list[tuple[str, UnusableError]]]:
        said: dict[str, Any] = {}
        wrong: list[tuple[str, UnusableError]] = []
        for name, column in zip(Zone._fields, self._columns, strict=True):
            try:
                said[name] = column.one(node, number)
            except UnusableError as error:
                wrong.append((f"zone {said.get('zone_id', f'number {number}')}: {name}", error))
        # Neither a name nor a kind of seat decides what a plan costs: without them the zone is still one.
        usable: dict[str, Any] = {"name": "", "numbered": NOT_NUMBERED} | said
        return Zone(**usable) if len(usable) == len(Zone._fields) else None, wrong
