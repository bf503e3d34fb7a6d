"""A client of somebody else's that sends until its input ends, and then says on standard output what was taken."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest

from tests.support.service import REPOSITORY

CLIENTS = REPOSITORY / "tests" / "data" / "clients"
MODULES = REPOSITORY / ".tools" / "node_modules"
END_SECONDS = 150.0


class ForeignProcess:
    """Started at once; `finish` ends its input and reads what it says, leaving the block ends it in any case."""

    def __init__(self, *command: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe)

    def finish(self) -> list[dict[str, Any]]:
        output, errors = self._process.communicate("", END_SECONDS)
        assert self._process.returncode == 0, errors
        said: list[dict[str, Any]] = json.loads(output)
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def python_client(module: str, *words: str) -> ForeignProcess:
    """Start one of `tests/processes`."""
    return ForeignProcess(sys.executable, str(REPOSITORY / "tests" / "processes" / module), *words)


def node_client(script: str, folder: Path, *words: str) -> ForeignProcess:
    """Start one of `tests/data/clients`; without Node.js or its packages the test is skipped, in CI it fails."""
    found = shutil.which("node")
    if found is None or not (MODULES / "@segment" / "analytics-node").is_dir():
        reason = "Node.js or its packages are missing: `make client-tools` installs these"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    shutil.copy(CLIENTS / script, folder)
    (folder / "node_modules").symlink_to(MODULES)
    return ForeignProcess(found, str(folder / script), *words)
