"""Paths of JSON: RFC 9535 by a strict library; those that are only names are look-ups, which take a fiftieth."""

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery
from jsonpath_rfc9535.exceptions import JSONPathRecursionError
from jsonpath_rfc9535.filter_expressions import Expression, FilterQuery, RootFilterQuery
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import FilterSelector, NameSelector, WildcardSelector

from app.adapters.outbound.providers.mapped.paths import Path, PathError, Paths, Value

_MAX_FILTERS = 3
_SLOW = ("match", "search")
EACH = None
"""The step `[*]` of a path of records."""


@cache
def _environment() -> JSONPathEnvironment:
    environment = JSONPathEnvironment()
    for name in _SLOW:  # a regular expression over a text of the feed may take for ever
        environment.function_extensions.pop(name)
    return environment


def parsed(text: str) -> JSONPathQuery:
    """Parse a query.

    Raises:
        PathError: it is none of RFC 9535.
    """
    if not text.startswith("$"):
        raise PathError(f"expected a JSONPath (RFC 9535) that begins with $, such as {_suggestion(text)}")
    try:
        return _environment().compile(text)
    except (JSONPathError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())
        raise PathError(f"expected a JSONPath (RFC 9535), without match() and search(): {said}") from None


def _suggestion(text: str) -> str:
    names = [name for name in text.lstrip("@.").split(".") if name]
    return "$" + "".join(f".{name}" if name.isidentifier() else f"[{name!r}]" for name in names or ["title"])


def steps(text: str) -> list[str | None]:
    """Read a path of names and `[*]`; EACH stands for the latter.

    Raises:
        PathError: it is something else.
    """
    found: list[str | None] = []
    for segment in parsed(text).segments:
        selectors = segment.selectors
        if isinstance(segment, JSONPathRecursiveDescentSegment) or len(selectors) != 1:
            raise PathError("expected a path of names and [*], such as $.data.events[*]")
        match selectors[0]:
            case NameSelector(name=name):
                found.append(name)
            case WildcardSelector():
                found.append(EACH)
            case _:
                raise PathError("expected a path of names and [*], such as $.data.events[*]")
    return found


class JsonPaths(Paths):
    """Compiles queries; `$` is the record, of paths of the document the document."""

    def compile(self, text: str, *, inside: bool = False) -> Path:  # noqa: ARG002 - every query stays inside
        """As the Protocol says."""
        return compiled(text.strip())

    def of_document(self, text: str) -> Path:
        """As the Protocol says: of the document, cut to what stood around the record."""
        return compiled(text.strip())


def compiled(text: str) -> Path:
    """Compile a query.

    Raises:
        PathError: it is none, or may take too long.
    """
    query = parsed(text)
    _check_time(query)
    if not query.singular_query():
        *before, last = query.segments
        if JSONPathQuery(env=query.env, segments=tuple(before)).singular_query() and _is_wildcard(last):
            return Elements(text, [_key(segment.selectors[0]) for segment in before])
        return Query(text, query)
    keys = [_key(segment.selectors[0]) for segment in query.segments]
    if len(keys) == 1 and isinstance(keys[0], str):
        return Member(text, keys[0])
    return Members(text, keys)


def _is_wildcard(segment: Any) -> bool:
    child = not isinstance(segment, JSONPathRecursiveDescentSegment)
    return child and len(segment.selectors) == 1 and isinstance(segment.selectors[0], WildcardSelector)


def _key(selector: Any) -> str | int:
    return selector.name if isinstance(selector, NameSelector) else int(selector.index)


def _check_time(query: JSONPathQuery) -> None:
    """Keep the time that a query takes in proportion to the size of a record."""
    filters = [one for segment in query.segments for one in segment.selectors if isinstance(one, FilterSelector)]
    descents = sum(isinstance(segment, JSONPathRecursiveDescentSegment) for segment in query.segments)
    if descents > 1 or len(filters) > _MAX_FILTERS:
        raise PathError(f"expected at most one .. and {_MAX_FILTERS} filters")
    for one in filters:
        for inner in _queries(one.expression):
            if isinstance(inner, RootFilterQuery) or not inner.query.singular_query():
                raise PathError("expected filters over single members, such as [?@.type == 'concert']")


def _queries(expression: Expression | Any) -> list[FilterQuery]:
    if isinstance(expression, FilterQuery):
        return [expression]
    parts = [getattr(expression, name, None) for name in ("expression", "left", "right")]
    parts += getattr(expression, "args", [])
    return [query for part in parts if isinstance(part, Expression) for query in _queries(part)]


class Member(Path):
    """`$.title`."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self._name = name
        self._get = itemgetter(name)

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        return node.get(self._name) if isinstance(node, dict) else None

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        return _objects([self.first(node)])

    def column(self, nodes: Sequence[Any]) -> list[Value]:
        """As the Protocol says."""
        try:
            return list(map(self._get, nodes))
        except (KeyError, TypeError, IndexError):
            return [self.first(node) for node in nodes]


class Members(Path):
    """`$`, `$.venue.name`, `$.dates[0].start`."""

    def __init__(self, text: str, keys: Sequence[str | int]) -> None:
        self.text = text
        self._keys = keys

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        for key in self._keys:
            if isinstance(key, str):
                node = node.get(key) if isinstance(node, dict) else None
            else:
                node = node[key] if isinstance(node, list) and -len(node) <= key < len(node) else None
            if node is None:
                return None
        return node

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        return _objects([self.first(node)])


class Elements(Path):
    """`$.tickets[*]`."""

    def __init__(self, text: str, keys: Sequence[str | int]) -> None:
        self.text = text
        self._before = Members(text, keys)

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        return next(iter(self._found(node)), None)

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        return _objects(self._found(node))

    def _found(self, node: Any) -> list[Any]:
        found = self._before.first(node)
        if isinstance(found, dict):
            return list(found.values())
        return found if isinstance(found, list) else []


class Query(Path):
    """Whatever else JSONPath can say."""

    def __init__(self, text: str, query: JSONPathQuery) -> None:
        self.text = text
        self._query = query

    def first(self, node: Any) -> Value:
        """As the Protocol says."""
        try:
            found = self._query.find_one(node)
        except (JSONPathRecursionError, RecursionError):
            return None
        return found.value if found else None

    def nodes(self, node: Any) -> list[Any]:
        """As the Protocol says."""
        try:
            return _objects([found.value for found in self._query.finditer(node)])
        except (JSONPathRecursionError, RecursionError):
            return []


def _objects(found: list[Any]) -> list[Any]:
    return [one for one in found if isinstance(one, dict)]
