"""`options.pages` -> how a document leads to the next one."""

from typing import Any

from app.adapters.outbound.providers.mapped.mapping import Pages
from app.adapters.outbound.providers.mapped.mistakes import Mistakes
from app.adapters.outbound.providers.mapped.paths import PathError, Paths

EXPECTED = (
    "expected one of {next: PATH}, {next: PATH, parameter: cursor}, {link: next}, {parameter: page, from: 1}, "
    "{offset: start, limit: 100}"
)
_WAYS = {
    "next": {"next", "parameter", "until"},
    "link": {"link", "until"},
    "parameter": {"parameter", "from", "until"},
    "offset": {"offset", "limit", "from", "until"},
}
_MOST = 1_000_000


def compile_pages(found: Any, paths: Paths, mistakes: Mistakes) -> Pages | None:
    """Compile it; notes what is wrong."""
    ways = [way for way in _WAYS if isinstance(found, dict) and way in found]
    if ways == ["next", "parameter"]:
        ways = ["next"]
    if len(ways) != 1:
        mistakes.note("pages", found, EXPECTED)
        return None
    [way] = ways
    for name in found:
        if name not in _WAYS[way]:
            mistakes.unknown("pages", name, sorted(_WAYS[way]))
    until = found.get("until")
    if until not in {None, "empty"}:
        mistakes.note("pages.until", until, "expected empty")
    said = found[way]
    if not isinstance(said, str) or not said:
        mistakes.note(f"pages.{way}", said, EXPECTED)
        return None
    start = _number(found, "from", 0 if way == "offset" else 1, 0, mistakes)
    limit = _number(found, "limit", 0, 1, mistakes) if way == "offset" else 0
    if way == "offset" and "limit" not in found:
        mistakes.note("pages.limit", None, "expected the number of records of a page")
    empty = until == "empty" or way in {"parameter", "offset"}
    if way == "next":
        return _by_path(said, found.get("parameter"), paths, mistakes, until_empty=empty)
    named: Any = {way: said}
    return Pages(**named, start=start, limit=limit, until_empty=empty)


def _by_path(said: str, cursor: Any, paths: Paths, mistakes: Mistakes, *, until_empty: bool) -> Pages | None:
    if cursor is not None and (not isinstance(cursor, str) or not cursor):
        mistakes.note("pages.parameter", cursor, "expected the name of the parameter that takes what `next` finds")
        return None
    try:
        return Pages(next=paths.of_document(said), cursor=cursor, until_empty=until_empty)
    except PathError as error:
        mistakes.note("pages.next", said, str(error))
        return None


def _number(found: Any, name: str, default: int, least: int, mistakes: Mistakes) -> int:
    number = found.get(name, default)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= _MOST:
        if name in found:
            mistakes.note(f"pages.{name}", number, f"expected a number from {least} to {_MOST:,}")
        return default
    return number
