"""A start with everything dead: the index file answers, and following goes on where the file stands."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.feed_files import a_feed, an_item, some_items
from tests.support.redis_server import RedisServer
from tests.support.search_load import SearchLoad
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

PLANS = 50
LIST = "/catalog/plans?limit=1000&match=overlapping&from=2000-01-01"
EVENING = "starts_at=2021-06-30T21:00:00&ends_at=2021-06-30T22:00:00"
DEAD_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


class Machine:
    """A server of Redis, and an installation whose API process ran and left its index file."""

    def __init__(self) -> None:
        self.redis = RedisServer().start()
        self.installation = Installation()
        self._services: list[Service] = []
        self.sync_with(*some_items(PLANS))
        api = self.start()
        assert len(api.search(EVENING)) == PLANS
        until(self.file.exists)
        self.rest()

    @property
    def file(self) -> Path:
        return self.installation.data / "index" / "catalog.index"

    def configure(self, **sections: Any) -> None:
        provider = {"name": "acme", "url": (self.installation.directory / "feed.xml").as_uri(), "interval": 3600}
        search = {"index_interval": 1, **sections.pop("search", {})}
        self.installation.configure(provider, redis={"url": self.redis.url}, search=search, **sections)

    def start(self, **sections: Any) -> Service:
        """Start an API process with these settings and wait until it answers."""
        self.configure(**sections)
        self._services.append(start_api(self.installation))
        return self._services[-1].until_ready()

    def sync_with(self, *items: str) -> None:
        self.configure()
        self.installation.write("feed.xml", a_feed(items))
        assert self.installation.command("sync").returncode == 0

    def rest(self) -> None:
        """End what was started, with a Redis that runs."""
        for service in self._services:
            service.close()
        self._services.clear()
        self.redis.resume()
        if not self.redis.runs:
            self.redis.start()

    def close(self) -> None:
        self.installation.close()
        self.redis.close()


def start_api(installation: Installation) -> Service:
    """Start it at a port that is chosen beforehand: its log says none before it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    return installation.start("api", MARQUEE__SERVICE__PORT=port)


def source_of(api: Service) -> str:
    """Say what search was ready from, which is told a moment after it was."""
    until(lambda: any("source" in line for line in api.log))
    [source] = [line["source"] for line in api.log if "source" in line]
    return str(source)


@pytest.fixture(scope="module")
def given() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.close()


@pytest.fixture
def machine(given: Machine) -> Iterator[Machine]:
    yield given
    given.rest()


def test_with_everything_dead_searches_and_lists_answer_from_the_file_and_health_tells_so(machine: Machine) -> None:
    machine.redis.kill()

    api = machine.start(database={"url": DEAD_DATABASE})
    health, found, listed = api.ask("/health").json, api.search(), api.ask(LIST).json["plans"]

    assert (len(found), [plan["id"] for plan in listed]) == (PLANS, [plan["id"] for plan in found])
    assert (health["status"], health["store"]["up"], health["history"]["up"]) == ("degraded", False, False)
    told = health["search"]["index_file"]
    assert (told["plans"], told["bytes"], told["age"] > 0) == (PLANS, machine.file.stat().st_size, True)
    assert source_of(api) == f"the index file of {told['written_at']}"


def test_a_redis_that_is_silent_keeps_nobody_waiting_and_is_followed_from_where_the_file_stands(
    machine: Machine,
) -> None:
    machine.redis.pause()
    api = machine.start(search={"timezone": "Asia/Tokyo"})
    found, in_tokyo = api.search(), api.search(EVENING)
    machine.redis.resume()

    machine.sync_with(*some_items(PLANS - 1), an_item(PLANS, title="After the start"))

    assert (len(found), in_tokyo) == (PLANS, []), "the zone in which queries are read is none of the file"
    until(lambda: api.finds(title="After the start"))
    assert len(api.search()) == PLANS
    assert source_of(api).startswith("the index file of")


def test_a_damaged_file_is_refused_by_a_line_that_names_it_and_a_whole_one_takes_its_place(machine: Machine) -> None:
    whole = machine.file.read_bytes()
    machine.file.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])

    api = machine.start()
    refused = [line for line in api.log if str(machine.file) in str(line.get("reason"))]

    assert (len(api.search()), source_of(api)) == (PLANS, "the live state")
    assert {(line["level"], "is damaged" in line["reason"]) for line in refused} == {("warning", True)}
    until(lambda: (api.ask("/health").json["search"]["index_file"] or {}).get("plans") == PLANS)


def test_a_redis_that_lost_everything_costs_no_plan_and_what_it_is_told_anew_is_found(machine: Machine) -> None:
    machine.redis.restart_empty()
    api = machine.start()
    found = api.search()

    machine.sync_with(*some_items(PLANS - 1), an_item(PLANS, title="After the loss"))

    assert len(found) == PLANS
    until(lambda: api.finds(title="After the loss"))
    assert len(api.search()) == PLANS


def test_a_redis_that_comes_and_dies_again_under_load_costs_no_search_after_a_cold_start(machine: Machine) -> None:
    machine.redis.kill()
    api = machine.start()

    with SearchLoad(api, PLANS) as load:
        for _ in range(2):
            machine.redis.start()
            until(lambda: api.ask("/health").json["store"]["up"])
            machine.redis.kill()
            until(lambda: not api.ask("/health").json["store"]["up"])
        machine.redis.start()

    assert load.failures == []
    assert load.answers > 100
    machine.sync_with(*some_items(PLANS - 1), an_item(PLANS, title="After two deaths"))
    until(lambda: api.finds(title="After two deaths"))


def test_a_redis_that_takes_no_writes_keeps_no_start_from_answering(machine: Machine) -> None:
    with machine.redis.client() as operator:
        operator.config_set("maxmemory", 1)
        api = machine.start()
        until(lambda: api.ask("/health").json["status"] == "degraded")
        reason, found = api.ask("/health").json["store"]["reason"], api.search()
        operator.config_set("maxmemory", 0)

    assert "its memory is full" in reason
    assert len(found) == PLANS
    assert source_of(api).startswith("the index file of")


def test_a_new_machine_without_a_redis_answers_as_soon_as_it_is_given_the_file(
    machine: Machine, tmp_path: Path
) -> None:
    exported = tmp_path / "plans.index"
    told = machine.installation.json_of("catalog", "index", "export", str(exported))
    with Installation() as other:
        other.configure(redis={"url": f"unix://{tmp_path}/nowhere.sock"})
        api = start_api(other)
        until(lambda: api.answers("/health/ready", 503))

        done = other.command("catalog", "snapshot", "import", str(exported))
        found = api.until_ready().search()

    assert (done.returncode, told["plans"], len(found)) == (0, PLANS, PLANS), done.stderr
    assert exported.stat().st_mode & 0o777 == 0o600
