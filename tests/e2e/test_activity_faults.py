"""A database that is down, a Redis that is down, a disk that is full, under clients that go on posting."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.feed_files import a_feed, some_items
from tests.support.load import assert_exact, finish, promised, start_clients
from tests.support.postgres import postgres_database
from tests.support.relay import Relay
from tests.support.service import Answer, Installation, Service
from tests.support.service_activities import counted, known_activities, wire
from tests.support.waiting import is_stopped, until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(600)]

A_MINUTE = 60.0
MIB = 1024 * 1024


def test_a_database_that_is_down_for_a_minute_costs_nothing_but_time() -> None:
    with postgres_database() as url, Installation() as installation:
        server = make_url(url)
        with Relay(server.host or "127.0.0.1", server.port or 5432) as relay:
            through = server.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False)
            installation.configure(database={"url": through, "timeout": 2}, activity={"takeover": 1})
            assert installation.command("migrate").returncode == 0
            service = installation.run()
            clients = start_clients(service, 2, pause=0.05)  # so that a minute's backlog is none of many minutes
            until(lambda: counted(service) > 0)

            relay.down()
            time.sleep(A_MINUTE)
            before = promised(clients)
            until(lambda: promised(clients) > before)
            asked = service.ask("/stats")
            relay.up()
            posted = finish(clients)

            assert (asked.status, asked.json["error"]["code"]) == (503, "history_unavailable")
            assert int(asked.headers["retry-after"]) > 0
            assert all(set(client.statuses) == {202} for client in clients)
            assert_exact(service, posted)


def test_an_embedded_database_that_somebody_has_locked_is_waited_for() -> None:
    with Installation(database={"timeout": 1}) as installation:
        service = installation.run()
        clients = start_clients(service, 2)
        until(lambda: counted(service) > 0)

        with closing(sqlite3.connect(installation.data / "history.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(10)
            other.execute("ROLLBACK")
        posted = finish(clients)

        assert all(set(client.statuses) == {202} for client in clients)
        assert_exact(service, posted)


def test_while_redis_is_down_the_door_says_503_and_search_goes_on() -> None:
    with Installation() as installation:
        url = installation.write("feed.xml", a_feed(some_items(20)))
        installation.configure({"name": "acme", "url": url, "interval": 3600})
        service = installation.run()
        until(lambda: len(service.search()) == 20)
        body = wire([next(known_activities(1))])

        pid = installation.redis_pid()
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: is_stopped(pid))
            refused = _post(service, body)
            found = service.search()
        finally:
            os.kill(pid, signal.SIGCONT)

        assert (refused.status, refused.json["error"]["code"]) == (503, "live_state_unavailable")
        assert int(refused.headers["retry-after"]) > 0
        assert len(found) == 20
        until(lambda: _post(service, body).status == 202)
        until(lambda: counted(service) == 1)


def test_a_backlog_at_its_limit_is_told_and_nothing_of_it_is_taken() -> None:
    with Installation(activity={"max_backlog": 50, "workers": 0}) as installation:
        service = installation.run()
        source = known_activities(2)
        batch = [next(source) for _ in range(60)]

        taken, refused = _post(service, wire(batch)), _post(service, wire([next(source)]))
        installation.start("worker")

        assert taken.json["accepted"] == 60
        assert (refused.status, refused.json["error"]["code"]) == (503, "queue_full")
        assert int(refused.headers["retry-after"]) > 0
        until(lambda: counted(service) == 60)
        assert _post(service, wire([next(source)])).status == 202
        until(lambda: counted(service) == 61)


def test_a_full_disk_is_told_and_costs_nothing_once_there_is_room() -> None:
    with small_disk(96 * MIB) as disk, Installation(service={"data_dir": str(disk / "data")}) as installation:
        installation.data = disk / "data"
        service = installation.run()
        clients = start_clients(service, 2, pause=0.02)
        until(lambda: counted(service) > 0)

        ballast = disk / "ballast"
        _fill(ballast)
        until(lambda: any(503 in client.statuses for client in clients), 60)
        time.sleep(3)
        _fill(ballast)
        searched = service.ask("/search?starts_at=2021-01-01T00:00:00Z")
        ballast.unlink()
        until(lambda: _post(service, wire([])).status == 400, 60)
        posted = finish(clients)

        assert searched.status == 200
        assert all(set(client.statuses) <= {202, 503, "no answer"} for client in clients)
        assert_exact(service, posted)
        with closing(sqlite3.connect(disk / "data" / "history.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _post(service: Service, body: bytes) -> Answer:
    with closing(service.connect()) as connection:
        connection.request("POST", "/events", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """Mount a file system in memory, which takes root; skipped elsewhere."""
    directory = Path(tempfile.mkdtemp(prefix="mq-"))
    options = f"size={size},uid={os.getuid()},gid={os.getgid()}"
    mount = ("mount", "-t", "tmpfs", "-o", options, "marquee-test", str(directory))
    sudo: tuple[str, ...] = () if os.getuid() == 0 else ("sudo", "-n")
    if not shutil.which("mount") or subprocess.run((*sudo, *mount), capture_output=True, check=False).returncode:
        directory.rmdir()
        pytest.skip("NO SMALL DISK: mounting a tmpfs takes root, or sudo without a password")
    try:
        yield directory
    finally:
        subprocess.run((*sudo, "umount", "-l", str(directory)), check=True)
        directory.rmdir()


def _fill(ballast: Path) -> None:
    """Take all the room that is left."""
    with ballast.open("ab") as file:
        for size in (MIB, 4096, 512):
            try:
                while True:
                    os.write(file.fileno(), b"\0" * size)
            except OSError:
                continue
