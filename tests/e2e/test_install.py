"""What `make` sets up: from the pins alone, whatever pip the interpreter brings and whatever is new in the index."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE_SECONDS = 400.0

pytestmark = pytest.mark.timeout(3 * MAKE_SECONDS)


BACKEND = '''
"""Builds an editable wheel of nothing, so that the test needs no build tool."""

import zipfile


def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n")
        wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: us\\nTag: py3-none-any\\n")
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
    return name
'''
PROJECT = """
[project]
name = "thing"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


class Index:
    """A folder of wheels that pip takes for its index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(self, name: str, version: str, *needs: str, extras: tuple[str, ...] = ()) -> str:
        """Put a release there; returns its pin with its hash."""
        path = self.folder / f"{name}-{version}-py3-none-any.whl"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {need}" for need in needs]
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines) + "\n")
            wheel.writestr(
                f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{name}-{version}.dist-info/RECORD", "")
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path / "index")


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Path:
    """A project with our Makefile, and locks of two packages, one of which asks for the other with an extra."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    counted = index.add("counted", "1.0", extras=("toml",))
    (folder / "requirements.lock").write_text(counted)
    (folder / "requirements-dev.lock").write_text(counted + index.add("asking", "1.0", "counted[toml]>=1.0"))
    return folder


def make(project: Path, index: Index, *targets: str) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "COV_"))}
    environment = own | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index.folder), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(
        ["make", f"PYTHON={sys._base_executable}", *targets],  # type: ignore[attr-defined] # the interpreter behind this environment
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MAKE_SECONDS,
        check=False,
    )


def installed(project: Path) -> list[str]:
    answer = subprocess.run(
        [project / ".venv/bin/python", "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in answer.stdout.splitlines() if line.startswith(("counted", "asking"))]


def test_newer_releases_than_the_lock_change_nothing(project: Path, index: Index) -> None:
    index.add("counted", "2.0", extras=("toml",))
    index.add("asking", "2.0", "counted[toml]>=2.0")

    made = make(project, index, "install")

    assert made.returncode == 0, made.stdout + made.stderr
    assert installed(project) == ["asking==1.0", "counted==1.0"]


def test_a_lock_that_lacks_something_does_not_pass(project: Path, index: Index) -> None:
    asking = (project / "requirements-dev.lock").read_text().splitlines()[1]
    (project / "requirements.lock").write_text("")
    (project / "requirements-dev.lock").write_text(asking + "\n")

    made = make(project, index, "install")

    assert made.returncode != 0
    assert "asking 1.0 requires counted" in made.stdout + made.stderr


def test_a_wheel_that_is_not_the_pinned_one_does_not_pass(project: Path, index: Index) -> None:
    pinned = (project / "requirements.lock").read_text()
    (project / "requirements.lock").write_text(pinned.replace("sha256:", "sha256:0")[:-2] + "\n")

    made = make(project, index, "install")

    assert made.returncode != 0
    assert "DO NOT MATCH THE HASHES" in made.stdout + made.stderr


@pytest.mark.faults
@pytest.mark.parametrize("release", ["pip==22.3", "pip"], ids=["the oldest of 3.11", "the newest"])
def test_any_pip_installs_the_pins(project: Path, index: Index, tmp_path: Path, release: str) -> None:
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(tmp_path / "pip"), release],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if fetched.returncode != 0:
        pytest.skip(f"needs {release} from a package index: {fetched.stderr.strip().splitlines()[-1]}")
    (wheel,) = (tmp_path / "pip").glob("pip-*.whl")
    index.add("counted", "2.0", extras=("toml",))
    assert make(project, index, ".venv/.python").returncode == 0
    python = project / ".venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", str(wheel)], check=True, timeout=100)

    made = make(project, index, "install")

    assert made.returncode == 0, made.stdout + made.stderr
    assert installed(project) == ["asking==1.0", "counted==1.0"]
