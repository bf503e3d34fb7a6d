"""Ended, or killed, before it has begun: nothing is left running, and the next start is not in anybody's way."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.processes.file_lock import FileLock
from app.infrastructure.processes.parent_watch import PARENT_WATCH_VARIABLE
from app.infrastructure.settings.start_errors import EX_TEMPFAIL
from tests.support.feed_files import a_feed, some_items
from tests.support.service import COMMAND, COMMAND_SECONDS, READY_SECONDS, REPOSITORY, Installation, Service
from tests.support.waiting import lives, until

pytestmark = [pytest.mark.redis_server, pytest.mark.timeout(300)]

NAPS = 200_000
"""Half a minute, about; it answers after each 1,024."""
NAP = b"*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n$6\r\n0.0001\r\n"


@pytest.fixture
def installation() -> Iterator[Installation]:
    """One provider with three plans."""
    with Installation() as installation:
        url = installation.write("feed.xml", a_feed(some_items(3)))
        installation.configure({"name": "acme", "url": url, "interval": 3600})
        yield installation


def let_it_read_for_long(data: Path) -> None:
    """Have the server sleep a little at each of many commands, and answer in between, as over much data."""
    with EmbeddedRedis(data):
        pass
    (commands,) = (data / "redis" / "appendonlydir").glob("*.incr.aof")
    with commands.open("ab") as file:
        file.write(NAP * NAPS)


def server_of(installation: Installation) -> int:
    """Wait until the server reads its data, and say which process it is."""
    found: list[int] = []

    def reads() -> bool:
        pid = installation.redis_pid() if (installation.data / "redis" / "redis.sock").exists() else None
        found.extend([pid] if pid else [])
        return bool(found)

    until(reads, READY_SECONDS)
    with installation.redis() as client:
        assert client.info("persistence")["loading"] == 1
    return found[-1]


def server_runs(installation: Installation) -> bool:
    lock = FileLock(installation.data / "redis" / "server.lock")
    free = lock.try_exclusive()
    lock.release()
    return not free


@pytest.mark.parametrize(
    ("role", "number", "code"),
    [
        ("run", signal.SIGTERM, 0),
        pytest.param("run", signal.SIGINT, 0, marks=pytest.mark.faults),
        pytest.param("run", signal.SIGHUP, 0, marks=pytest.mark.faults),
        pytest.param("api", signal.SIGTERM, 0, marks=pytest.mark.faults),
        pytest.param("worker", signal.SIGINT, 130, marks=pytest.mark.faults),
        pytest.param("sync", signal.SIGTERM, 143, marks=pytest.mark.faults),
    ],
)
def test_what_is_told_to_end_while_redis_reads_its_data_leaves_no_server(
    installation: Installation, role: str, number: signal.Signals, code: int
) -> None:
    let_it_read_for_long(installation.data)
    service = installation.start(role)
    server = server_of(installation)

    service.signal(number)

    assert service.wait(READY_SECONDS) == code
    assert not lives(server)
    assert not server_runs(installation)
    assert not [entry for entry in service.log if entry["event"] in ("child started", "redis runs")]


@pytest.mark.faults
def test_with_an_index_file_searches_are_answered_while_redis_reads_and_all_ends_when_it_is_told(
    installation: Installation,
) -> None:
    first = installation.run()
    until(lambda: len(first.search()) == 3)
    assert first.end() == 0, "which writes the file"
    let_it_read_for_long(installation.data)

    service = installation.start("run", MARQUEE__SERVICE__PORT=a_free_port())
    server = server_of(installation)
    found = service.until_ready().search()
    with installation.redis() as client:
        still_reads = client.info("persistence")["loading"]
    service.signal(signal.SIGTERM)

    assert (len(found), still_reads, service.wait(READY_SECONDS)) == (3, 1, 0)
    assert not lives(server)
    assert not any(map(lives, (service.child("api"), service.child("indexer"))))
    assert not [entry for entry in service.log if entry["event"] == "redis runs"]


@pytest.mark.faults
def test_a_server_that_somebody_else_waits_for_stays(installation: Installation) -> None:
    let_it_read_for_long(installation.data)
    first, second = installation.start("worker"), installation.start("scheduler")
    server = server_of(installation)
    until(lambda: all("redis reads its data" in str(service.log) for service in (first, second)))

    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert lives(server)

    second.signal(signal.SIGTERM)
    assert second.wait() == 0
    assert not lives(server)


def a_free_port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return str(free.getsockname()[1])


def started(service: Service, *names: str) -> bool:
    said = {entry.get("name") for entry in service.log if entry["event"] == "child started"}
    return said.issuperset(names)


def test_a_supervisor_that_was_killed_while_a_child_starts_is_started_again_at_once(installation: Installation) -> None:
    port = a_free_port()
    first = installation.start("run", MARQUEE__SERVICE__PORT=port)
    until(lambda: started(first, "api"), READY_SECONDS)  # which now has the address, and loads its code
    child = first.child("api")
    assert lives(child)

    first.kill()
    second = installation.start("run", MARQUEE__SERVICE__PORT=port).until_ready()

    assert second.runs
    until(lambda: not lives(child))
    until(lambda: len(second.search()) == 3)


@pytest.mark.parametrize("role", ["run", pytest.param("api", marks=pytest.mark.faults)])
def test_an_address_that_stays_in_use_is_told_with_a_code_that_asks_for_another_try(
    installation: Installation, role: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = installation.start(role, MARQUEE__SERVICE__PORT=str(port))

        assert service.wait(READY_SECONDS) == EX_TEMPFAIL

    waited, told = service.log_file.read_text().splitlines()
    assert "the address is in use; it is tried again for a while" in waited
    assert told.startswith(f"marquee: service.host, service.port: 127.0.0.1:{port} cannot be listened on")
    assert "MARQUEE__SERVICE__PORT" in told
    assert installation.redis_pid() is None


def test_a_child_whose_supervisor_is_gone_before_it_is_loaded_ends_at_once(installation: Installation) -> None:
    read_end, write_end = os.pipe()
    os.close(write_end)
    try:
        done = subprocess.run(
            (*COMMAND, "--config", str(installation.config), "scheduler"),
            cwd=REPOSITORY,
            env={**os.environ, PARENT_WATCH_VARIABLE: str(read_end)},
            pass_fds=(read_end,),
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    finally:
        os.close(read_end)

    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert not installation.data.exists()
