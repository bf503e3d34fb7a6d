"""The dashboard of a real service in a real browser: known figures after known activities, live, for everybody."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import DEMO, recorded
from tests.support.both_processes import connections_to_both
from tests.support.chromium import Tab, a_tab, chromium
from tests.support.service import Installation, Service, ask
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.chromium, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def standing() -> Iterator[Service]:
    """One service, with something in every part of the page, for tests that only look."""
    with Installation(recorded("demo", str(DEMO / "response_{}.xml"))) as installation:
        service = installation.run()
        until(lambda: has_all_demo_plans(service))
        post(service, activities(20, "view") + activities(12, "view", days_ago=2) + activities(5, "click", days_ago=1))
        yield service


@pytest.fixture
def installation() -> Iterator[Installation]:
    with Installation(recorded("demo", str(DEMO / "response_{}.xml"))) as installation:
        yield installation


def activities(count: int, type_: str, *, days_ago: int = 0, **more: object) -> list[dict[str, object]]:
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    return [
        {"id": str(uuid4()), "type": type_, "occurred_at": at, "user_id": f"user-{number}", **more}
        for number in range(count)
    ]


def post(service: Service, records: Sequence[Mapping[str, object]]) -> None:
    with closing(service.connect()) as connection:
        connection.request("POST", "/events", json.dumps(records), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()


def begin_well_before_midnight() -> None:
    """What is of today when it is posted is to be of today when the page is looked at."""
    left = 86_400 - time.time() % 86_400
    if left < 45:
        time.sleep(left + 1)


def has_all_demo_plans(service: Service) -> bool:
    return len(service.search("ends_at=2022-07-03T00:00:00Z")) == 4


def test_known_activities_become_known_figures_without_a_reload(installation: Installation, browser: Browser) -> None:
    service = installation.run()
    until(lambda: has_all_demo_plans(service))
    with a_tab(browser) as tab:
        open_page(tab, service)
        tab.until("#hour", f"curl {service.url}/events")
        tab.until("#plans", "4")
        tab.until("#past", "Los Morancos 65.00")
        tab.until("#providers", "demo")
        tab.until("#providers", "closed")
        tab.page.evaluate("window.reloaded = false")
        begin_well_before_midnight()

        post(service, activities(120, "view") + activities(30, "purchase", value=12.5))
        post(service, activities(60, "view", days_ago=2))
        post(service, activities(45, "view", days_ago=1))

        tab.until("#counted", "255")
        tab.until("#hour-total", "255")
        tab.until("#today", "120")
        tab.until("#yesterday", "yesterday 45")
        tab.until("#top-types", "view 225 0")
        tab.until("#top-types", "purchase 30 375.0")
        tab.until("#retention", "75%")
        tab.until("#backlog", "0")
        assert tab.page.evaluate("window.reloaded") is False
        assert tab.text("#mode") == "live"
        assert tab.complaints == []
        assert {url for url in tab.asked if not url.startswith(str(service.url))} == set()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_it(standing: Service, browser: Browser, dark: bool, phone: bool) -> None:
    with a_tab(browser, dark=dark, phone=phone) as tab:
        open_page(tab, standing)
        tab.until("#counted", "37")
        for summary in tab.page.locator("summary").all():
            summary.click()

        assert tab.barriers() == []
        assert not tab.is_wider_than_the_screen()
        assert tab.complaints == []


def test_a_service_that_was_restarted_is_live_again_by_itself(installation: Installation, browser: Browser) -> None:
    installation.configure(recorded("demo", str(DEMO / "response_{}.xml")), service={"drain": 20})
    service = installation.run()
    with a_tab(browser) as tab:
        open_page(tab, service)
        port = str(service.url).rpartition(":")[2]
        tab.until("#hour", f"curl {service.url}/events")
        post(service, activities(37, "view"))
        tab.until("#hour-total", "37")

        began = datetime.now(UTC)
        assert service.end() == 0
        ended_after = datetime.now(UTC) - began
        tab.until("#mode", "offline since")
        installation.run(MARQUEE__SERVICE__PORT=port)

        tab.until("#mode", "live")
        tab.until("#hour-total", "37")
    assert ended_after < timedelta(seconds=10)


def test_two_api_processes_show_the_same(installation: Installation) -> None:
    installation.configure(recorded("demo", str(DEMO / "response_{}.xml")), service={"workers": 2})
    service = installation.run()
    with connections_to_both(service) as connections:
        begin_well_before_midnight()
        post(service, activities(64, "view"))

        def seen() -> set[tuple[object, ...]]:
            states = [ask(connection, "/dashboard/state").json for connection in connections]
            return {
                (
                    state["activities"]["received"],
                    state["activities"]["last_hour"]["total"],
                    state["history"]["types"]["activities"],
                    state["history"]["daily_users"][-1]["users"],
                    state["catalog"]["plans"],
                    state["providers"][0]["outcome"],
                )
                for state in states
            }

        until(lambda: seen() == {(64, 64, 64, 64, 4, "applied")})


def test_the_figures_need_a_key_where_they_are_not_open(installation: Installation, browser: Browser) -> None:
    closed = {"anonymous": ["search", "health"]}
    installation.configure(recorded("demo", str(DEMO / "response_{}.xml")), security=closed)
    service = installation.run()
    key = a_key(installation)
    with a_tab(browser) as tab:
        tab.page.goto(str(service.url))
        tab.until("#mode", "key needed")
        tab.page.get_by_label("API key").fill("mq_wrong")
        tab.page.get_by_role("button", name="Show the figures").click()
        tab.page.wait_for_function("() => document.getElementById('key-refusal').innerText.length > 10")

        tab.page.get_by_label("API key").fill(key)
        tab.page.get_by_role("button", name="Show the figures").click()

        tab.until("#mode", "live")
        tab.until("#plans", "4")


def a_key(installation: Installation) -> str:
    """Make a reader and a key for it."""
    assert installation.command("users", "create", "ana", "ana@example.com").returncode == 0
    return installation.command("keys", "create", "ana").stdout.strip()


def open_page(tab: Tab, service: Service) -> None:
    tab.page.goto(str(service.url))
    tab.until("#mode", "live")
