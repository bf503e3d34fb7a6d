"""Records of a JSON document: each element of its list of records is cut out and decoded by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from app.adapters.outbound.providers.mapped.json_cutting import JsonCutter, MalformedError
from app.adapters.outbound.providers.mapped.json_paths import EACH, steps
from app.adapters.outbound.providers.mapped.paths import BrokenRecord, Record, Records
from app.adapters.outbound.providers.mapped.utf_8_file import ByteReader
from app.application.ports.providers import FeedBrokenError, FeedRefusedError

MAX_MEMBER_BYTES = 64 * 1024
MAX_MEMBERS = 1_000
_SHOWN = 10
_LONGEST_NAME = 80
_SOURCE = 8_000
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_decoder = msgspec.json.Decoder()


@dataclass(slots=True)
class JsonRecords(Records):
    """Reads one document, once.

    What the first `[*]` of `records` gives is cut out whole; what further steps find inside is a record each. What
    stood around it, as far as it is small, is kept for paths of the document.
    """

    file: ByteReader
    where: str
    path: str
    _root: dict[str, Any] = field(default_factory=dict)
    """The document under an empty name, so that everything in it stands in something."""
    _members: int = 0
    _found: bool = False
    _empty: int = 0
    _records: int = 0
    _names: list[str] = field(default_factory=list)

    @property
    def unknown(self) -> int:
        """As the Protocol says: elements of the list in which no record was, where there was none at all."""
        return 0 if self._records else self._empty

    @property
    def end(self) -> Any:
        """As the Protocol says."""
        return self._root.get("")

    def __iter__(self) -> Iterator[Record | BrokenRecord]:
        """As the Protocol says."""
        cutter = JsonCutter(self.file, self.where)
        if not cutter.peek():
            raise FeedRefusedError(f"{self.where}: expected a JSON document, found nothing")
        if cutter.peek() == b"<":
            raise FeedRefusedError(f"{self.where}: expected a JSON document, found what looks like HTML or XML")
        yield from self._walk(cutter, steps(self.path), self._root, "")
        if cutter.peek():
            cutter.take(b"")
        if not self._found:
            names = ", ".join(self._names[:_SHOWN]) or "none"
            raise FeedRefusedError(
                f"{self.where}: expected {self.path}, found a document without it; its members: {names}"
            )

    def _walk(
        self, cutter: JsonCutter, left: list[str | None], holder: Any, key: str
    ) -> Iterator[Record | BrokenRecord]:
        """Follow the rest of the way to the records in the value that is `holder[key]`."""
        first = cutter.peek()
        if not left or left[0] is EACH:
            self._found = True
        if not left:
            yield from self._unit(cutter, [], holder, key, "")
        elif first == b"{":
            members: dict[str, Any] = {}
            holder[key] = members
            yield from self._object(cutter, left, members, (holder, key))
        elif first == b"[" and left[0] is EACH:
            yield from self._list(cutter, left[1:], holder, key)
        elif first == b"n":
            self._keep(cutter, holder, key)
        else:
            raise FeedRefusedError(
                f"{self.where}, line {cutter.line}: expected a list or an object on the way to {self.path}, "
                f"found something else"
            )

    def _list(
        self, cutter: JsonCutter, left: list[str | None], holder: Any, key: str
    ) -> Iterator[Record | BrokenRecord]:
        cutter.take(b"[")
        if cutter.peek() == b"]":
            cutter.take(b"]")
            return
        while True:
            yield from self._unit(cutter, left, holder, key, None)
            if cutter.take(b",]") == b"]":
                return

    def _object(
        self, cutter: JsonCutter, left: list[str | None], members: dict[str, Any], place: tuple[Any, str]
    ) -> Iterator[Record | BrokenRecord]:
        """Walk through the members; the one on the way is followed, of others those that are small are kept."""
        cutter.take(b"{")
        if cutter.peek() == b"}":
            cutter.take(b"}")
            return
        while True:
            name = self._name(cutter)
            cutter.take(b":")
            if left[0] is EACH:
                yield from self._unit(cutter, left[1:], *place, name)
            elif name == left[0] and not (name in members and self._found):
                yield from self._walk(cutter, left[1:], members, name)
            else:
                self._keep(cutter, members, name)
            if cutter.take(b",}") == b"}":
                return

    def _name(self, cutter: JsonCutter) -> str:
        line = cutter.line
        try:
            name = _decoder.decode(cutter.value() or b"")
        except (MalformedError, msgspec.MsgspecError, UnicodeDecodeError):
            name = None
        if not isinstance(name, str):
            raise FeedBrokenError(f"{self.where}: not well-formed JSON: expected a name in line {line}", line=line)
        if len(self._names) < _SHOWN:
            self._names.append(name[:_LONGEST_NAME])
        return name

    def _keep(self, cutter: JsonCutter, members: Any, name: str) -> None:
        self._members += 1
        try:
            found = cutter.value(MAX_MEMBER_BYTES) if self._members <= MAX_MEMBERS else None
            if found is None:
                cutter.skip()
            else:
                members[name] = _decoder.decode(found)
        except (MalformedError, *_UNDECODABLE):
            pass  # it is none of the records

    def _unit(
        self, cutter: JsonCutter, left: list[str | None], holder: Any, key: str, name: str | None
    ) -> Iterator[Record | BrokenRecord]:
        """Cut the next value out, decode it, and give the records in it."""
        cutter.peek()
        line = cutter.line
        try:
            raw = cutter.value() or b""
            node = _decoder.decode(raw)
        except MalformedError as error:
            self._records += 1
            yield BrokenRecord(f"not well-formed JSON: {error}", error.line, _text(error.source))
            return
        except _UNDECODABLE as error:
            self._records += 1
            yield BrokenRecord(f"not well-formed JSON: {_said(error)}", line, _text(raw))
            return

        def document(trail: tuple[str | int, ...]) -> Any:
            cut = _cut(node, trail)
            holder[key] = cut if name == "" else [cut] if name is None else {name: cut}
            return self._root[""]

        before = self._records
        if not left:
            self._records += 1
            yield Record(node, line, lambda: _text(raw), lambda: document(()), raw)
            return
        for trail, one in _inside(node, left):
            self._records += 1
            source = partial(_encoded, one)
            yield Record(one, line, source, partial(document, trail))
        self._empty += self._records == before


def _inside(
    node: Any, left: list[str | None], trail: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Give what the rest of a path finds in a value, with the way there."""
    if not left:
        yield trail, node
    elif left[0] is not EACH:
        if isinstance(node, dict) and node.get(left[0]) is not None:
            yield from _inside(node[left[0]], left[1:], (*trail, left[0]))
    elif isinstance(node, dict | list):
        for key, one in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _inside(one, left[1:], (*trail, key))


def _cut(node: Any, trail: tuple[str | int, ...]) -> Any:
    """Copy a value so that of each list and object with records only the one on the way is left."""
    if not trail:
        return node
    key, *rest = trail
    if isinstance(node, list):
        return [_cut(node[int(key)], tuple(rest))]
    return {**node, key: _cut(node[key], tuple(rest))}


def _said(error: Exception) -> str:
    return "too deep" if isinstance(error, RecursionError) else str(error)


def _encoded(node: Any) -> str:
    return _text(msgspec.json.encode(node))


def _text(raw: bytes) -> str:
    return raw[:_SOURCE].decode("utf-8", "replace")
