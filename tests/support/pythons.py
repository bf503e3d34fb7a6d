"""Which interpreters there are to try Marquee on, and a machine that has next to nothing else."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
BASIC_TOOLS = ("sh", "awk", "cat", "dirname", "env", "expr", "ls", "mkdir", "rm", "sed", "touch", "tr", "uname", "make")
"""What any Linux and macOS has; no compiler, no Redis, no git."""


def find_python(version: str) -> Path | None:
    """Find an interpreter: in MARQUEE_TEST_PYTHONS (paths, parted as in PATH), on the PATH, in pyenv's root."""
    return next((path for path in _candidates(version) if _is(path, version)), None)


def bare_path(python: Path, folder: Path) -> str:
    """Make a PATH of the basic tools and one interpreter, called python3."""
    folder.mkdir()
    for tool in BASIC_TOOLS:
        there = shutil.which(tool)
        if there:
            (folder / tool).symlink_to(there)
    (folder / "python3").symlink_to(python)
    return str(folder)


def _candidates(version: str) -> Iterator[Path]:
    yield from (Path(path) for path in os.environ.get("MARQUEE_TEST_PYTHONS", "").split(os.pathsep) if path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True)
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        on_path = shutil.which(f"python{version}", path=directory) if directory else None
        if on_path:
            yield Path(on_path)


def _is(path: Path, version: str) -> bool:
    asked = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:2])))"
    try:
        answer = subprocess.run([path, "-c", asked], capture_output=True, text=True, check=False, timeout=20)
    except OSError:
        return False
    return answer.stdout.strip() == version
