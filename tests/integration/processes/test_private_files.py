"""What lies in the data directory is for its owner alone, whatever the umask; a directory that was there is left so."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.adapters.machine.private_files import make_private_directory, make_private_file
from app.adapters.outbound.sql.database import FILE, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.processes.shared_metrics import shared_metrics
from tests.support.redis_server import require_server
from tests.support.service import COMMAND, COMMAND_SECONDS, REPOSITORY


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def open_to_others(directory: Path) -> list[str]:
    """Whatever somebody else may touch; a socket is a file."""
    return sorted(f"{path.name} {mode(path):o}" for path in directory.rglob("*") if mode(path) & 0o077)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o177])
def test_directories_and_files_are_ours_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        make_private_directory(tmp_path / "a" / "b")
        make_private_file(tmp_path / "a" / "b" / "file")

    assert [mode(path) for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]
    assert mode(tmp_path / "a" / "b" / "file") == 0o600 & ~mask


def test_a_directory_that_is_there_keeps_its_mode_and_a_file_of_ours_is_closed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "file").touch()
    (shared / "file").chmod(0o644)

    make_private_directory(shared)
    make_private_file(shared / "file")

    assert mode(shared) == 0o755
    assert mode(shared / "file") == 0o600


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="file"):
        make_private_directory(tmp_path / "file")


async def test_the_history_is_closed_with_all_its_files_also_when_it_was_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with umask(0):
        database = open_database("embedded", data, timeout=1)
        await migrate(database)
        assert {path.name for path in data.iterdir()} == {FILE, f"{FILE}-wal", f"{FILE}-shm"}
        assert (mode(data), open_to_others(data)) == (0o700, [])
        for path in data.iterdir():  # as a backup that was brought back without a thought
            path.chmod(0o644)
        await open_database("embedded", data, timeout=1).aclose()
        assert open_to_others(data) == []
        await database.aclose()


@pytest.mark.redis_server
def test_the_servers_directory_is_closed_and_what_it_writes_and_what_an_earlier_one_left(tmp_path: Path) -> None:
    require_server()
    data = tmp_path / "new" / "data"
    with umask(0):
        with EmbeddedRedis(data):
            assert open_to_others(tmp_path) == []
        for path in (data / "redis").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        (data / "redis").chmod(0o755)

        with EmbeddedRedis(data):
            assert open_to_others(tmp_path) == []


def test_figures_of_several_processes_are_closed(tmp_path: Path) -> None:
    with umask(0), shared_metrics(tmp_path / "data"):
        assert open_to_others(tmp_path) == []


@pytest.mark.redis_server
@pytest.mark.slow
def test_a_command_makes_nothing_that_others_may_read(tmp_path: Path) -> None:
    require_server()
    data = tmp_path / "state" / "data"

    done = subprocess.run(
        (*COMMAND, "providers", "--json"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "MARQUEE__SERVICE__DATA_DIR": str(data)},
        capture_output=True,
        timeout=COMMAND_SECONDS,
        check=False,
        umask=0,
    )

    assert done.returncode == 0, done.stderr
    assert (data / FILE).exists()
    assert open_to_others(tmp_path) == []


def test_a_data_directory_of_the_operator_stays_as_wide_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o750)

    open_database("embedded", data, timeout=1).engine.dispose()

    assert mode(data) == 0o750
    assert open_to_others(data) == []
