"""Two schedulers on one Redis, one of them paused in the middle of a sync for longer than its lease lasts."""

import signal
from typing import Any

import pytest

from app.adapters.formats.stored_plan import unpack_plan
from app.adapters.outbound.redis.catalog_update import LOG
from app.adapters.outbound.redis.keys import provider_key
from tests.support.feed_files import FeedServer, a_feed, some_items
from tests.support.redis_server import RedisServer
from tests.support.service import Installation, Service
from tests.support.waiting import is_stopped, until

pytestmark = pytest.mark.redis_server

PLANS = 20


def reports_of(scheduler: Service) -> list[dict[str, object]]:
    return [entry for entry in scheduler.log if entry["event"].startswith("sync ")]


def titles_logged(redis: RedisServer) -> list[str]:
    """Every title that was ever written, by any process."""
    client: Any = redis.client()  # redis-py's types allow for its async client everywhere
    try:
        entries = client.xrange(provider_key("acme", LOG))
        return [unpack_plan(fields[b"plan"]).title for _, fields in entries]
    finally:
        client.close()


def test_a_scheduler_that_was_paused_past_its_lease_overwrites_nothing() -> None:
    with RedisServer() as redis, FeedServer(a_feed(some_items(PLANS, title="old"))) as feed:
        acme = feed.provider("acme", interval=1, gate={"max_changed_share": 1.0})
        with Installation(acme, redis={"url": redis.url}, catalog={"lease": 3}) as installation:
            feed.withhold()
            paused = installation.start("scheduler")
            until(lambda: feed.halves_sent == 1)
            paused.signal(signal.SIGSTOP)
            until(lambda: is_stopped(paused.pid))
            feed.go_on()
            feed.document = a_feed(some_items(PLANS, title="new"))

            other = installation.start("scheduler")
            until(lambda: any(report["event"] == "sync applied" for report in reports_of(other)))
            assert reports_of(paused) == []
            paused.signal(signal.SIGCONT)
            until(lambda: reports_of(paused))

            first = reports_of(paused)[0]
            runs = installation.json_of("runs", "acme")

            assert first["event"] == "sync failed"
            assert "the lease on 'acme'" in str(first["reason"])
            assert [run["outcome"] for run in runs if run["run_id"] == first["run"]] == ["failed"]
            assert titles_logged(redis) == ["new"] * PLANS


def test_two_schedulers_share_the_work_without_getting_into_each_others_way() -> None:
    with RedisServer() as redis, FeedServer(a_feed(some_items(PLANS))) as feed:
        acme = feed.provider("acme", interval=0.4)
        with Installation(acme, redis={"url": redis.url}) as installation:
            both = [installation.start("scheduler") for _ in range(2)]

            until(lambda: len(installation.json_of("runs", "acme")) > 5)

            runs = installation.json_of("runs", "acme", "--limit", "1000")
            assert {run["outcome"] for run in runs} <= {"applied", "unchanged", "skipped"}
            assert [run["changes"] for run in runs if run["changes"]] == [{"listed": PLANS}]
            assert len(titles_logged(redis)) == PLANS
            assert all(scheduler.runs for scheduler in both)
