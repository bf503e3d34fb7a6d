"""What no reviewer should have to look for."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
CORE = [*sorted((APP / "domain").rglob("*.py")), *sorted((APP / "application").rglob("*.py"))]
MODULES = sorted(APP.rglob("*.py"))


def test_layers_import_only_inward() -> None:
    assert (
        cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), is_debug_mode=False) == cli.EXIT_STATUS_SUCCESS
    )


@pytest.mark.parametrize("module", CORE, ids=lambda path: str(path.relative_to(APP)))
def test_the_core_never_says_event_without_saying_which(module: Path) -> None:
    text = module.read_text(encoding="utf-8").replace("asyncio.Event", "").replace('"top-events"', "")  # not our words
    words = re.findall(r"(?i)(?:domain[ _]?)?events?\b", text)

    assert [word for word in words if not word.lower().startswith("domain")] == []


@pytest.mark.parametrize("module", sorted((APP / "domain").rglob("*.py")), ids=lambda path: path.name)
def test_the_domain_imports_the_standard_library_only(module: Path) -> None:
    own = ("app.domain", "app.domain.")
    foreign = [name for name in imports(module) if name.partition(".")[0] not in sys.stdlib_module_names]

    assert [name for name in foreign if not name.startswith(own)] == []


def test_only_the_wiring_knows_the_injector() -> None:
    knowing = [path for path in MODULES if any(name.startswith("dependency_injector") for name in imports(path))]

    assert knowing == [
        APP / "infrastructure" / "wiring" / name for name in ("container.py", "outbound_adapters.py", "use_cases.py")
    ]


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
