"""Nodes -> the records of one path, as a table: a column for each place where the records have a value."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from app.adapters.outbound.providers.inspection.nodes import Kind, Node

Names = tuple[str, ...]
"""From the root to a node, the root included."""

MOST_RECORDS = 500
MOST_LEVELS = 6
"""Below a record, and above it."""


class Place(NamedTuple):
    """Where a value stands, seen from its record."""

    up: int
    """How many levels above the record the way begins; 0: in the record itself."""
    names: Names
    """From there to the value; empty: the record's own text."""


@dataclass(slots=True)
class Column:
    """What the records say at one place."""

    place: Place
    values: list[str | None]
    """One for each record, the first where it has several; None where it has none, or an empty one."""
    kinds: Counter[Kind] = field(default_factory=Counter)
    most: int = 0
    """How many of them one record has at the most."""
    padded: bool = False
    """Whether any of them has white space around it."""

    @property
    def present(self) -> list[str]:
        """The values that there are."""
        return [value for value in self.values if value]

    @property
    def share(self) -> float:
        """How many of the records have one, from 0 to 1."""
        return len(self.present) / len(self.values) if self.values else 0.0

    @property
    def kind(self) -> Kind:
        """What most of the values are by the format."""
        return self.kinds.most_common(1)[0][0] if self.kinds else Kind.TEXT

    @property
    def leaf(self) -> str:
        """The last of its names."""
        return self.place.names[-1] if self.place.names else ""


@dataclass(frozen=True, slots=True)
class Record:
    """A node, and those in which it stands, the root first."""

    node: Node
    above: tuple[Node, ...]


@dataclass(slots=True)
class Group:
    """All nodes that stand at one path of names."""

    names: Names
    count: int = 0
    most: int = 0
    """How many of them stand in one parent at the most."""
    is_branch: bool = False
    """Whether any of them holds others."""
    listed: bool = False
    example: str = ""


def groups_of(root: Node) -> dict[Names, Group]:
    """List the paths at which there are nodes, in the order of the document; attributes are none."""
    found: dict[Names, Group] = {}
    waiting: list[tuple[Node, Names]] = [(root, (root.name,))]
    while waiting:
        node, names = waiting.pop()
        group = found.setdefault(names, Group(names))
        group.count += 1
        group.is_branch |= not node.is_leaf
        group.listed |= node.listed
        group.example = group.example or node.text
        counts = Counter(child.name for child in node.children)
        waiting += [(child, (*names, child.name)) for child in reversed(node.children) if not _is_attribute(child)]
        for name, count in counts.items():
            below = found.setdefault((*names, name), Group((*names, name)))
            below.most = max(below.most, count)
    return {names: group for names, group in found.items() if group.count}


def _is_attribute(node: Node) -> bool:
    return node.name.startswith("@") and node.is_leaf and not node.listed


def records_at(root: Node, names: Names, limit: int = MOST_RECORDS) -> list[Record]:
    """Find the first nodes of a path."""
    found: list[Record] = []
    for record in _walk(root, names, ()):
        found.append(record)
        if len(found) >= limit:
            break
    return found


def _walk(node: Node, names: Names, above: tuple[Node, ...]) -> Iterator[Record]:
    if node.name != names[0]:
        return
    if len(names) == 1:
        yield Record(node, above)
        return
    for child in node.children:
        yield from _walk(child, names[1:], (*above, node))


def columns_of(records: list[Record]) -> list[Column]:
    """Make the table of these records: what stands in them first, then what stands before them in those around."""
    columns: dict[Place, Column] = {}
    for row, record in enumerate(records):
        counts: Counter[Place] = Counter()
        for place, node in _values_around(record):
            counts[place] += 1
            column = columns.get(place)
            if column is None:
                column = columns[place] = Column(place, [None] * len(records))
            column.most = max(column.most, counts[place])
            if node.text and column.values[row] is None:
                column.values[row] = node.text
                column.kinds[node.kind] += 1
                column.padded |= node.padded
    filled = [column for column in columns.values() if column.kinds]
    return sorted(filled, key=lambda column: column.place.up)


def _values_around(record: Record) -> Iterator[tuple[Place, Node]]:
    yield from _values_in(record.node, 0, (), MOST_LEVELS)
    on_the_way = record.node
    for up, node in enumerate(reversed(record.above[-MOST_LEVELS:]), 1):
        for child in _before(node.children, on_the_way):
            if not child.listed:
                yield from _values_in(child, up, (child.name,), MOST_LEVELS - 1)
        on_the_way = node


def _before(children: Iterable[Node], end: Node) -> Iterator[Node]:
    """Yield those that a reader has met before `end`, and that are not of its kind."""
    for child in children:
        if child is end:
            return
        if child.name != end.name:
            yield child


def _values_in(node: Node, up: int, names: Names, levels: int) -> Iterator[tuple[Place, Node]]:
    if node.text or node.is_leaf:
        yield Place(up, names), node
    if levels:
        for child in node.children:
            yield from _values_in(child, up, (*names, child.name), levels - 1)
