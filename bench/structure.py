"""The picture of the structure in doc/structure.md: which part of the code imports which, floor by floor.

    python -m bench.structure [--check]

A part is a module or a folder right below a package. It stands one floor above the highest part that it imports, so
every arrow points down; parts that import each other in a circle stand together on one floor and are named as a circle.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from grimp import build_graph

PICTURE = Path(__file__).parents[1] / "doc" / "structure.md"
PACKAGES = {
    "app": "The layers",
    "app.adapters": "The adapters",
    "app.adapters.inbound.http": "The rooms of HTTP",
    "app.infrastructure": "The rooms of the infrastructure",
}
HEAD = """# The structure

`make structure` writes this page from the imports of the code (grimp, which import-linter brings), and a test compares
the two. Each part stands above all that it imports: arrows point down. An arrow is left out of a picture where others
lead the same way; the tables have all of them.
"""

Imports = Mapping[str, frozenset[str]]
"""Which parts of one package each of its parts imports, directly."""


def imports_within(package: str) -> Imports:
    """Look up which children of a package import which, each with all that is below it."""
    graph = build_graph("app", cache_dir=None)
    children = graph.find_children(package)
    for child in children:
        graph.squash_module(child)
    return {
        name_in(package, child): frozenset(
            name_in(package, other) for other in graph.find_modules_directly_imported_by(child) & children
        )
        for child in sorted(children)
    }


def name_in(package: str, module: str) -> str:
    """Name a module as its package does."""
    return module.removeprefix(f"{package}.")


def reachable(imports: Imports, part: str) -> frozenset[str]:
    """List what a part imports, directly or by others."""
    found: set[str] = set()
    waiting = list(imports[part])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += imports[one]
    return frozenset(found)


def circles(imports: Imports) -> list[tuple[str, ...]]:
    """Find the parts that import each other, each circle once."""
    below = {part: reachable(imports, part) for part in imports}
    found = {tuple(sorted(one for one in below[part] if part in below[one])) for part in imports}
    return sorted(found - {()})


def floors(imports: Imports) -> list[list[str]]:
    """Put every part above what it imports, from the ground up; a circle stands on one floor."""
    below = {part: reachable(imports, part) for part in imports}

    def height(part: str) -> int:
        others = [one for one in below[part] if part not in below[one]]
        return 1 + max(map(height, others), default=-1)

    heights = {part: height(part) for part in imports}
    for circle in circles(imports):
        heights |= dict.fromkeys(circle, max(heights[part] for part in circle))
    return [sorted(part for part in imports if heights[part] == floor) for floor in sorted({*heights.values()})]


def arrows(imports: Imports) -> Iterator[tuple[str, str]]:
    """Yield the arrows without which the picture would say less."""
    below = {part: reachable(imports, part) for part in imports}
    for part, others in imports.items():
        for other in sorted(others):
            by_others = any(other in below[one] and one not in below[other] for one in others - {other})
            if not by_others or part in below[other]:
                yield part, other


def picture(imports: Imports) -> Iterator[str]:
    """Draw the floors as Mermaid, the highest first."""
    yield "```mermaid"
    yield "flowchart TB"
    for number, parts in reversed(list(enumerate(floors(imports)))):
        yield f'  subgraph floor{number}["floor {number}"]'
        yield from (f"    {part}" for part in parts)
        yield "  end"
    yield from (f"  {part} --> {other}" for part, other in arrows(imports))
    yield "```"


def table(imports: Imports) -> Iterator[str]:
    """Say the same with every arrow, for those who read and search."""
    yield "| floor | part | imports |"
    yield "|---|---|---|"
    for number, parts in reversed(list(enumerate(floors(imports)))):
        for part in parts:
            yield f"| {number} | `{part}` | {', '.join(f'`{one}`' for one in sorted(imports[part])) or '-'} |"


def section(title: str, package: str, imports: Imports) -> Iterator[str]:
    """Write all of one package."""
    count = sum(map(len, imports.values()))
    yield from ("", f"## {title}", "", f"`{package}`: {len(imports)} parts, {count} arrows between them.", "")
    yield from picture(imports)
    yield ""
    yield from table(imports)
    yield from told(circles(imports))


def told(found: Sequence[Iterable[str]]) -> Iterator[str]:
    """Name the circles, or say that there is none."""
    yield ""
    yield "No arrow leads back up." if not found else "In a circle, so that some of their arrows lead back up:"
    if found:
        yield ""
        yield from (f"- {', '.join(f'`{part}`' for part in circle)}" for circle in found)


def page() -> str:
    """Write the whole page."""
    lines = [line for package, title in PACKAGES.items() for line in section(title, package, imports_within(package))]
    return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    """Write the page, or say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1: it is not up to date")
    if not parser.parse_args().check:
        PICTURE.write_text(page(), encoding="utf-8")
    elif PICTURE.read_text(encoding="utf-8") != page():
        sys.exit("doc/structure.md is not what the imports say: `make structure` writes it")


if __name__ == "__main__":
    main()
