"""Clients of server-sent events that people have read the change feed of a running service, and go on after a cut.

`make client-tools` installs those for Node.js, in the versions of tests/data/clients, into .tools.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.feed_files import a_feed, some_items
from tests.support.relay import Relay
from tests.support.service import REPOSITORY, Installation, Service, started
from tests.support.service_access import a_user, bearer, first_admin_key, json_of, send
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(120)]

CLIENTS = REPOSITORY / "tests" / "data" / "clients"
MODULES = REPOSITORY / ".tools" / "node_modules"


class Site(NamedTuple):
    installation: Installation
    service: Service
    key: str
    """A reader's."""
    admin: str

    @property
    def feed(self) -> list[dict[str, Any]]:
        pages = json_of(send(self.service, "GET", "/catalog/changes", headers=bearer(self.key)))
        return list(pages["changes"])


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Installation() as installation:
        feed = {"name": "demo", "url": installation.write("feed.xml", a_feed(some_items(3))), "timezone": "UTC"}
        installation.configure(feed | {"interval": 3600}, security={"anonymous": ["health", "search"]})
        service = installation.run()
        yield Site(installation, service, a_user(installation, "app", "reader"), first_admin_key(service))


def command(client: str, folder: Path) -> tuple[str, ...]:
    """Say how a client is started; one that is not installed skips the test, not in CI."""
    if client == "httpx-sse":
        return sys.executable, str(REPOSITORY / "tests" / "processes" / "sse_reader.py")
    found = shutil.which("node")
    if found is None or not (MODULES / "event-source-polyfill").is_dir():
        reason = "Node.js or its packages are missing: `make client-tools` installs these"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    shutil.copy(CLIENTS / "streams.mjs", folder)
    (folder / "node_modules").symlink_to(MODULES)
    return str(found), str(folder / "streams.mjs"), client


class Reader:
    """A client that runs, and what it has read."""

    def __init__(self, *words: str) -> None:
        self.messages: list[dict[str, str]] = []
        self._process = started(words, stdout=subprocess.PIPE, text=True)
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as said:
            self.messages.extend(map(json.loads, said))

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join(10)


@pytest.mark.parametrize("client", ["httpx-sse", "fetch-event-source", "event-source-polyfill"])
def test_a_client_makes_a_message_of_each_change_and_of_nothing_else_also_after_a_cut(
    site: Site, tmp_path: Path, client: str
) -> None:
    until(lambda: len(site.feed) >= 3)
    at = urlsplit(site.service.url or "")
    with Relay(at.hostname or "", at.port or 0) as relay:
        reader = Reader(*command(client, tmp_path), f"http://127.0.0.1:{relay.port}", site.key)
        try:
            until(lambda: len(reader.messages) >= len(site.feed))
            before = len(site.feed)
            relay.down()
            site.installation.write("feed.xml", a_feed(some_items(3, title=f"Seen by {client}")))
            assert send(site.service, "POST", "/catalog/providers/demo/sync", headers=bearer(site.admin)).status == 202
            until(lambda: len(site.feed) > before)
            relay.up()
            until(lambda: len(reader.messages) >= len(site.feed))
        finally:
            reader.end()

    assert [json.loads(message["data"])["id"] for message in reader.messages] == [change["id"] for change in site.feed]
    assert len({message["id"] for message in reader.messages}) == len(reader.messages)


def test_no_token_and_no_key_of_a_url_is_logged(site: Site) -> None:
    made = json_of(send(site.service, "POST", "/stream-tokens", headers=bearer(site.key)), 201)

    opened = site.service.ask(f"/catalog/changes?token={made['token']}&limit=1")
    wrong = site.service.ask(f"/catalog/providers?token={made['token']}")
    misplaced = site.service.ask(f"/catalog/changes?token={site.key}")

    assert [answer.status for answer in (opened, wrong, misplaced)] == [200, 401, 400]
    log = site.service.log_file.read_text()
    assert made["token"] not in log
    assert site.key not in log
