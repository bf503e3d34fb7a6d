"""Starting, ending, dying: what becomes of the processes and of the data."""

import os
import signal
from collections.abc import Iterator

import pytest

from app.infrastructure.settings.start_errors import EX_CONFIG
from tests.support.feed_files import FeedServer, a_feed, some_items
from tests.support.service import Installation, Service
from tests.support.waiting import lives, until

pytestmark = pytest.mark.redis_server

QUICKLY = 10.0
"""Seconds within which what was killed is back, or what is orphaned is gone."""


@pytest.fixture
def installation() -> Iterator[Installation]:
    """One provider with three plans."""
    with Installation() as installation:
        url = installation.write("feed.xml", a_feed(some_items(3)))
        installation.configure({"name": "acme", "url": url, "interval": 3600})
        yield installation


@pytest.fixture(scope="module")
def standing() -> Iterator[tuple[Installation, Service]]:
    """The same, running, for tests after which it runs as before; how many plans it has, they may change."""
    with Installation() as installation:
        url = installation.write("feed.xml", a_feed(some_items(3)))
        installation.configure({"name": "acme", "url": url, "interval": 3600})
        yield installation, run(installation)


def one_plan_more(installation: Installation, service: Service) -> int:
    """Let the feed have one plan more than search finds."""
    count = len(service.search()) + 1
    installation.write("feed.xml", a_feed(some_items(count)))
    return count


def started_by(service: Service, installation: Installation) -> set[int]:
    redis = installation.redis_pid()
    assert redis
    return {service.child("api"), service.child("scheduler"), redis}


def run(installation: Installation) -> Service:
    service = installation.run()
    until(lambda: len(service.search()) == 3)
    return service


def test_ctrl_c_ends_everything_it_started_and_a_second_run_finds_the_plans_without_a_sync(
    installation: Installation,
) -> None:
    first = run(installation)
    found = first.search()
    children = started_by(first, installation)

    assert first.end() == 0
    assert not any(map(lives, children))

    (installation.directory / "feed.xml").unlink()  # nothing could be synced
    second = installation.run()
    assert second.search() == found
    assert len(second.ask("/catalog/providers/acme/runs").json) == 1


def test_sync_beside_a_running_service_uses_its_redis_and_leaves_it_alive(
    standing: tuple[Installation, Service],
) -> None:
    installation, service = standing
    redis = installation.redis_pid()
    count = one_plan_more(installation, service)

    done = installation.command("sync", "acme")

    assert (done.returncode, installation.redis_pid()) == (0, redis)
    until(lambda: len(service.search()) == count, 1.0)


def test_sync_without_a_running_service_keeps_its_result_and_leaves_nothing_running(installation: Installation) -> None:
    assert installation.command("sync").returncode == 0

    assert installation.redis_pid() is None
    assert len(installation.run().search()) == 3


def test_a_killed_api_process_is_started_again_with_all_plans_and_connections_wait_for_it(
    standing: tuple[Installation, Service],
) -> None:
    _, service = standing
    killed, found = service.child("api"), service.search()

    os.kill(killed, signal.SIGKILL)
    until(lambda: not lives(killed))

    assert service.search() == found
    assert service.child("api") != killed


def test_a_killed_scheduler_is_started_again_and_search_goes_on_meanwhile(
    standing: tuple[Installation, Service],
) -> None:
    installation, service = standing
    killed, found = service.child("scheduler"), service.search()
    one_plan_more(installation, service)

    os.kill(killed, signal.SIGKILL)

    while service.child("scheduler") == killed:
        assert service.search() == found
    assert service.request_sync("acme")["changes"] == {"listed": 1}


def test_when_the_supervisor_is_killed_its_children_and_redis_end_and_the_data_stays(
    installation: Installation,
) -> None:
    service = run(installation)
    children = started_by(service, installation)

    service.kill()

    until(lambda: not any(map(lives, children)), QUICKLY)
    assert len(installation.run().search()) == 3


def test_when_everything_was_killed_at_once_the_next_run_finds_the_plans(installation: Installation) -> None:
    service = run(installation)
    children = started_by(service, installation)

    service.kill()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(map(lives, children)))

    assert len(installation.run().search()) == 3


def test_each_role_runs_alone_and_ends_cleanly_at_sigterm(installation: Installation) -> None:
    api, scheduler = installation.start("api"), installation.start("scheduler")
    api.until_ready()
    until(lambda: len(api.search()) == 3)
    redis = installation.redis_pid()
    assert redis

    for service in (scheduler, api):
        service.signal(signal.SIGTERM)
        assert service.wait() == 0

    assert not lives(redis)


def test_sigterm_lets_a_sync_in_hand_finish(installation: Installation) -> None:
    with FeedServer(a_feed(some_items(5))) as feed:
        feed.withhold()
        installation.configure(feed.provider("acme"))
        service = installation.start("run")
        until(lambda: feed.halves_sent == 1)

        service.signal(signal.SIGTERM)
        until(lambda: any(entry["event"].startswith("ending everything") for entry in service.log))
        feed.go_on()

        assert service.wait() == 0
    assert [run["outcome"] for run in installation.json_of("runs", "acme")] == ["applied"]


def mistakes_of(service: Service) -> list[str]:
    assert service.wait() == EX_CONFIG
    return service.log_file.read_text().splitlines()


@pytest.mark.parametrize("role", ["run", "api", "scheduler"])
def test_mistakes_in_the_settings_are_told_in_one_line_each_with_exit_code_78(
    installation: Installation, role: str
) -> None:
    installation.configure(
        {"name": "acme", "url": "file:///feed.xml", "timezone": "Europe/Madird"}, service={"workers": 0, "prot": 1}
    )

    lines = mistakes_of(installation.start(role))

    assert all(line.startswith(f"marquee: {installation.config}: ") for line in lines)
    assert sorted(line.split(": ")[2] for line in lines) == [
        "providers[0].timezone",
        "service.prot",
        "service.workers",
    ]


def test_a_kind_that_cannot_be_had_costs_its_provider_alone_and_says_why(installation: Installation) -> None:
    installation.write("acme_json.py", "import no_such_library\n")
    url = installation.write("feed.xml", a_feed(some_items(3)))
    installation.configure(
        {"name": "acme", "url": url, "interval": 3600}, {"name": "broken", "kind": "acme_json:Acme", "interval": 3600}
    )
    service = run(installation)

    broken, good = service.ask("/catalog/providers").json  # the troubled come first
    synced, listed = installation.command("sync", "broken"), installation.command("providers")

    reason = "kind 'acme_json:Acme' cannot be used: ModuleNotFoundError: No module named 'no_such_library'"
    assert (good["trouble"], broken["trouble"]) == (None, reason)
    assert synced.returncode == 1
    assert reason in synced.stdout
    assert f"broken: {reason}\n" in listed.stdout
    assert [entry["reason"] for entry in service.log if entry["event"].startswith("a provider cannot be used")] == [
        reason
    ]
    assert service.request_sync("acme")["outcome"] == "unchanged"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_what_stands_in_the_working_directory_or_beside_the_settings_is_not_loaded(method: str) -> None:
    with Installation() as installation:
        folder = installation.directory
        for name in ("app", "redis", "logging", "select", "yaml", "hiredis", "sitecustomize"):
            installation.write(f"{name}.py", f"open({str(folder / 'loaded')!r}, 'a').write('{name} ')\n")
        service = installation.start("run", cwd=folder, MARQUEE_START_METHOD=method).until_ready()

        done = installation.command("providers", cwd=folder, MARQUEE_START_METHOD=method)

        assert (done.returncode, service.end()) == (0, 0)
        assert not (folder / "loaded").exists()
