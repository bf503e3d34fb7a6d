"""Backups of a service that runs, and what becomes of them."""

import os
import sqlite3
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.adapters.machine.index_place import PLACE
from tests.support.feed_files import a_feed, an_item
from tests.support.load import assert_exact, finish, promised, start_clients
from tests.support.postgres import postgres_database
from tests.support.service import Installation, Service
from tests.support.service_activities import counted, wire
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.faults, pytest.mark.timeout(600)]


def test_a_backup_under_load_has_what_was_promised_before_it_and_counts_nothing_twice() -> None:
    with Installation() as first, Installation() as second:
        service = first.run()
        assert first.command("webhooks", "add", "shop", "https://shop.example/in").returncode == 0
        clients = start_clients(service, 2, pause=0.05)
        until(lambda: counted(service) > 500)
        before = [activity for client in clients for activity in list(client.posted)]
        folder = first.directory / "backup"

        old_mask = os.umask(0o000)  # whatever it is, modes are ours
        try:
            made = first.command("backup", str(folder))
            after = promised(clients)
            until(lambda: promised(clients) > after + 200)
            posted = finish(clients)
            service.end()
            restored = second.command("restore", str(folder))
        finally:
            os.umask(old_mask)
        assert (made.returncode, restored.returncode) == (0, 0), made.stderr + restored.stderr
        assert _modes(folder) == {0o600, 0o700}
        assert _modes(second.data) == {0o600, 0o700}
        assert "switched off: shop" in restored.stdout

        again = second.run()
        until(lambda: again.ask("/health").json["activities"]["backlog"] == 0, seconds=60)  # taken over after 30
        known = len({activity["id"] for activity in before})
        assert known <= counted(again) <= len({activity["id"] for activity in posted})
        assert second.json_of("webhooks", "list")[0]["why_off"] == "somebody switched it off"
        assert second.command("stats", "verify").returncode == 0
        for start in range(0, len(posted), 1_000):
            assert _post(again, wire(posted[start : start + 1_000])) == 202
        assert_exact(again, posted)


def test_a_restore_leaves_alone_what_is_there_and_who_works_there() -> None:
    with Installation() as installation:
        service = installation.run()
        folder = installation.directory / "backup"
        assert installation.command("backup", str(folder)).returncode == 0

        twice = installation.command("backup", str(folder))
        running = installation.command("restore", str(folder), "--force")
        service.end()
        in_the_way = installation.command("restore", str(folder))
        forced = installation.command("restore", str(folder), "--force")

        assert (twice.returncode, twice.stderr.count("is not empty")) == (1, 1)
        assert (running.returncode, running.stderr.count("a service runs on")) == (1, 1)
        assert (in_the_way.returncode, in_the_way.stderr.count("is in the way: --force moves")) == (1, 1)
        assert forced.returncode == 0, forced.stderr
        (aside,) = installation.data.glob("replaced-*")
        assert (aside / "history.sqlite3").exists()
        installation.run()


def test_a_damaged_or_unfinished_backup_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    with Installation() as installation, Installation() as other:
        assert installation.command("migrate").returncode == 0
        folder = tmp_path / "backup"
        assert installation.command("backup", str(folder)).returncode == 0
        whole = (folder / "history.sqlite3").read_bytes()
        (folder / "history.sqlite3").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

        damaged = other.command("restore", str(folder))
        (folder / "backup.json").unlink()
        unfinished = other.command("restore", str(folder))

        assert (damaged.returncode, damaged.stderr.count("is not the file that was backed up")) == (1, 1)
        assert (unfinished.returncode, unfinished.stderr.count("holds no whole backup")) == (1, 1)
        assert not (other.data / "history.sqlite3").exists()


@pytest.mark.postgres
def test_a_backup_of_postgresql_is_a_file_that_can_be_restored_into_an_empty_one() -> None:
    with postgres_database() as url, postgres_database() as other, Installation(database={"url": url}) as installation:
        assert installation.command("migrate").returncode == 0
        assert installation.command("users", "create", "ana", "ana@example.com").returncode == 0
        folder = installation.directory / "backup"

        made = installation.command("backup", str(folder))
        there = installation.command("restore", str(folder), "--force", MARQUEE__DATABASE__URL=other)
        in_the_way = installation.command("restore", str(folder), "--force")

        assert (made.returncode, there.returncode) == (0, 0), made.stderr + there.stderr
        assert (in_the_way.returncode, in_the_way.stderr.count("holds data already")) == (1, 1)
        assert "ana@example.com" in installation.command("users", "list", MARQUEE__DATABASE__URL=other).stdout
        with closing(sqlite3.connect(folder / "history.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.postgres
def test_an_empty_database_beside_a_full_history_file_is_told_of() -> None:
    with postgres_database() as url, Installation() as installation:
        service = installation.run()
        assert _post(service, b'{"type":"view","occurred_at":"2026-01-01T00:00:00Z"}') == 202
        until(lambda: counted(service) == 1)
        service.end()
        installation.configure(database={"url": url})
        assert installation.command("migrate").returncode == 0

        moved = installation.run()

        (told,) = [entry for entry in moved.log if "lies beside it" in entry["event"]]
        assert (told["file"], told["activities_and_states"]) == (str(installation.data / "history.sqlite3"), 1)
        assert "marquee history copy --from embedded --to" in told["event"]


def _modes(folder: Path) -> set[int]:
    paths = (folder, *(path for path in folder.rglob("*") if not path.is_socket()))
    return {path.stat().st_mode & 0o777 for path in paths}


def _post(service: Service, body: bytes) -> int:
    assert service.url
    with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=30)) as connection:
        connection.request("POST", "/events", body, {"Content-Type": "application/json"})
        return connection.getresponse().status


def test_a_backup_has_no_index_file_and_an_old_one_misleads_nobody_after_a_restore(tmp_path: Path) -> None:
    with Installation() as installation:
        installation.write("feed.xml", a_feed([an_item(1, title="Then"), an_item(2)]))
        url = (installation.directory / "feed.xml").as_uri()
        installation.configure({"name": "acme", "url": url, "interval": 3600}, search={"index_interval": 1})
        service = installation.run()
        until(lambda: service.finds(title="Then"))
        assert installation.command("backup", str(tmp_path / "backup")).returncode == 0
        installation.write("feed.xml", a_feed([an_item(1, title="Later"), an_item(2)]))
        service.request_sync("acme")
        until(lambda: service.finds(title="Later"))
        service.end()
        newer = (installation.data / PLACE).read_bytes()
        (installation.directory / "feed.xml").unlink()  # nothing could be synced

        restored = installation.command("restore", str(tmp_path / "backup"), "--force")
        left = (installation.data / PLACE).exists()
        (installation.data / PLACE).write_bytes(newer)  # as who restores by hand would leave it
        again = installation.run()

        assert (restored.returncode, left) == (0, False), restored.stderr
        assert not [path for path in (tmp_path / "backup").rglob("*") if "index" in path.name]
        until(lambda: again.finds(title="Then"))
        assert not again.finds(title="Later")
