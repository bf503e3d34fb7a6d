"""A feed over HTTP that changes: from the provider to every API process within a second."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.feeds import FeedServer, a_feed, an_item
from tests.e2e.service import Installation, Service, ask
from tests.processes.waiting import until

pytestmark = pytest.mark.redis_server

CONNECTIONS = 24
"""So many that both API processes have some; which of them has one, the kernel decides."""


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedServer]:
    with FeedServer(a_feed([an_item(1, title="First"), an_item(2, title="Second")])) as feed:
        yield feed


@pytest.fixture(scope="module")
def two_workers(feed: FeedServer) -> Iterator[Service]:
    with Installation(feed.provider("acme"), service={"workers": 2}) as installation:
        service = installation.run()
        until(lambda: service.finds(title="First"))
        yield service


@pytest.fixture
def connections(two_workers: Service) -> Iterator[list[HTTPConnection]]:
    """Keep-alive connections to both processes: opened anew until there are, for one may still be loading."""
    opened: list[HTTPConnection] = []

    def reach_both() -> bool:
        close_all(opened)
        opened[:] = [two_workers.connect() for _ in range(CONNECTIONS)]
        return len({worker_of(connection) for connection in opened}) == 2

    try:
        until(reach_both)
        yield opened
    finally:
        close_all(opened)


def close_all(connections: list[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def worker_of(connection: HTTPConnection) -> str:
    """Which process answers: the request ids that it makes up begin with its own random word."""
    return ask(connection, "/search").headers["x-request-id"].partition("-")[0]


def new_worker_answers(service: Service, known: set[str]) -> bool:
    with closing(service.connect()) as connection:
        return worker_of(connection) not in known


def titles_over(connection: HTTPConnection) -> list[str]:
    return [plan["title"] for plan in ask(connection, "/search").plans]


def test_a_committed_change_is_searchable_in_every_process_within_a_second(
    two_workers: Service, feed: FeedServer, connections: list[HTTPConnection]
) -> None:
    for number in range(3):
        title = f"Changed {number}"
        feed.document = a_feed([an_item(1, title=title), an_item(2, title="Second")])

        report = two_workers.request_sync("acme")
        committed = time.monotonic()

        assert (report["outcome"], report["changes"]) == ("applied", {"changed": 1})
        until(lambda title=title: all(title in titles_over(connection) for connection in connections))  # type: ignore[misc]
        assert time.monotonic() - committed < 1.0


def test_a_plan_that_left_the_feed_stays_findable_and_is_told_as_returned_when_it_comes_back(
    two_workers: Service, feed: FeedServer, connections: list[HTTPConnection]
) -> None:
    feed.document = a_feed([an_item(1, title="Alone"), an_item(3, title="Leaves")])
    two_workers.request_sync("acme")

    feed.document = a_feed([an_item(1, title="Alone")])
    left = two_workers.request_sync("acme")
    found_after = [titles_over(connection) for connection in connections]
    feed.document = a_feed([an_item(1, title="Alone"), an_item(3, title="Leaves")])
    came_back = two_workers.request_sync("acme")

    assert left["changes"] == {"withdrawn": 1}
    assert came_back["changes"] == {"returned": 1}
    assert all("Leaves" in titles for titles in found_after)


def test_an_offline_plan_is_found_from_the_moment_it_went_online_and_ever_after(
    two_workers: Service, feed: FeedServer, connections: list[HTTPConnection]
) -> None:
    for mode, title, found in (("offline", "A", None), ("online", "B", "B"), ("offline", "C", "C")):
        feed.document = a_feed(
            [an_item(1, title="Alone"), an_item(4, title=title, mode=mode, starts="2030-01-01T10:00:00")]
        )
        two_workers.request_sync("acme")

        def all_find(expected: str | None) -> bool:
            found = [ask(connection, "/search?starts_at=2030-01-01T00:00:00Z").plans for connection in connections]
            return all([plan["title"] for plan in plans] == ([expected] if expected else []) for plans in found)

        until(lambda: all_find(found), 1.0)  # noqa: B023 - called before the next turn


def test_a_feed_that_says_the_same_is_not_written_again(two_workers: Service) -> None:
    first = two_workers.request_sync("acme")
    second = two_workers.request_sync("acme")

    assert first["run_id"] != second["run_id"]
    assert (second["outcome"], second["changes"], second["records"]) == ("unchanged", {}, 0)


def test_metrics_add_up_what_both_processes_counted(two_workers: Service, connections: list[HTTPConnection]) -> None:
    def searches() -> float:
        families = text_string_to_metric_families(two_workers.ask("/metrics").body.decode())
        samples = (sample for family in families for sample in family.samples)
        return sum(
            sample.value
            for sample in samples
            if sample.name == "marquee_http_requests_total" and sample.labels["route"] == "/search"
        )

    until(lambda: searches() == searches())  # a request is counted just after it was answered
    before = searches()
    for connection in connections:
        ask(connection, "/search")

    until(lambda: searches() - before == len(connections), 2.0)


def test_a_process_that_was_killed_is_replaced_without_a_wrong_answer_to_new_connections(
    two_workers: Service, connections: list[HTTPConnection]
) -> None:
    killed = two_workers.child("api-1")
    before = {worker_of(connection) for connection in connections}

    os.kill(killed, signal.SIGKILL)

    while two_workers.child("api-1") == killed or not new_worker_answers(two_workers, before):
        assert two_workers.finds(title="Alone")
