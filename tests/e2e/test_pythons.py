"""The README's two commands on every Python that is found, with next to nothing else on the PATH."""

import os
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.pythons import SUPPORTED, bare_path, find_python
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
NOT_OURS = (
    ".git",
    ".venv",
    ".marquee",
    ".hypothesis",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    "*.egg-info",
    "__pycache__",
)
INSTALL_SECONDS = 800.0
OLDEST = SUPPORTED[0]
"""CI runs all tests on it anyway."""

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


@pytest.mark.may_skip_in_ci
@pytest.mark.parametrize("version", SUPPORTED)
def test_make_run_and_make_test_need_nothing_but_make_and_a_python(version: str, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        assert version != OLDEST
        pytest.skip(f"needs a Python {version}: MARQUEE_TEST_PYTHONS, the PATH and pyenv's root have none")
    project = tmp_path / "marquee"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(*NOT_OURS))
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "TMP", "HOME", "LANG"))
    }
    environment = {**kept, "PATH": bare_path(python, tmp_path / "bin")}

    made = make(project, environment, "install" if version == OLDEST else "test-unit")
    assert made.returncode == 0, (made.stdout + made.stderr)[-4000:]

    assert_runs(project, environment, tmp_path)


def make(project: Path, environment: Mapping[str, str], target: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", target],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )


def assert_runs(project: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Start it as the README says, find the demo's plans, end it as a Ctrl-C does."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=project,
            env={**environment, "MARQUEE__SERVICE__PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until(lambda: b"Los Morancos" in search(port), 120)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
    said = (folder / "log").read_text()
    assert "Traceback" not in said, said


def search(port: int) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/search", timeout=5) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return b""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
