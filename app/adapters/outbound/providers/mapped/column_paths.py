"""Paths of CSV (the name of a column) and NDJSON (a key, or a JSONPath)."""

from typing import Any

from app.adapters.outbound.providers.mapped.json_paths import Member, compiled
from app.adapters.outbound.providers.mapped.paths import Path, Paths


class ColumnPaths(Paths):
    """The name of a column, exactly as the header has it."""

    def compile(self, text: str, *, inside: bool = False) -> Path:  # noqa: ARG002 - a row has nothing outside
        """As the Protocol says."""
        return Column(text, text)


class Column(Member):
    """A column of a row; of zones, which are the row itself, the same."""

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says: a row is its one zone when the column says something."""
        return [node] if self.first(node) else []


class KeyPaths(Paths):
    """A key of the object, or a JSONPath, which begins with `$`."""

    def compile(self, text: str, *, inside: bool = False) -> Path:  # noqa: ARG002 - every query stays inside
        """As the Protocol says."""
        return compiled(text.strip()) if text.startswith("$") else Member(text, text)
