"""Nothing lies in the product that the product does not use."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
MODULES = sorted(path for path in APP.rglob("*.py") if path.name != "__init__.py")
ENTRIES = {
    "app.infrastructure.main": "the command `marquee`",
    "app.adapters.outbound.sql.alembic_environment.env": "Alembic runs it",
    "app.adapters.outbound.providers.contract": "the rules that the provider of a user passes: its tests import it",
    "app.adapters.outbound.memory.publisher": "for who embeds the use cases: what is published, in a list",
}
MIGRATIONS = "app.adapters.outbound.sql.migrations."
"""Found by their names, as what Alembic calls in them is."""
DECLARED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def mentions(path: Path) -> Iterator[str]:
    """Name all that a module names: imports, names, attributes, and words in texts, by which some things are found."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (alias.name for alias in node.names)
            yield node.module or ""
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            yield from re.findall(r"\w+", node.value)


def declared(path: Path) -> set[str]:
    return {node.name for node in tree(path).body if isinstance(node, DECLARED)}


def elsewhere(path: Path) -> bool:
    return dotted(path) in ENTRIES or dotted(path).startswith(MIGRATIONS)


def test_every_module_is_imported_by_another() -> None:
    named = {name for path in MODULES for name in mentions(path)}

    unused = [dotted(path) for path in MODULES if not elsewhere(path) and named.isdisjoint((dotted(path), path.stem))]

    assert unused == []


def test_every_function_and_class_is_used() -> None:
    named = {name for path in MODULES for name in mentions(path)}

    unused = [f"{dotted(path)}.{name}" for path in MODULES if not elsewhere(path) for name in declared(path) - named]

    assert unused == []
