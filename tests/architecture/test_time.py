"""Nobody reads the machine's clock but the adapter of the port Clock; waits go by `monotonic`, which nobody sets."""

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[2] / "app"
CLOCK = APP / "adapters" / "machine" / "system_clock.py"
READINGS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time"), ("time", "time_ns")}


def readings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner, node.attr) in READINGS:
                yield f"{file.relative_to(APP)}:{node.lineno}: {owner}.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"{file.relative_to(APP)}:{node.lineno}" for name in node.names if name.name.startswith("time"))


def test_only_the_clock_reads_the_time() -> None:
    found = [reading for file in sorted(APP.rglob("*.py")) if file != CLOCK for reading in readings(file)]

    assert found == []
    assert len(list(readings(CLOCK))) == 1
