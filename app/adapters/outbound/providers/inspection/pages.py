"""Whether a document is one page of several, and how it leads to the next one."""

from collections.abc import Iterator
from typing import Any

from app.adapters.outbound.providers.inspection.columns import Names
from app.adapters.outbound.providers.inspection.nodes import Node
from app.adapters.outbound.providers.inspection.path_text import PathWriter, document_path
from app.adapters.outbound.providers.inspection.recognition import Format
from app.adapters.outbound.providers.inspection.words import parts_of

_NEXT = {"next", "nexturl", "nextpage", "nextlink", "nextpageurl", "nexthref", "odatanextlink"}
_CURSORS = {"nextcursor": "cursor", "nextpagetoken": "pageToken", "nexttoken": "token", "continuation": "continuation"}
"""What leads on without being a URL, and the parameter that most APIs take it in."""
_OF_URLS = frozenset("/?.")
_WRAPPERS = {
    "cursor",
    "cursors",
    "links",
    "link",
    "paging",
    "pagination",
    "meta",
    "page",
    "response",
    "href",
    "metadata",
    "info",
    "data",
    "_links",
}
_COUNTS = {"totalpages", "pages", "pagecount", "lastpage", "numpages", "pagestotal"}
_NUMBERS = {"page", "number", "currentpage", "pagenumber", "pageno"}


def pages_of(root: Node, paths: PathWriter, link: str | None) -> tuple[dict[str, Any], str] | None:
    """Give the option `pages` and what to say of it; `link` is the target of a Link header, as it came."""
    if link:
        return {"link": "next"}, "the server's Link header names the next page"
    if paths.format is not Format.JSON:
        return None
    leaves = list(_leaves(root, (), 3))
    for names, node in leaves:
        if _is_next(names, node):
            return _leading(names, node)
    return _counted({"".join(parts_of(names[-1])): (names, node) for names, node in leaves})


def _leaves(node: Node, names: Names, levels: int) -> Iterator[tuple[Names, Node]]:
    for child in node.children:
        if child.listed:
            continue
        if child.is_leaf:
            yield (*names, child.name), child
        elif levels and (levels == 3 or "".join(parts_of(child.name)) in _WRAPPERS | _NEXT):  # noqa: PLR2004
            yield from _leaves(child, (*names, child.name), levels - 1)


def _is_next(names: Names, node: Node) -> bool:
    last = "".join(parts_of(names[-1]))
    named = (
        last in _NEXT
        or last in _CURSORS
        or (last.startswith("next") and node.text.startswith("http"))
        or (last == "href" and len(names) > 1 and "".join(parts_of(names[-2])) in _NEXT)
    )
    around = all("".join(parts_of(name)) in _WRAPPERS | _NEXT for name in names[:-1])
    return named and around and " " not in node.text


def _leading(names: Names, node: Node) -> tuple[dict[str, Any], str]:
    said: dict[str, Any] = {"next": document_path(names)}
    note = f"the next page: {node.text or 'none here'}"
    last = "".join(parts_of(names[-1]))
    if last in _CURSORS or (node.text and not _OF_URLS & set(node.text)):
        said["parameter"] = _CURSORS.get(last, "page" if node.text.isdecimal() else "cursor")
        note += f"; a guess: that the parameter of the URL is called {said['parameter']}"
    return {**said, "until": "empty"}, note


def _counted(leaves: dict[str, tuple[Names, Node]]) -> tuple[dict[str, Any], str] | None:
    total = next((node for name, (_, node) in leaves.items() if name in _COUNTS and node.text.isdecimal()), None)
    here = next((node for name, (_, node) in leaves.items() if name in _NUMBERS and node.text.isdecimal()), None)
    if total is None or here is None or int(total.text) < 2:  # noqa: PLR2004 - one page leads nowhere
        return None
    said = f"page {here.text} of {total.text}; a guess: that the parameter of the URL is called page"
    return {"parameter": "page", "from": min(int(here.text), 1)}, said
