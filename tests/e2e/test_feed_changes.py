"""A feed over HTTP that changes: from the provider to every API process within a second."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import count

import pytest

from tests.support.both_processes import connections_to_both, process_of
from tests.support.feed_files import FeedServer, a_feed, an_item
from tests.support.service import Installation, Service, ask
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

ATTEMPTS = count(1)
"""A test that is run again meets what it left behind."""


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
    with connections_to_both(two_workers) as connections:
        yield connections


def new_worker_answers(service: Service, known: set[str]) -> bool:
    with closing(service.connect()) as connection:
        return process_of(connection) not in known


def titles_over(connection: HTTPConnection) -> list[str]:
    return [plan["title"] for plan in ask(connection, "/search").plans]


def test_a_committed_change_is_searchable_in_every_process_within_a_second(
    two_workers: Service, feed: FeedServer, connections: list[HTTPConnection]
) -> None:
    attempt = next(ATTEMPTS)
    for number in range(3):
        title = f"Changed {number} of {attempt}"
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
    year = 2030 + next(ATTEMPTS)
    for mode, title, found in (("offline", "A", None), ("online", "B", "B"), ("offline", "C", "C")):
        feed.document = a_feed(
            [an_item(1, title="Alone"), an_item(year, title=title, mode=mode, starts=f"{year}-01-01T10:00:00")]
        )
        two_workers.request_sync("acme")

        def all_find(expected: str | None) -> bool:
            target = f"/search?starts_at={year}-01-01T00:00:00Z"
            found = [ask(connection, target).plans for connection in connections]
            return all([plan["title"] for plan in plans] == ([expected] if expected else []) for plans in found)

        until(lambda: all_find(found), 1.0)  # noqa: B023 - called before the next turn


def test_a_feed_that_says_the_same_is_not_written_again(two_workers: Service) -> None:
    first = two_workers.request_sync("acme")
    second = two_workers.request_sync("acme")

    assert first["run_id"] != second["run_id"]
    assert (second["outcome"], second["changes"], second["records"]) == ("unchanged", {}, 0)


def test_metrics_add_up_what_both_processes_counted(two_workers: Service, connections: list[HTTPConnection]) -> None:
    def searches() -> float:
        return two_workers.figure("marquee_http_requests_total", route="/search")

    time.sleep(0.5)  # a request is counted just after it was answered
    before = searches()
    for connection in connections:
        ask(connection, "/search")

    until(lambda: searches() - before == len(connections), 2.0)


def test_a_process_that_was_killed_is_replaced_without_a_wrong_answer_to_new_connections(
    two_workers: Service, connections: list[HTTPConnection]
) -> None:
    killed = two_workers.child("api-1")
    before, found = {process_of(connection) for connection in connections}, two_workers.search()

    os.kill(killed, signal.SIGKILL)

    while two_workers.child("api-1") == killed or not new_worker_answers(two_workers, before):
        assert two_workers.search() == found
