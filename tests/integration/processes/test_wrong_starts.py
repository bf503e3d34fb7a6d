"""What is said of a start that is not what its user wanted: soon, once, in a line that says what to do."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.service import COMMAND, COMMAND_SECONDS, REPOSITORY, Installation, done

EX_CONFIG = 78


def marquee(here: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a directory that knows no installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE")}
    return done((*COMMAND, *arguments), cwd=here, env={**kept, **environment})


@pytest.mark.parametrize("role", ["run", "api"])
def test_traces_without_their_packages_stop_the_start_in_one_line_before_anything_runs(
    tmp_path: Path, role: str
) -> None:
    program = (
        "import sys\n"
        "sys.modules['opentelemetry.sdk'] = None  # as good as not installed\n"
        f"sys.argv = ['marquee', {role!r}]\n"
        "from app.infrastructure.main import main\n"
        "main()\n"
    )
    environment = {
        "MARQUEE__TELEMETRY__OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "MARQUEE__SERVICE__PORT": "0",
        "MARQUEE__SERVICE__WORKERS": "2",
        "MARQUEE__REDIS__URL": "unix:///nowhere",
    }

    ended = subprocess.run(
        (sys.executable, "-c", program),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (EX_CONFIG, "")
    assert ended.stderr.startswith("marquee: telemetry.otlp_endpoint: traces need opentelemetry.sdk")
    assert ".venv/bin/pip install -e '.[telemetry]'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / ".marquee").exists()


def test_a_command_at_a_locked_database_waits_only_to_write_and_says_so_once() -> None:
    with Installation(database={"timeout": 1}, service={"data_dir": "data"}) as installation:
        assert installation.command("users", "create", "ana", "ana@example.com").returncode == 0
        with closing(sqlite3.connect(installation.data / "history.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            read = installation.command("users", "list")
            written = installation.command("users", "create", "bea", "bea@example.com")

    assert (read.returncode, read.stderr) == (0, "")
    assert (written.returncode, written.stdout) == (1, "")
    (line,) = written.stderr.splitlines()
    assert line.startswith("marquee: the database in ")
    assert "is locked by somebody else: try again" in line


def test_a_command_that_makes_an_installation_nobody_described_says_where_and_leaves_stdout_alone(
    tmp_path: Path,
) -> None:
    first, second = marquee(tmp_path, "users", "list", "--json"), marquee(tmp_path, "users", "list", "--json")

    (line,) = first.stderr.splitlines()
    assert str(tmp_path / ".marquee") in line
    assert "no config.yaml" in line
    assert "--config" in line
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout)
    assert second.stderr == ""


def test_so_does_the_migration(tmp_path: Path) -> None:
    ended = marquee(tmp_path, "migrate")

    assert "a new, empty installation was made in" in ended.stderr
    assert ended.stdout.startswith("the schema is ")


def test_an_installation_that_a_file_describes_is_made_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()

    ended = marquee(tmp_path, "users", "list")

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.redis_server
@pytest.mark.parametrize(
    ("host", "named"), [("127.0.0.1", {"curl", "dashboard", "docs", "health"}), ("0.0.0.0", {"curl", "health"})]
)
def test_the_first_line_names_what_needs_no_key(host: str, named: set[str]) -> None:
    with Installation(service={"host": host}) as installation:
        service = installation.run()
        (line,) = [entry for entry in service.log if entry["event"].startswith("marquee runs")]

        assert line.keys() & {"curl", "dashboard", "docs", "health"} == named
        assert ("the rest does" in line["event"]) == (host == "0.0.0.0")
        for name in named - {"curl"}:
            assert service.answers(line[name].removeprefix(line["at"]))
