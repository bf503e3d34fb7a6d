"""The beginning of a document -> its nodes. It may break off anywhere: what is whole before that is taken."""

import csv
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from lxml.etree import XMLPullParser, XMLSyntaxError, _Element

from app.adapters.outbound.providers.inspection.nodes import ITEM, Kind, Node
from app.adapters.outbound.providers.inspection.recognition import Format, Recognised

MOST_NODES = 400_000
DEEPEST = 40
"""Levels that are looked at."""

_FEWEST_BY_ID = 2
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_FOLD = re.compile(r"\r?\n[ \t]")


def sample(document: bytes, recognised: Recognised, *, whole: bool) -> Node:
    """Give the root of what these bytes hold.

    `whole`: they are all of the document. A document that breaks gives what stood before.
    """
    if recognised.format is Format.XML:
        return _xml(document)
    text = document.decode(recognised.encoding, errors="replace").lstrip("\ufeff")
    match recognised.format:
        case Format.JSON:
            return _json(text)
        case Format.NDJSON:
            return _ndjson(text, whole=whole)
        case Format.ICALENDAR:
            return _icalendar(text)
        case _:
            return _csv(text, recognised.delimiter or ",", whole=whole)


class _Budget:
    """How many nodes may still be made."""

    def __init__(self) -> None:
        self.left = MOST_NODES

    def takes(self, depth: int) -> bool:
        self.left -= 1
        return self.left > 0 and depth < DEEPEST


def _xml(document: bytes) -> Node:
    roots = _elements(document, recover=False) or _elements(document, recover=True)
    if not roots:
        return Node("?")
    root = roots[-1]
    while (parent := root.getparent()) is not None:
        root = parent
    return _of_element(root, _Budget(), 0)


def _elements(document: bytes, *, recover: bool) -> list[_Element]:
    """Give the elements that end; none when the document is broken, unless what is behind the fault is wanted too."""
    parser = XMLPullParser(
        ("end",), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, collect_ids=False,
        remove_comments=True, remove_pis=True, recover=recover,
    )  # fmt: skip
    try:
        parser.feed(document.lstrip())
        parser.close()
    except XMLSyntaxError:  # the mapping's own reader says where
        if not recover:
            return []
    return [element for _, element in parser.read_events() if isinstance(element, _Element)]


def _of_element(element: _Element, budget: _Budget, depth: int) -> Node:
    node = _text(str(element.tag), element.text or "")
    node.children = [_text(f"@{name!s}", str(value)) for name, value in element.items()]
    for child in element:
        if not budget.takes(depth):
            break
        if isinstance(child.tag, str):
            node.children.append(_of_element(child, budget, depth + 1))
    return node


def _json(text: str) -> Node:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        value = _decoded(_mended(text))
    return _of_value("$", value, _Budget(), 0)


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}


def _mended(text: str) -> str:
    """Cut JSON that breaks off behind the last value that is whole, and close what is open there."""
    open_: list[str] = []
    end, closing = 0, ""
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            open_.append("]" if mark == "[" else "}")
        elif mark in "]}" and open_:
            open_.pop()
            end, closing = token.end(), "".join(reversed(open_))
        elif mark == ",":
            end, closing = token.start(), "".join(reversed(open_))
        if len(open_) > DEEPEST * 2:
            break
    return text[:end] + closing


def _of_value(name: str, value: Any, budget: _Budget, depth: int, *, listed: bool = False) -> Node:
    if isinstance(value, dict) and _is_by_id(value):
        return Node(name, listed=listed, children=_below(ITEM, list(value.values()), budget, depth))
    if isinstance(value, dict):
        node = Node(name, listed=listed)
        for key, below in value.items():
            node.children += _below(str(key), below, budget, depth)
        return node
    if isinstance(value, list):
        return Node(name, listed=listed, children=_below(ITEM, value, budget, depth))
    if isinstance(value, bool):
        return Node(name, "true" if value else "false", Kind.TRUTH, listed)
    if isinstance(value, int | float):
        return Node(name, repr(value), Kind.NUMBER, listed)
    return _text(name, "" if value is None else str(value), listed=listed)


def _is_by_id(value: dict[Any, Any]) -> bool:
    """Whether an object is a list whose elements are named by their ids: `[*]` finds them all the same."""
    if len(value) < _FEWEST_BY_ID or not all(isinstance(below, dict) and below for below in value.values()):
        return False
    common = set.intersection(*(set(below) for below in value.values()))
    return bool(common) and all(any(letter.isdigit() for letter in str(key)) for key in value)


def _text(name: str, text: str, *, listed: bool = False) -> Node:
    bare = text.strip()
    return Node(name, bare, listed=listed, padded=len(bare) != len(text) and bool(bare))


def _below(name: str, value: Any, budget: _Budget, depth: int) -> list[Node]:
    values = value if isinstance(value, list) else [value]
    found = []
    for one in values:
        if not budget.takes(depth):
            break
        found.append(_of_value(name, one, budget, depth + 1, listed=isinstance(value, list)))
    return found


def _ndjson(text: str, *, whole: bool) -> Node:
    lines = text.splitlines()
    budget = _Budget()
    root = Node("$")
    for line in lines if whole else lines[:-1]:
        value = _decoded(line)
        if isinstance(value, dict) and value and budget.takes(0):
            root.children.append(_of_value(ITEM, value, budget, 0, listed=True))
    return root


def _csv(text: str, delimiter: str, *, whole: bool) -> Node:
    lines = text.splitlines(keepends=True)
    rows = _cells(lines if whole else lines[:-1], delimiter)
    names = [name.strip() for name in next(rows, [])]
    budget = _Budget()
    root = Node("$")
    for row in rows:
        if not budget.takes(0):
            break
        budget.left -= len(row)
        cells = [_text(name, cell) for name, cell in zip(names, row, strict=False) if name]
        if any(cell.text for cell in cells):
            root.children.append(Node(ITEM, listed=True, children=cells))
    return root


def _cells(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from (row for row in csv.reader(lines, delimiter=delimiter) if row)
    except csv.Error:
        return


def _icalendar(text: str) -> Node:
    root = Node("VCALENDAR")
    open_ = [root]
    for line in _FOLD.sub("", text).splitlines():
        name, _, value = line.partition(":")
        name = name.partition(";")[0].strip().upper()
        if name == "BEGIN" and value.strip().upper() != "VCALENDAR":
            node = Node(value.strip().upper(), listed=True)
            open_[-1].children.append(node)
            open_ = [*open_, node][:DEEPEST]
        elif name == "END":
            open_ = open_[:-1] or [root]
        elif value:
            open_[-1].children.append(Node(name, value.strip()))
    return root
