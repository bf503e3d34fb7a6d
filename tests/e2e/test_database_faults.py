"""A pooler, a failover of PostgreSQL, and a history file that somebody takes away, under clients that post."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.load import assert_exact, finish, promised, start_clients
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import postgres_database
from tests.support.postgres_pair import PostgresPair, postgres_pair
from tests.support.service import Installation, Service
from tests.support.service_activities import counted
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.fixture
def pair() -> Iterator[PostgresPair]:
    with postgres_pair() as started:
        yield started


@pytest.mark.postgres
def test_two_workers_behind_a_pooler_store_and_count_each_activity_once() -> None:
    with postgres_database() as url, pgbouncer(url) as through, Installation() as installation:
        installation.configure(database={"url": through}, activity={"workers": 2, "takeover": 1})
        assert installation.command("migrate").returncode == 0
        service = installation.run()
        clients = start_clients(service, 3, pause=0.05)
        until(lambda: counted(service) > 1_000)
        os.kill(service.child("worker-1"), signal.SIGKILL)
        before = promised(clients)
        until(lambda: promised(clients) > before + 1_000)
        posted = finish(clients)

        assert_exact(service, posted)
        assert installation.command("stats", "verify").returncode == 0
        until(lambda: service.ask("/health").json["history"] == {"up": True, "reason": None})


@pytest.mark.postgres
def test_a_failover_of_the_database_is_followed_and_costs_nothing(pair: PostgresPair) -> None:
    with Installation() as installation:
        installation.configure(database={"url": pair.url, "timeout": 2}, activity={"workers": 2, "takeover": 1})
        assert installation.command("migrate").returncode == 0
        service = installation.run()
        clients = start_clients(service, 2, pause=0.05)
        until(lambda: counted(service) > 500)

        pair.demote()  # sessions stay, as behind a proxy: what is connected must notice by itself
        until(lambda: "read-only" in (service.ask("/health").json["history"]["reason"] or ""))
        assert service.ask("/health").json["status"] == "degraded"
        pair.promote()
        until(lambda: service.ask("/health").json["status"] == "ok", 60)
        pair.stop_first()
        before = promised(clients)
        until(lambda: promised(clients) > before + 500)
        posted = finish(clients)

        assert_exact(service, posted)


def test_a_history_file_that_is_moved_away_stops_the_settling_until_it_is_back() -> None:
    with Installation(activity={"workers": 2, "takeover": 1}) as installation:
        service = installation.run()
        clients = start_clients(service, 2, pause=0.05)
        until(lambda: counted(service) > 500)
        file, elsewhere = installation.data / "history.sqlite3", installation.data / "elsewhere"

        file.rename(elsewhere)
        until(lambda: _trouble(service), 10)
        before = promised(clients)
        until(lambda: promised(clients) > before + 500)
        told = _trouble(service)
        complaints = [entry for entry in service.log if "moved away" in str(entry.get("reason"))]
        elsewhere.rename(file)
        posted = finish(clients)

        assert "put it back, and all goes on" in told
        assert {entry["role"] for entry in complaints} >= {"worker"}
        assert_exact(service, posted)
        until(lambda: service.ask("/health").json["status"] == "ok")
        assert installation.command("stats", "verify").returncode == 0


def test_what_was_promised_while_another_history_file_lay_there_is_counted_after_a_restart() -> None:
    with Installation(activity={"workers": 2, "takeover": 1}) as installation:
        service = installation.run()
        clients = start_clients(service, 2, pause=0.05)
        until(lambda: counted(service) > 500)
        file, kept = installation.data / "history.sqlite3", installation.data / "kept"

        os.link(file, kept)  # as a backup that is right up to this moment
        shutil.copy(_an_empty_history(installation), installation.data / "other")
        (installation.data / "other").replace(file)
        until(lambda: _trouble(service), 10)
        before = promised(clients)
        until(lambda: promised(clients) > before + 500)
        told = _trouble(service)
        posted = finish(clients)
        service.end()
        kept.replace(file)
        again = installation.run()

        assert "was replaced under the running service" in told
        assert_exact(again, posted)
        assert installation.command("stats", "verify").returncode == 0


def _trouble(service: Service) -> str:
    health = service.ask("/health").json
    reason = health["history"]["reason"] or ""
    assert not reason or health["status"] == "degraded"
    return str(reason)


def _an_empty_history(installation: Installation) -> Path:
    folder = installation.directory / "empty"
    assert installation.command("migrate", MARQUEE__SERVICE__DATA_DIR=str(folder)).returncode == 0
    return folder / "history.sqlite3"
