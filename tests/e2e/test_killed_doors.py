"""The proof for every door: whatever feeds an installation while it is killed at random, every figure is the oracle's.

A shop's page in Chromium, Segment's library, a CloudEvents sender, a NATS publisher, a file and our own clients.
"""

import csv
import os
import random
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Error, Page

from tests.support.chaos import Chaos
from tests.support.chromium import chromium
from tests.support.foreign_process import node_client, python_client
from tests.support.nats_server import STREAM, NatsServer, nats_server
from tests.support.oracle import Oracle
from tests.support.ports import free_port
from tests.support.postgres import postgres_database
from tests.support.service import COMMAND, Installation
from tests.support.service_access import a_user
from tests.support.service_activities import Client, ask_exactly, counted, expected, known_activities, stats_of
from tests.support.shop import Shop, a_shop
from tests.support.waiting import until

KILLS = int(os.environ.get("MARQUEE_KILLS", "12"))
ZONE = ZoneInfo("Europe/Madrid")
RECOVERY_SECONDS = 90.0
ROWS = 20_000

pytestmark = [
    pytest.mark.faults,
    pytest.mark.redis_server,
    pytest.mark.chromium,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "embedded"
        return
    with postgres_database() as url:
        yield url


class Visitor:
    """Somebody in a browser: opens pages, tracks, says who they are, loses the network, closes pages at once."""

    def __init__(self, context: BrowserContext, shop: Shop, chance: random.Random, name: str) -> None:
        self.did: list[dict[str, Any]] = []
        self._context = context
        self._shop = shop
        self._chance = chance
        self._name = name
        self._pages: list[Page] = []
        self._is_known = False

    def act(self, seconds: float) -> None:
        """Do something, and let the pages live for a while."""
        if not self._pages or self._chance.random() < 0.3:
            self._open()
        if not self._pages:
            return
        page = self._chance.choice(self._pages)
        self._track(page)
        page.wait_for_timeout(seconds * 1000)
        if self._chance.random() < 0.3:
            self._context.set_offline(self._chance.random() < 0.5)
        if self._chance.random() < 0.3:
            self._track(page)
            self._pages.remove(page)
            page.close()

    def finish(self) -> list[dict[str, Any]]:
        """Come back once more, with the network, and wait until nothing is left to send."""
        self._context.set_offline(False)
        if not self._pages:
            until(self._is_open, 60)
        page = self._pages[0]
        self._identify(page)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.wait_for_function(NOTHING_IS_LEFT, timeout=120_000)
        return self.did

    def _is_open(self) -> bool:
        self._open()
        return bool(self._pages)

    def _open(self) -> None:
        page = self._context.new_page()
        try:
            page.goto(self._shop.origin, timeout=5000)
            page.wait_for_function("!!(window.marquee || {}).track", timeout=2000)
        except Error:  # the network is cut, or nobody serves the tracker now
            page.close()
            return
        self._pages.append(page)
        if self._chance.random() < 0.3:
            self._identify(page)

    def _track(self, page: Page) -> None:
        page.evaluate("marquee.track('shop.click', {n: 1}, 0.5)")
        self._note(type="shop.click", value="0.5", user_id=self._name if self._is_known else None)

    def _identify(self, page: Page) -> None:
        if not self._is_known:
            page.evaluate(f"marquee.identify('{self._name}')")
            self._is_known = True
            self._note(type="$identify", user_id=self._name)

    def _note(self, **done: Any) -> None:
        made = {"id": f"{self._name} {len(self.did)}", "occurred_at": datetime.now(UTC), "value": None}
        self.did.append(made | {"anonymous_id": f"browser of {self._name}"} | done)


NOTHING_IS_LEFT = "!Object.keys(localStorage).some((name) => name.startsWith('mq.') && !name.endsWith('.i'))"


def as_the_oracle_wants(said: Sequence[dict[str, Any]], sender: str) -> list[dict[str, Any]]:
    return [
        {
            "id": one.get("id") or f"{sender} {number}",
            "type": one["type"],
            "occurred_at": datetime.fromisoformat(one["at"]),
            "user_id": one.get("user_id"),
            "anonymous_id": one.get("anonymous_id"),
            "value": one.get("value"),
        }
        for number, one in enumerate(said)
    ]


def a_file(path: Path) -> list[Any]:
    """Write activities as a spreadsheet does."""
    made = list(islice(known_activities(99), ROWS))
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, ["id", "type", "occurred_at", "user_id", "value"])
        rows.writeheader()
        rows.writerows({**one, "occurred_at": one["occurred_at"].isoformat()} for one in made)
    return made


def import_until_done(installation: Installation, path: Path) -> None:
    """Import, killed in its midst, again and again until it says that all is in."""
    command = (*COMMAND, "--config", str(installation.config), "import", str(path))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as killed:
        with pytest.raises(subprocess.TimeoutExpired):
            killed.wait(1.5)
        killed.kill()
    until(lambda: installation.command("import", str(path)).returncode == 0, RECOVERY_SECONDS)


def test_every_door_counts_once_whatever_is_killed(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        broker: NatsServer = stack.enter_context(nats_server())
        broker.publish()
        shop = stack.enter_context(a_shop())
        port = free_port()
        installation = stack.enter_context(
            Installation(
                service={"port": port, "workers": 2},
                database={"url": database_url},
                activity={"workers": 2, "takeover": 1},
                stats={"timezone": str(ZONE)},
                security={"anonymous": ["health", "stats", "ingest"]},
                subscriptions=[{"name": "shop", "nats": {"servers": [broker.url], "stream": STREAM}}],  # type: ignore[arg-type]  # a list is a section, too
            )
        )
        assert "the schema is" in installation.command("migrate").stdout
        chance = random.Random(KILLS)
        key = a_user(installation, "sender", "writer")
        made = installation.command("keys", "create", "sender", "--publishable", "--origin", shop.origin)
        shop.head = f'<script src="http://127.0.0.1:{port}/marquee.js" data-key="{made.stdout.strip()}"></script>'
        browser = stack.enter_context(chromium())
        visitors = [Visitor(browser.new_context(), shop, chance, f"guest-{number}") for number in range(3)]
        others = {"broker": broker.restart}
        chaos = Chaos(installation, chance, others, lambda seconds: chance.choice(visitors).act(seconds))
        host = f"http://127.0.0.1:{port}"
        senders = {
            "segment": stack.enter_context(node_client("segment_until_taken.mjs", tmp_path, host, key, "3")),
            "cloud events": stack.enter_context(python_client("cloud_events_until_taken.py", host, key, "4")),
            "nats": stack.enter_context(python_client("nats_until_taken.py", broker.url, "5")),
        }
        client = Client(lambda: HTTPConnection("127.0.0.1", port, timeout=10), 1, pause=0.05)
        client.start()
        filed = a_file(tmp_path / "history.csv")

        chaos.kill(KILLS // 2)
        import_until_done(installation, tmp_path / "history.csv")
        chaos.kill(KILLS - KILLS // 2)
        posted: list[Any] = [*client.finish(), *filed]
        for visitor in visitors:
            posted += visitor.finish()
        for name, sender in senders.items():
            posted += as_the_oracle_wants(sender.finish(), name)

        assert not client.surprises, (client.surprises, chaos.traces())
        oracle = Oracle(posted, ZONE)
        with suppress(AssertionError):  # what is missing is told by type, below
            until(lambda: counted(chaos.service) >= len(oracle.activities), RECOVERY_SECONDS)
        today = datetime.now(UTC).astimezone(ZONE).date()
        assert ask_exactly(chaos.service, "/stats") == oracle.totals()
        assert stats_of(lambda target: ask_exactly(chaos.service, target)) == expected(oracle, today)
        users_today = f"/stats/dau?from={today}&to={today}"
        assert ask_exactly(chaos.service, users_today) == oracle.dau(today, today)
        assert "agree" in installation.command("stats", "verify").stdout
        assert installation.json_of("dead-letters", "list") == []
        assert {"page_view", "order_completed", "ticket.bought", "shop.click", "view"} <= {
            total["type"] for total in oracle.totals()
        }
