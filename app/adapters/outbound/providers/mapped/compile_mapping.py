"""The options of a `mapped` provider -> a mapping, or all that is wrong with them."""

import codecs
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from typing import Any

from app.adapters.outbound.providers.mapped.compile_fields import FieldCompiler
from app.adapters.outbound.providers.mapped.compile_pages import compile_pages
from app.adapters.outbound.providers.mapped.formats import FORMATS, paths_of, records_mistake
from app.adapters.outbound.providers.mapped.mapping import Mapping
from app.adapters.outbound.providers.mapped.mistakes import InvalidMappingError, Mistakes
from app.adapters.outbound.providers.mapped.paths import Paths

KEYS = (
    *("format", "namespaces", "records", "fields", "where", "deleted", "pages", "incremental"),
    *("delimiter", "quote", "columns", "encoding", "horizon"),
)
WITH_RECORDS = ("xml", "json")
_ONLY = {"namespaces": "xml", "delimiter": "csv", "quote": "csv", "columns": "csv", "horizon": "icalendar"}
_MAX_HORIZON = 3_660
_MAX_NAMESPACES = 50
_MAX_COLUMNS = 1_000
_MAX_TEXT = 500
_XML_PREFIX = "xml"


def compile_mapping(options: Dictionary[str, object]) -> Mapping:
    """Compile what stands under `options`.

    What comes back may be used by the thread that compiled it alone; compiling takes some milliseconds.

    Raises:
        InvalidMappingError: with all mistakes, each with its key, what was found and what was expected.
    """
    compiler = _Compiler(options)
    mapping = compiler.mapping()
    if mapping is None or compiler.mistakes.found:
        raise InvalidMappingError(compiler.mistakes.found)
    return mapping


@dataclass(slots=True)
class _Compiler:
    options: Dictionary[str, Any]
    mistakes: Mistakes = field(default_factory=Mistakes)

    def mapping(self) -> Mapping | None:
        for name in self.options:
            if name not in KEYS:
                self.mistakes.unknown("", name, KEYS)
        kind = self.options.get("format")
        if kind not in FORMATS:
            self.mistakes.note("format", kind, f"expected one of {', '.join(FORMATS)}")
            return None
        for name, needed in _ONLY.items():
            if name in self.options and kind != needed:
                self.mistakes.note(name, None, f"expected only with format {needed}, found it with {kind}")
        namespaces = self._namespaces()
        paths = paths_of(kind, namespaces)
        records = self._records(kind, namespaces)
        compiled = FieldCompiler(paths, self.mistakes, by_default=kind == "icalendar").compile(self.options)
        if compiled is None:
            return None
        return Mapping(
            format=kind,
            records=records,
            paths=paths,
            fields=compiled.fields,
            assumed=compiled.assumed,
            zones=compiled.zones,
            where=compiled.where,
            deleted=compiled.deleted,
            pages=self._pages(paths),
            incremental=self._flag("incremental"),
            namespaces=namespaces,
            delimiter=self._letter("delimiter", None),
            quote=self._letter("quote", '"', none=True),
            columns=self._columns(),
            encoding=self._encoding(),
            horizon=self._horizon(),
            warnings=compiled.warnings,
        )

    def _records(self, kind: str, namespaces: Dictionary[str, str]) -> str | None:
        found = self.options.get("records")
        if kind not in WITH_RECORDS:
            if found is not None:
                self.mistakes.note("records", found, f"expected none: format {kind} has its own records")
            return None
        if not isinstance(found, str):
            self.mistakes.note("records", found, "expected the path of the records")
        elif mistake := records_mistake(kind, found, namespaces):
            self.mistakes.note("records", found, mistake)
        else:
            return found
        return None

    def _namespaces(self) -> dict[str, str]:
        found = self.options.get("namespaces") or {}
        if not isinstance(found, dict) or len(found) > _MAX_NAMESPACES:
            self.mistakes.note("namespaces", found, f"expected at most {_MAX_NAMESPACES} prefixes with their URIs")
            return {}
        for prefix, uri in found.items():
            if not (isinstance(prefix, str) and prefix.isidentifier() and isinstance(uri, str) and uri):
                self.mistakes.note(
                    f"namespaces.{prefix}", uri, "expected a prefix of letters and the URI of a namespace"
                )
        return {str(prefix): str(uri) for prefix, uri in found.items() if prefix != _XML_PREFIX}

    def _pages(self, paths: Paths) -> Any:
        found = self.options.get("pages")
        return None if found is None else compile_pages(found, paths, self.mistakes)

    def _flag(self, name: str) -> bool:
        found = self.options.get(name, False)
        if not isinstance(found, bool):
            self.mistakes.note(name, found, "expected true or false")
        return found is True

    def _letter(self, name: str, default: str | None, *, none: bool = False) -> str | None:
        found = self.options.get(name, default)
        if found == "" and none:
            return None
        if found is not None and not (isinstance(found, str) and len(found) == 1 and found not in "\r\n\0"):
            self.mistakes.note(name, found, "expected one character" + (', or "" for none' if none else ""))
            return default
        return found

    def _columns(self) -> tuple[str, ...]:
        found = self.options.get("columns", [])
        good = isinstance(found, list) and all(isinstance(name, str) and name for name in found)
        if not good or len(found) > _MAX_COLUMNS or len(set(found)) != len(found):
            self.mistakes.note("columns", found, "expected a list of names, each once, for a document without a header")
            return ()
        return tuple(found)

    def _encoding(self) -> str | None:
        found = self.options.get("encoding")
        if found is None:
            return None
        try:
            return codecs.lookup(found).name if "x".encode(found) else None
        except (LookupError, TypeError, ValueError):
            self.mistakes.note("encoding", found, "expected a character set such as windows-1252")
            return None

    def _horizon(self) -> int:
        found = self.options.get("horizon", 365)
        if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= _MAX_HORIZON:
            self.mistakes.note("horizon", found, f"expected days, 1 to {_MAX_HORIZON:,}")
            return 365
        return found
