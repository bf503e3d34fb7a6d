"""The Lua scripts as Redis gets them, each with the functions that it calls, have nothing that luacheck objects to."""

import os
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from app.adapters.outbound.redis.lua import Script

ROOT = Path(__file__).parents[3]
REDIS = ROOT / "app" / "adapters" / "outbound" / "redis"


def scripts() -> dict[str, Script]:
    """Find every script that a module holds."""
    modules = [import_module(f"app.adapters.outbound.redis.{path.stem}") for path in sorted(REDIS.glob("*.py"))]
    return {
        f"{module.__name__.rpartition('.')[2]}{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Script)
    }


def test_luacheck_has_nothing_to_say(tmp_path: Path) -> None:
    luacheck = shutil.which("luacheck")
    if luacheck is None:
        assert not os.environ.get("CI"), "luacheck is missing"
        pytest.skip("luacheck (Debian's lua-check) is not installed")
    for name, script in scripts().items():
        (tmp_path / f"{name}.lua").write_text(script.source, encoding="utf-8")

    command = [luacheck, "--config", str(ROOT / ".luacheckrc"), "--no-color", "--codes", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (found.returncode, found.stderr) == (0, ""), found.stdout


def test_every_file_is_part_of_a_script() -> None:
    sources = [script.source for script in scripts().values()]

    unused = [path.name for path in REDIS.glob("scripts/*.lua") if not any(path.read_text() in one for one in sources)]

    assert sources
    assert unused == []
