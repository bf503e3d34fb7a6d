"""Places -> paths as the kind `mapped` has them, in the language of each format."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.adapters.outbound.providers.inspection.columns import Names, Place
from app.adapters.outbound.providers.inspection.nodes import ITEM
from app.adapters.outbound.providers.inspection.recognition import Format

_PLAIN = re.compile(r"^[^\W\d]\w*$")
_PREFIXES = ("n", "a", "b", "c", "d", "e", "f", "g")


@dataclass(slots=True)
class PathWriter:
    """Writes the paths of one document, and remembers which namespaces they need."""

    format: Format
    record: Names
    listed: frozenset[Names]
    """Those paths at which lists have their elements."""
    namespaces: dict[str, str] = field(default_factory=dict)
    """By prefix, as they were used so far."""

    def records(self) -> str | None:
        """Write the path of the records; None for a format that has its own."""
        if self.format is Format.XML:
            return "/" + "/".join(self._name(name) for name in self.record)
        if self.format is Format.JSON:
            return "$" + self._members(self.record[1:], self.record[:1])
        return None

    def value(self, place: Place) -> str:
        """Write where a value stands in its record, or around it (`is_of_document`)."""
        if self.format is Format.XML:
            steps = [*([".."] * place.up), *map(self._name, place.names)]
            return "/".join(steps) or "."
        if self.format is Format.JSON:
            if place.up:
                return self.of_document(place)
            return "$" + self._members(place.names, self.record, first=True)
        if self.format is Format.NDJSON and (
            len(place.names) != 1 or place.names[0][:1] in ("", "$") or self._lists(place)
        ):
            return "$" + self._members(place.names, self.record, first=True)
        return place.names[0] if place.names else "."

    def of_document(self, place: Place) -> str:
        """Write where a value stands in a JSON document; of lists it is the element on the way to the record."""
        around = self.record[: len(self.record) - place.up]
        return "$" + self._members((*around[1:], *place.names), self.record[:1], first=True)

    def _lists(self, place: Place) -> bool:
        return (*self.record, *place.names) in self.listed

    def each(self, names: Names) -> str:
        """Write where the parts of a record stand."""
        if self.format is Format.XML:
            return "/".join(map(self._name, names))
        return "$" + self._members(names, self.record)

    def is_of_document(self, place: Place) -> bool:
        """Whether it is asked of what stands around a record."""
        return self.format is Format.JSON and place.up > 0

    def _members(self, names: Sequence[str], before: Names, *, first: bool = False) -> str:
        said, at = "", before
        for name in names:
            at = (*at, name)
            if name != ITEM:
                said += f".{name}" if _PLAIN.match(name) else f"[{_quoted(name)}]"
            if at in self.listed:
                said += "[0]" if first else "[*]"
        return said

    def _name(self, name: str) -> str:
        attribute = "@" if name.startswith("@") else ""
        bare = name.removeprefix("@")
        if not bare.startswith("{"):
            return name
        uri, _, local = bare[1:].partition("}")
        return f"{attribute}{self._prefix(uri)}:{local}"

    def _prefix(self, uri: str) -> str:
        for prefix, known in self.namespaces.items():
            if known == uri:
                return prefix
        prefix = (
            _PREFIXES[len(self.namespaces)] if len(self.namespaces) < len(_PREFIXES) else f"n{len(self.namespaces)}"
        )
        self.namespaces[prefix] = uri
        return prefix


def _quoted(name: str) -> str:
    """Write a name for brackets, as RFC 9535 has it."""
    return json.dumps(name, ensure_ascii=False)


def document_path(names: Names) -> str:
    """Write where a value stands in a JSON document, lists aside."""
    return "$" + "".join(f".{name}" if _PLAIN.match(name) else f"[{_quoted(name)}]" for name in names)
