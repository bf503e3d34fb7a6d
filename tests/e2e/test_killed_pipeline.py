"""The proof: kill -9 of API, workers, Redis and supervisor at random, and afterwards every figure is the oracle's.

Clients post a known set, again and again until they have a 202, and some of it twice. `make test-kill` sets
MARQUEE_KILLS=100.
"""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.client import HTTPConnection
from zoneinfo import ZoneInfo

import pytest

from tests.support.chaos import Chaos
from tests.support.oracle import Oracle
from tests.support.ports import free_port
from tests.support.postgres import postgres_database
from tests.support.service import Installation
from tests.support.service_activities import Client, ask_exactly, counted, expected, stats_of
from tests.support.waiting import until

KILLS = int(os.environ.get("MARQUEE_KILLS", "10"))

pytestmark = [pytest.mark.redis_server, pytest.mark.slow, pytest.mark.timeout(700 + 20 * KILLS)]

CLIENTS = 3
ZONE = ZoneInfo("Europe/Madrid")
RECOVERY_SECONDS = 240.0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "embedded"
        return
    with postgres_database() as url:
        yield url


def test_no_activity_is_lost_or_counted_twice_whatever_is_killed(database_url: str) -> None:
    port = free_port()
    with ExitStack() as stack:
        installation = stack.enter_context(
            Installation(
                service={"port": port, "workers": 2},
                database={"url": database_url},
                activity={"workers": 2, "takeover": 1},
                stats={"timezone": str(ZONE)},
            )
        )
        assert "the schema is" in installation.command("migrate").stdout
        chaos = Chaos(installation, random.Random(KILLS))
        clients = [Client(lambda: HTTPConnection("127.0.0.1", port, timeout=10), seed) for seed in range(CLIENTS)]
        for client in clients:
            client.start()

        chaos.kill(KILLS)
        posted = [activity for client in clients for activity in client.finish()]

        surprises = [surprise for client in clients for surprise in client.surprises]
        assert not surprises, (surprises, chaos.traces())
        oracle = Oracle(posted, ZONE)
        until(lambda: counted(chaos.service) >= len(oracle.activities), RECOVERY_SECONDS)
        today = datetime.now(UTC).astimezone(ZONE).date()
        assert stats_of(lambda target: ask_exactly(chaos.service, target)) == expected(oracle, today)
        assert sum(chaos.killed.values()) == KILLS
        assert "agree" in installation.command("stats", "verify").stdout
        assert installation.json_of("dead-letters", "list") == []
