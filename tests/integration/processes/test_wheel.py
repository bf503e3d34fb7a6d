"""The wheel, installed in an environment of its own and used in a folder of its own: it is whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.service import REPOSITORY
from tests.support.waiting import until

pytestmark = [pytest.mark.faults, pytest.mark.redis_server, pytest.mark.timeout(400)]

SOURCES = ("app", "config.yaml", "pyproject.toml", "README.md", "LICENSE")
"""What the Dockerfile copies, too: see the last test."""
READY = "search is ready"


def run(command: Sequence[str | Path], folder: Path, *, code: int = 0) -> str:
    """Run a command in a folder, and nothing of this repository on its path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MARQUEE_", "PYTHON"))}
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for a build leaves files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
    run((*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", "built", "."), folder)
    (built,) = (folder / "built").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, and behind it on the path what it needs: the packages of this environment, but not its own `app`."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run((*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)), folder)
    (site / "pins.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def test_everything_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "app"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("NO GIT: what belongs to the package cannot be told")
    packed = set(ZipFile(wheel).namelist())

    assert {name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists()} <= packed
    assert ZipFile(wheel).read("app/infrastructure/settings/config.yaml") == (REPOSITORY / "config.yaml").read_bytes()


def test_what_was_installed_elsewhere_writes_its_configuration_checks_it_and_runs(
    environment: Path, tmp_path: Path
) -> None:
    marquee = environment / "marquee"
    run((marquee, "init"), tmp_path)
    text = (tmp_path / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(text.replace("  port: 8000", "  port: 0"))

    findings = {one["subject"]: one for one in json.loads(run((marquee, "check", "--json"), tmp_path))["findings"]}
    report = run((marquee, "sync"), tmp_path)
    providers = json.loads(run((marquee, "providers", "--json"), tmp_path))

    assert str(environment.parent) in findings["package"]["found"]
    assert {one["verdict"] for one in findings.values()} <= {"ok", "warning"}
    assert report.startswith("demo applied")
    assert providers[0]["last_run"]["outcome"] == "applied"

    log = tmp_path / "log"
    with log.open("wb") as written, subprocess.Popen((marquee, "run"), cwd=tmp_path, stderr=written) as service:
        try:
            until(lambda: READY in log.read_text() or service.poll() is not None, 60)
        finally:
            service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0, log.read_text()
    assert (tmp_path / ".marquee/history.sqlite3").is_file()


def test_the_image_is_built_from_all_that_a_wheel_needs() -> None:
    copied = " ".join(line for line in (REPOSITORY / "Dockerfile").read_text().splitlines() if line.startswith("COPY"))

    assert set(SOURCES) <= set(copied.split())
