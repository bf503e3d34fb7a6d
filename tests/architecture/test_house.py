"""The rules of the house that need no reader: where things lie, what they are called, what they may import."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))
VAGUE = {
    *("utils", "util", "common", "base", "manager", "service", "impl", "helpers", "helper", "misc", "shared", "tools"),
    *("core", "stores", "section", "opening", "stuff", "general"),
}
FEEDS_OF_BASES = Path("app/adapters/outbound/providers/plan_list/records.py")
"""There a base is what the feeds call so: several plans with a title of their own."""
OWN_WORDS = {
    *("beside", "quietly", "outward", "telling", "care", "exposure", "lifeline", "careful", "strict", "patience"),
}
"""They say nothing to who has not read the module; the field has a word for each, such as timeout or startup check."""


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in MODULES:
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def words(name: str) -> set[str]:
    """Split a name: `StoreTimeoutError` and `store_timeout` have the same words."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_no_module_is_called_after_nothing() -> None:
    assert [path for path in MODULES if path.stem in VAGUE or words(path.stem) & OWN_WORDS] == []


def test_no_function_or_class_is_called_after_nothing() -> None:
    found = [
        f"{path}:{node.lineno}: {node.name}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and (words(node.name) & OWN_WORDS or node.name.lower() in VAGUE)
        and path != FEEDS_OF_BASES
    ]

    assert found == []


def test_locks_of_the_database_are_named() -> None:
    locking = [
        path.name
        for path in MODULES
        if "advisory_xact_lock" in path.read_text() or "advisory_lock(" in path.read_text()
    ]

    assert locking == ["advisory_locks.py"]


def test_the_product_imports_no_test_double() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        if name.partition(".")[0] in ("tests", "bench", "unittest", "pytest", "hypothesis")
    ]

    assert [one for one in found if "providers/contract.py" not in one] == []


def test_every_room_stands_in_the_table_of_the_development_guide() -> None:
    guide = (ROOT / "doc" / "development.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`(app/[\w/]+?)/?`", guide))
    rooms = {str(path.parent.relative_to(ROOT)) for path in MODULES if path.name != "__init__.py"}

    assert sorted(rooms - listed) == []
    assert sorted(room for room in listed if not (ROOT / room).exists()) == []


def test_folders_are_at_most_four_deep() -> None:
    assert [path for path in MODULES if len(path.parent.relative_to(APP).parts) > 4] == []


@pytest.mark.parametrize(("name", "found"), [("PatienceError", {"patience"}), ("must_wait_quietly", {"quietly"})])
def test_the_words_of_a_name_are_seen_however_it_is_written(name: str, found: set[str]) -> None:
    assert words(name) & OWN_WORDS == found
