"""A feed that lost 90% of its plans: held until somebody approves, or until it says so twice."""

from collections.abc import Iterator

import pytest

from tests.support.feed_files import a_feed, some_items
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

NAMES = ("by-cli", "by-http", "by-agreement")
BEFORE, AFTER = 50, 5


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with Installation() as installation:
        urls = {name: installation.write(f"{name}.xml", a_feed(some_items(BEFORE, title=name))) for name in NAMES}
        installation.configure(*({"name": name, "url": url, "interval": 3600} for name, url in urls.items()))
        yield installation


@pytest.fixture(scope="module")
def service(installation: Installation) -> Service:
    service = installation.run()
    until(lambda: len(service.search()) == BEFORE * len(NAMES))
    return service


def lose_most(installation: Installation, service: Service, name: str) -> None:
    """Let 90% of all plans, which were seen, be gone from the feed, and one of the rest say something else."""
    installation.write(f"{name}.xml", a_feed(some_items(BEFORE, title=name)))
    assert service.request_sync(name, approve=True)["outcome"] in ("applied", "unchanged")
    left = [*some_items(AFTER - 1, title=name), *some_items(AFTER, title=f"{name}, changed")[-1:]]
    installation.write(f"{name}.xml", a_feed(left))


def in_feed(service: Service, name: str) -> int:
    ids = [plan["id"] for plan in service.search() if plan["title"].startswith(name)]
    assert len(ids) == BEFORE  # whatever was withdrawn stays findable
    return sum(service.ask(f"/catalog/plans/{plan_id}").json["in_feed"] for plan_id in ids)


def is_waiting(service: Service, name: str) -> bool:
    rows = service.ask("/catalog/providers").json
    return any(row["name"] == name and row["waiting_for_approval"] for row in rows)


def test_on_the_command_line_it_is_held_with_its_reason_and_applied_with_approve(
    installation: Installation, service: Service
) -> None:
    lose_most(installation, service, "by-cli")

    held = installation.command("sync", "by-cli")
    table = installation.command("providers").stdout
    in_feed_while_held = in_feed(service, "by-cli")
    approved = installation.command("sync", "by-cli", "--approve")

    assert held.returncode == 1
    assert "by-cli held" in held.stdout
    assert "45 of 50 plans (90%) are gone from the feed, more than the 30% that pass unasked" in held.stdout
    assert "waiting: 45 withdrawn" in held.stdout
    assert ["waits for --approve" in line for line in table.splitlines() if line.startswith("by-cli")] == [True]
    assert in_feed_while_held == BEFORE
    assert approved.returncode == 0
    assert "by-cli applied" in approved.stdout
    assert "changed: 45 withdrawn" in approved.stdout
    assert in_feed(service, "by-cli") == AFTER
    assert not is_waiting(service, "by-cli")


def test_over_http_it_is_held_with_its_reason_and_applied_with_approve(
    installation: Installation, service: Service
) -> None:
    lose_most(installation, service, "by-http")

    held = service.request_sync("by-http")
    waiting, in_feed_while_held = is_waiting(service, "by-http"), in_feed(service, "by-http")
    approved = service.request_sync("by-http", approve=True)

    assert (held["outcome"], held["held_for"], held["waiting"]) == ("held", ["mass_withdrawal"], {"withdrawn": 45})
    assert held["changes"] == {"changed": 1}  # what is no accident is not held back
    assert (waiting, in_feed_while_held) == (True, BEFORE)
    assert (approved["outcome"], approved["changes"]) == ("applied", {"withdrawn": 45})
    assert in_feed(service, "by-http") == AFTER
    assert not is_waiting(service, "by-http")


def test_a_second_run_that_agrees_applies_it(installation: Installation, service: Service) -> None:
    lose_most(installation, service, "by-agreement")

    outcomes = [service.request_sync("by-agreement")["outcome"] for _ in range(2)]

    assert outcomes == ["held", "applied"]
    assert in_feed(service, "by-agreement") == AFTER
