"""Clients that post while a test does something to the service, and whether all that was promised is counted after."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.support.oracle import Oracle
from tests.support.service import Service
from tests.support.service_activities import Client, ask_exactly, counted, expected, stats_of
from tests.support.waiting import until

RECOVERY_SECONDS = 150.0


def start_clients(service: Service, count: int, *, pause: float = 0.005) -> list[Client]:
    assert service.url
    netloc = urlsplit(service.url).netloc
    clients = [Client(lambda: HTTPConnection(netloc, timeout=30), seed, pause=pause) for seed in range(count)]
    for client in clients:
        client.start()
    return clients


def promised(clients: Sequence[Client]) -> int:
    return sum(len(client.posted) for client in clients)


def finish(clients: Sequence[Client]) -> list[Any]:
    """End them with what they have in hand; all that they were promised."""
    posted = [activity for client in clients for activity in client.finish()]
    assert not [surprise for client in clients for surprise in client.surprises]
    return posted


def assert_exact(service: Service, posted: Sequence[Any]) -> None:
    """Every figure is what follows from what was promised."""
    oracle = Oracle(posted, UTC)
    until(lambda: counted(service) >= len(oracle.activities), RECOVERY_SECONDS)
    today = datetime.now(UTC).date()
    assert stats_of(lambda target: ask_exactly(service, target)) == expected(oracle, today)
