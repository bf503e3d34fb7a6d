"""`make test-changed`: the tests of what was changed, the nearest first, to the first failure.

The nearest are test files that were changed themselves or have a changed module's name; then those that import one,
directly or through one other; those of whole services come last. Documents and settings have no importers: what reads
them is for `make test`.
"""

import ast
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FARTHEST = 2
Imports = Mapping[str, set[str]]


def changed_since(commit: str) -> set[str]:
    """Every file that differs from the commit's, and every new one."""
    commands = (("diff", "--name-only", commit), ("ls-files", "--others", "--exclude-standard"))
    said = [subprocess.run(("git", *c), cwd=REPOSITORY, capture_output=True, text=True, check=True) for c in commands]
    return {line for one in said for line in one.stdout.splitlines()}


def imports_of(files: Iterable[Path]) -> dict[str, set[str]]:
    """Which of these files each of them imports; all are said by their paths in the repository."""
    paths = {module_of(file): str(file.relative_to(REPOSITORY)) for file in files}
    return {path: {paths[name] for name in imported(REPOSITORY / path) if name in paths} for path in paths.values()}


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def imported(file: Path) -> set[str]:
    """The names that are imported anywhere in the file: modules, and what may be one."""
    found = set[str]()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def nearness(changed: Iterable[str], imports: Imports) -> dict[str, int]:
    """By how many imports each file is away from what was changed, up to `FARTHEST`."""
    away = dict.fromkeys(changed, 0)
    for step in range(1, FARTHEST + 1):
        reached = {path for path, others in imports.items() if path not in away and others & away.keys()}
        away |= dict.fromkeys(reached, step)
    return away


def chosen(changed: Collection[str], imports: Imports) -> list[tuple[int, str]]:
    """The test files to be run, with how far each is, in their order."""
    names = {f"test_{Path(path).name}" for path in changed}
    away = nearness({*changed, *(path for path in imports if Path(path).name in names)}, imports)
    found = [(step, path) for path, step in away.items() if Path(path).name.startswith("test_") and path in imports]
    return sorted(found, key=lambda one: (one[0] > 0, *_cost(one[1]), *one))


def _cost(path: str) -> tuple[bool, int]:
    tier = Path(path).parts[1]
    return tier == "e2e", 0 if tier in ("unit", "architecture") else 1


def main() -> int:
    """Choose, say what was chosen, run it."""
    commit = sys.argv[1] if len(sys.argv) > 1 else "main"
    files = [file for folder in ("app", "tests") for file in (REPOSITORY / folder).rglob("*.py")]
    tests = chosen(changed_since(commit), imports_of(files))
    for step, path in tests:
        sys.stdout.write(f"{step}  {path}\n")
    sys.stdout.write(f"{len(tests)} test files are near what was changed since {commit}\n")
    sys.stdout.flush()
    command = (sys.executable, "-m", "pytest", "-x", "-m", "not faults", *(path for _, path in tests))
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode if tests else 0


if __name__ == "__main__":
    sys.exit(main())
