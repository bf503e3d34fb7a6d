"""The dashboard's page in a real browser, over a world that a test changes: figures, faults, keys, themes, sizes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from app.adapters.machine.system_clock import SystemClock
from app.application.ports.system import CircuitState
from app.domain.activities import Activity
from app.domain.plans import Plan
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.support.builders import a_plan
from tests.support.chromium import Tab, a_tab, chromium
from tests.support.dashboard_server import Dashboard, Served, served
from tests.support.dashboard_world import DashboardWorld

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

LOOKS = [(dark, phone) for dark in (False, True) for phone in (False, True)]
NAMES = [f"{'dark' if dark else 'light'}-{'phone' if phone else 'desktop'}" for dark, phone in LOOKS]
NOT_KNOWN = "\N{EN DASH}"
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def service() -> Iterator[Served]:
    with served(Dashboard(DashboardWorld(SystemClock()), interval=0.2)) as service:
        yield service


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    with a_tab(browser) as tab:
        yield tab


def opened(tab: Tab, service: Served) -> Tab:
    tab.page.goto(service.url)
    tab.until("#mode", "live")
    return tab


def activities(count: int, type_: str = "view", *, days_ago: int = 0, value: str | None = None) -> list[Activity]:
    """Build some, each of a user of its own."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    number = None if value is None else Decimal(value)
    return [Activity(uuid4(), type_, at, user_id=f"user-{user}", value=number) for user in range(count)]


def a_plan_in(hours: float, title: str, item: int = 1) -> Plan:
    """Build a plan of two hours."""
    starts = datetime.now(UTC) + timedelta(hours=hours)
    wall, until = (at.isoformat()[:16] for at in (starts, starts + timedelta(hours=2)))
    return a_plan(item, title=title, starts=wall, ends=until)


async def much(world: DashboardWorld) -> None:
    """Fill every part of the page."""
    for days_ago in range(20):
        await world.happened(*activities(30 - days_ago, days_ago=days_ago))
    await world.happened(*activities(1500, "purchase", value="12.50"))
    for number in range(3):
        await world.user(number)
    world.plans(*(a_plan_in(item * 7.0 - 60, f"Plan {item}", item) for item in range(30)), a_plan_in(-1, "Now", 99))
    now = datetime.now(UTC)
    for number, (outcome, reason) in enumerate(
        ((SyncOutcome.APPLIED, None), (SyncOutcome.HELD, "too many would go"), (SyncOutcome.FAILED, "503"))
    ):
        report = SyncReport(
            run_id=str(number), provider="demo", started_at=now, took=1, outcome=outcome, records=12, reason=reason
        )
        await world.journal.record(report)
    await world.circuits.save("demo", CircuitState("open", 5, now, "503"))
    world.stream.bury(activities(2), "no room")


def test_known_activities_are_shown_as_known_figures_without_a_reload(tab: Tab, service: Served) -> None:
    opened(tab, service)
    tab.until("#hour", "Nothing has come through the door yet")
    tab.page.evaluate("window.reloaded = false")

    async def change(world: DashboardWorld) -> None:
        await world.happened(*activities(1200), *activities(34, "purchase", value="12.50"))
        await world.happened(*activities(7, days_ago=1), *activities(7, days_ago=2))
        await world.queue.append(activities(5, "click"))
        world.stream.bury(activities(1), "no room")
        world.plans(a_plan_in(5, "Camela"), a_plan_in(-1, "Los Morancos", 2))
        await world.user()

    service.do(change)

    tab.until("#counted", "1 248")
    tab.until("#hour-total", "1 253")
    tab.until("#today", "1 200")
    tab.until("#yesterday", "yesterday 7")
    tab.until("#backlog", "5")
    tab.until("#letters", "1")
    tab.until("#plans", "2")
    tab.until("#users", "1")
    tab.until("#top-types", "purchase 34 425.00")
    tab.until("#top-types", "view 1 214 0")
    tab.until("#next", "Camela 20.00")
    tab.until("#past", "Los Morancos on now 20.00")
    tab.until("#retention", "100%")
    assert tab.page.evaluate("window.reloaded") is False
    assert tab.complaints == []


def test_the_rate_is_shown_while_activities_come(tab: Tab, service: Served) -> None:
    opened(tab, service)
    tab.until("#backlog", "0")
    tab.page.wait_for_timeout(1500)

    service.do(lambda world: world.happened(*activities(300)))

    tab.page.wait_for_function("() => parseFloat(document.getElementById('rate').innerText) > 5", timeout=10_000)


def test_providers_are_shown_with_last_run_rejections_and_breaker(tab: Tab, service: Served) -> None:
    service.do(much)

    opened(tab, service)

    tab.until("#providers", "demo failed")
    tab.until("#providers", "503")
    tab.until("#providers", "open")
    tab.until("#provider-counts", "1 in all, 1 in trouble")


def test_every_chart_has_a_sentence_and_its_figures_as_a_table(tab: Tab, service: Served) -> None:
    service.do(much)
    opened(tab, service)
    tab.until("#daily-readout", "30 days")

    sentences = tab.page.locator("svg[role=img]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    tab.page.locator("#daily summary").click()
    tab.until("#daily table", "Users")

    assert [sentence.partition(" ")[0] for sentence in sentences] == ["Activities", "Sum", "Active", "Plans"]
    assert len(tab.page.locator("#daily tbody tr").all()) == 30
    tab.until("#daily tbody tr:nth-child(2)", "29")


def test_what_is_under_the_pointer_is_said(tab: Tab, service: Served) -> None:
    service.do(much)
    opened(tab, service)
    tab.until("#daily-readout", "30 days")
    tab.page.locator("#daily .plot").scroll_into_view_if_needed()
    box = tab.page.locator("#daily .plot").bounding_box()
    assert box

    tab.page.mouse.move(box["x"] + box["width"] * 28 / 29, box["y"] + 20)
    tab.until("#daily-readout", ": 29")
    tab.page.mouse.move(0, 0)

    tab.until("#daily-readout", "30 days; most 1 500")


@pytest.mark.parametrize(("dark", "phone"), LOOKS, ids=NAMES)
@pytest.mark.parametrize("fill", [much, None], ids=["full", "empty"])
def test_nothing_bars_anybody_and_nothing_is_too_wide(
    browser: Browser, service: Served, fill: Callable[..., object] | None, dark: bool, phone: bool
) -> None:
    if fill:
        service.do(much)
    with a_tab(browser, dark=dark, phone=phone) as tab:
        opened(tab, service)
        tab.until("#counted", "1 910" if fill else "0")
        for summary in tab.page.locator("summary").all():
            summary.click()

        assert tab.barriers() == []
        assert not tab.is_wider_than_the_screen()
        assert tab.complaints == []
        assert {url for url in tab.asked if not url.startswith(service.url)} == set()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_wrong_is_said_to_everybody_too(browser: Browser, service: Served, dark: bool) -> None:
    async def fail(world: DashboardWorld) -> None:
        world.history.unavailable = "the disk is full"
        world.store.unavailable = "no Redis"

    service.do(much)
    with a_tab(browser, dark=dark, phone=True) as tab:
        opened(tab, service)
        tab.until("#counted", "1")
        service.do(fail)

        tab.until("#history-trouble", "The history is away: the disk is full.")
        tab.until("#store-trouble", "The catalog's store is away: no Redis.")
        tab.until("#top-types", "Not known while the history is away.")
        tab.until("#counted", NOT_KNOWN)
        tab.until("#plans", "31")
        assert tab.barriers() == []
        assert not tab.is_wider_than_the_screen()


def test_a_history_that_comes_back_is_shown_again(tab: Tab, service: Served) -> None:
    async def fail(world: DashboardWorld) -> None:
        world.history.unavailable = "the disk is full"

    async def mend(world: DashboardWorld) -> None:
        world.history.unavailable = None
        await world.happened(*activities(12))

    service.do(fail)
    opened(tab, service)
    tab.until("#history-trouble", "the disk is full")

    service.do(mend)

    tab.until("#counted", "12")
    tab.until("#top-types", "view 12")
    assert tab.page.locator("#history-trouble").is_hidden()


def test_titles_and_names_are_text_and_nothing_else(tab: Tab, service: Served) -> None:
    async def change(world: DashboardWorld) -> None:
        world.plans(a_plan_in(1, SCRIPT))
        now = datetime.now(UTC)
        report = SyncReport(
            run_id="1", provider="demo", started_at=now, took=1, outcome=SyncOutcome.FAILED, reason=SCRIPT
        )
        await world.journal.record(report)

    service.do(change)
    opened(tab, service)

    tab.until("#next", SCRIPT)
    tab.until("#providers", SCRIPT)
    assert tab.page.locator("main img, main script").count() == 0
    assert tab.complaints == []


def test_without_the_stream_it_polls_and_returns_to_the_stream(tab: Tab, service: Served) -> None:
    opened(tab, service)

    tab.page.route("**/dashboard/stream", lambda route: route.abort())
    service.cut_streams()
    tab.until("#mode", "polling")
    service.do(lambda world: world.happened(*activities(77)))
    tab.until("#counted", "77")
    assert tab.text("#mode") == "polling"

    tab.page.unroute("**/dashboard/stream")
    tab.until("#mode", "live")


def test_a_viewer_too_many_polls(browser: Browser) -> None:
    crowded = Dashboard(DashboardWorld(SystemClock()), most_viewers=1)
    with served(crowded) as service, a_tab(browser) as first, a_tab(browser) as second:
        opened(first, service)
        second.page.goto(service.url)

        second.until("#mode", "polling")
        second.until("#counted", "0")


def test_a_service_that_is_gone_is_said_with_the_time(tab: Tab, service: Served) -> None:
    opened(tab, service)

    tab.page.context.set_offline(True)
    service.cut_streams()
    tab.until("#mode", "offline since")
    tab.page.context.set_offline(False)

    tab.until("#mode", "live")


def test_without_a_key_it_asks_for_one_and_keeps_it_in_its_tab_alone(browser: Browser, service: Served) -> None:
    service.dashboard.gate.key = "right"
    with a_tab(browser) as tab:
        tab.page.goto(service.url)
        tab.until("#mode", "key needed")
        assert tab.page.locator("#board").is_hidden()
        assert tab.barriers() == []

        for typed, said in (("wrong", "a key of the role reader"), ("two words", "without spaces")):
            tab.page.get_by_label("API key").fill(typed)
            tab.page.get_by_role("button", name="Show the figures").click()
            tab.until("#key-refusal", said)

        tab.page.get_by_label("API key").fill("right")
        tab.page.get_by_role("button", name="Show the figures").click()
        tab.until("#mode", "live")
        tab.until("#counted", "0")
        tab.page.reload()
        tab.until("#mode", "live")

        tab.page.get_by_role("button", name="Forget the key").click()
        tab.until("#mode", "key needed")
        assert "right" not in "".join(tab.asked)
        assert tab.page.evaluate("localStorage.length + document.cookie.length") == 0


def test_a_key_that_is_revoked_while_somebody_looks_on_is_asked_for_again(tab: Tab, service: Served) -> None:
    opened(tab, service)

    service.dashboard.gate.key = "new"
    service.cut_streams()

    tab.until("#mode", "key needed")


def test_whoever_wants_stillness_sees_nothing_move(browser: Browser, service: Served) -> None:
    animation = "getComputedStyle(document.getElementById('mode'), '::before').animationName"

    with a_tab(browser) as moving, a_tab(browser, reduced_motion="reduce") as still:
        assert opened(moving, service).page.evaluate(animation) == "breathe"
        assert opened(still, service).page.evaluate(animation) == "none"
