"""Redis that dies, comes back, or comes back empty, under a service that goes on."""

import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import pytest

from tests.support.feed_files import a_feed, an_item, some_items
from tests.support.redis_server import RedisServer
from tests.support.search_load import SearchLoad
from tests.support.service import Installation, Service
from tests.support.waiting import is_stopped, lives, until

pytestmark = pytest.mark.redis_server

PLANS = 50
LOAD_SECONDS = 5.0


@pytest.fixture
def installation() -> Iterator[Installation]:
    with Installation() as installation:
        yield installation


@pytest.fixture
def service(installation: Installation) -> Service:
    return run(installation)


def run(installation: Installation, **sections: Mapping[str, object]) -> Service:
    url = installation.write("feed.xml", a_feed(some_items(PLANS)))
    installation.configure({"name": "acme", "url": url, "interval": 3600}, **sections)
    service = installation.run()
    until(lambda: len(service.search()) == PLANS)
    return service


def next_pid(installation: Installation, killed: Sequence[int]) -> int:
    """Wait for a Redis that was not killed yet."""
    found: list[int] = []

    def has_come() -> bool:
        pid = installation.redis_pid()
        if pid is not None and pid not in killed:
            found.append(pid)
        return bool(found)

    until(has_come)
    return found[0]


def accepts_a_sync(service: Service) -> bool:
    return service.ask("/catalog/providers/acme/sync", "POST").status == 202


def test_redis_killed_under_load_costs_no_search_and_following_resumes(
    installation: Installation, service: Service
) -> None:
    killed: list[int] = []
    with SearchLoad(service, PLANS) as load:
        ends_at = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < ends_at or len(killed) < 2:
            killed.append(next_pid(installation, killed))
            os.kill(killed[-1], signal.SIGKILL)
            time.sleep(1.5)
        next_pid(installation, killed)

    assert load.failures == [], [line for line in service.log if line.get("level") != "info"]
    assert load.answers > 500
    installation.write("feed.xml", a_feed([*some_items(PLANS - 1), an_item(PLANS, title="After the crash")]))
    until(lambda: accepts_a_sync(service))
    until(lambda: service.finds(title="After the crash"))
    assert len(service.search()) == PLANS


def test_while_redis_is_away_health_and_the_catalogs_routes_say_so_and_searches_and_lists_answer(
    installation: Installation, service: Service
) -> None:
    redis = installation.redis_pid()
    assert redis
    os.kill(redis, signal.SIGSTOP)

    try:
        until(lambda: is_stopped(redis))
        until(lambda: service.ask("/health").json["status"] == "degraded")
        health, plan = service.ask("/health").json, service.ask("/catalog/providers")
        ready, found = service.ask("/health/ready").status, service.search()
        listed = service.ask("/catalog/plans?limit=1000&match=overlapping&from=2000-01-01").json["plans"]
    finally:
        os.kill(redis, signal.SIGCONT)

    assert (health["store"]["up"], ready, len(found)) == (False, 200, PLANS)
    assert [plan["id"] for plan in listed] == [plan["id"] for plan in found]
    assert "does not answer in time" in health["store"]["reason"]
    assert (plan.status, plan.json["error"]["code"], plan.headers["retry-after"]) == (
        503,
        "live_state_unavailable",
        "1",
    )
    until(lambda: service.ask("/health").json["status"] == "ok")


def test_while_redis_takes_no_writes_health_says_why_and_search_answers(
    installation: Installation, service: Service
) -> None:
    refusals = {"maxmemory": (1, 0, "its memory is full"), "min-replicas-to-write": (1, 0, "too few replicas")}
    for setting, (broken, whole, reason) in refusals.items():
        with installation.redis() as operator:
            operator.config_set(setting, broken)
            until(lambda: service.ask("/health").json["status"] == "degraded")
            health, posted = service.ask("/health").json, post(service)
            found, up = service.search(), service.figure("marquee_store_up")
            operator.config_set(setting, whole)
        until(lambda: service.ask("/health").json["status"] == "ok")

        assert reason in health["store"]["reason"]
        assert (health["store"]["up"], up, posted, len(found)) == (False, 0, 503, PLANS)
        assert post(service) == 202


def post(service: Service) -> int:
    with closing(service.connect()) as connection:
        connection.request("POST", "/events", b'[{"type": "view"}]', {"Content-Type": "application/json"})
        return connection.getresponse().status


def test_a_redis_that_lost_everything_costs_no_plan_and_the_next_sync_lists_all_again(
    installation: Installation,
) -> None:
    service = run(
        installation, activity={"workers": 0}
    )  # a worker's journal would bring the plans back before the sync
    with installation.redis() as client:
        client.flushall()

    found_then = service.search()
    until(lambda: accepts_a_sync(service))
    until(lambda: bool(service.ask("/catalog/providers/acme/runs").json))
    report = service.ask("/catalog/providers/acme/runs").json[-1]
    installation.write("feed.xml", a_feed([*some_items(PLANS - 1), an_item(PLANS, title="After the loss")]))
    until(lambda: accepts_a_sync(service))

    assert len(found_then) == PLANS
    assert (report["outcome"], report["changes"]) == ("applied", {"listed": PLANS})
    until(lambda: service.finds(title="After the loss"))
    assert len(service.search()) == PLANS


def test_an_api_process_started_without_redis_becomes_ready_when_it_is_there(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with RedisServer() as redis:
        url = installation.write("feed.xml", a_feed(some_items(3)))
        installation.configure({"name": "acme", "url": url}, redis={"url": redis.url})
        assert installation.command("sync").returncode == 0
        redis.kill()

        api = installation.start("api", MARQUEE__SERVICE__PORT=port)  # its log says no address before it is ready
        until(lambda: api.answers("/health/ready", 503))
        not_yet = api.ask("/search")
        redis.start()
        api.until_ready()

        assert (not_yet.status, not_yet.json["error"]["code"]) == (500, "catalog_not_loaded")
        assert len(api.search()) == 3


def test_a_scheduler_alone_recovers_on_a_redis_that_was_killed_and_came_back_empty(installation: Installation) -> None:
    with RedisServer() as redis:
        url = installation.write("feed.xml", a_feed(some_items(PLANS)))
        installation.configure({"name": "acme", "url": url, "interval": 0.5}, redis={"url": redis.url})
        scheduler = installation.start("scheduler")
        until(lambda: applied(scheduler) == [PLANS])

        redis.kill()
        time.sleep(1)
        redis.restart_empty()

        until(lambda: applied(scheduler) == [PLANS, PLANS])
        assert scheduler.runs
        assert lives(scheduler.pid)


def applied(scheduler: Service) -> list[int]:
    return [entry["listed"] for entry in scheduler.log if entry["event"] == "sync applied"]
