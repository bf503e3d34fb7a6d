"""The README's two commands on every Python that is found, with next to nothing else on the PATH."""

import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.pythons import SUPPORTED, bare_path, find_python
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
NOT_OURS = (
    ".git",
    ".venv",
    ".tools",
    ".marquee",
    ".hypothesis",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    "*.egg-info",
    "__pycache__",
)
OF_PIP = ("WARNING: Location", "Looking in ")
INSTALL_SECONDS = 800.0
OLDEST = SUPPORTED[0]
"""CI runs all tests on it anyway."""
WHAT_DIFFERS = ("UNIT=tests/unit", "WORKERS=2")
"""No tests that read our own text, which no Python changes; unit tests wait for nothing, so two at a time."""

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

    made = make(project, environment, *(["install"] if version == OLDEST else ["test-unit", *WHAT_DIFFERS]))
    assert made.returncode == 0, what_failed(made.stdout + made.stderr)

    assert_runs(project, environment, tmp_path)


def make(project: Path, environment: Mapping[str, str], *goal: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", *goal],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )


def what_failed(said: str) -> str:
    """Give the names of the tests that failed, then the end of what was said; without pip's words on where it looks."""
    lines = [line for line in said.splitlines() if not line.lstrip().startswith(OF_PIP)]
    return "\n".join([line for line in lines if line.startswith(("FAILED ", "ERROR "))] + lines[-150:])


def test_what_failed_is_named_first_and_without_what_pip_says_of_its_sources() -> None:
    pip = ["WARNING: Location '/here' is ignored", "Looking in indexes: somewhere"] * 200
    said = "\n".join(["1 failed", "FAILED test_it.py::test_this", "make: *** Error 1", *pip])

    assert what_failed(said).splitlines() == [
        "FAILED test_it.py::test_this", "1 failed", "FAILED test_it.py::test_this", "make: *** Error 1",
    ]  # fmt: skip


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
