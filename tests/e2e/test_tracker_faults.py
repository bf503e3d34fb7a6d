"""What visitors do in a shop is counted exactly once, whatever happens to their tabs, the network and the service."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.chromium import chromium
from tests.support.oracle import Oracle
from tests.support.service import Installation, Service
from tests.support.service_activities import ask_exactly
from tests.support.shop import Shop, a_shop
from tests.support.shop_visitors import TYPES, Visitor, visiting
from tests.support.waiting import lives, until

pytestmark = [pytest.mark.chromium, pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(240)]

VICTIMS = ("api", "api", "redis", "worker")


@pytest.fixture
def shop() -> Iterator[Shop]:
    with a_shop() as shop:
        yield shop


@pytest.mark.parametrize("steps", [30, pytest.param(250, marks=[pytest.mark.faults, pytest.mark.timeout(600)])])
def test_what_visitors_do_is_counted_once_whatever_happens_to_tabs_network_and_service(shop: Shop, steps: int) -> None:
    chance = random.Random(steps)
    killed: Counter[str] = Counter()
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        installation = stack.enter_context(Installation(security={"anonymous": ["health", "stats"]}))
        service = installation.run()
        key = publishable_key(installation, shop.origin)
        shop.head = f'<script async src="{service.url}/marquee.js" data-key="{key}" data-page-views></script>'
        visitors = [Visitor(browser, shop.origin, user) for user in ("ana", "ben")]

        def kill() -> None:
            if chance.random() < 0.1:
                victim = chance.choice(VICTIMS)
                killed[victim] += killed_one(installation, service, victim)

        visiting(visitors, chance, steps, kill)
        service.until_ready()
        done = [activity for visitor in visitors for activity in visitor.finish()]

        oracle = Oracle(done, UTC)
        views = sum(visitor.faults["opened"] for visitor in visitors)
        until(lambda: sum(total["count"] for total in totals_of(service)) >= len(oracle.activities) + views, 60)
        assert totals_of(service) == [{"type": "page_view", "count": views, "sum": 0}, *oracle.totals()]
        today = datetime.now(UTC).date()
        assert ask_exactly(service, f"/stats/dau?from={today}&to={today}") == oracle.dau(today, today)
        assert "agree" in installation.command("stats", "verify").stdout


def publishable_key(installation: Installation, origin: str) -> str:
    installation.command("users", "create", "shop", "shop@example.com", "--role", "writer")
    return installation.command("keys", "create", "shop", "--publishable", "--origin", origin).stdout.strip()


def totals_of(service: Service) -> list[dict[str, Any]]:
    """What is counted, but for statements of who somebody is."""
    return [total for total in ask_exactly(service, "/stats") if total["type"] in ("page_view", *TYPES)]


def killed_one(installation: Installation, service: Service, victim: str) -> bool:
    """Kill a process of the service, if it lives; its supervisor starts another."""
    pid = installation.redis_pid() if victim == "redis" else service.child(victim)
    if pid is None or not lives(pid):
        return False
    os.kill(pid, signal.SIGKILL)
    return True
