"""The dashboard's days in a real browser: a range, what was earned, long lists, wide numbers, and trouble first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser

from app.adapters.machine.system_clock import SystemClock
from app.application.ports.system import CircuitState
from app.domain.activities import Activity
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.support.chromium import Tab, a_tab, chromium
from tests.support.dashboard_server import Dashboard, Served, served
from tests.support.dashboard_world import DashboardWorld
from tests.support.folded_once import FoldedOnce
from tests.support.scripted_provider import ScriptedProvider, configured

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

TO = "\N{EN DASH}"
SMALL = 64 * 1024
"""Bytes of the page with all its files."""


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


def noon(days_ago: int) -> datetime:
    """Well within a day, and never in the future."""
    now = datetime.now(UTC)
    return min(now, now.replace(hour=12, minute=0) - timedelta(days=days_ago))


def bought(value: str, days_ago: int, type_: str = "purchase", plan: int | None = None) -> Activity:
    properties = None if plan is None else f'{{"plan_id":"{UUID(int=plan)}"}}'
    return Activity(uuid4(), type_, noon(days_ago), user_id="ana", value=Decimal(value), properties=properties)


def day_of(days_ago: int) -> str:
    return noon(days_ago).date().isoformat()


async def sales(world: DashboardWorld) -> None:
    await world.happened(
        bought("100.50", 0), bought("20", 1), bought("7.25", 6), bought("1000", 20), bought("5000", 60),
        *(bought("1", day, "view") for day in (0, 1, 1, 6)),
    )  # fmt: skip


def asked_days(tab: Tab) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(tab.page.url).query).items()}


def opened(tab: Tab, service: Served, query: str = "") -> Tab:
    tab.page.goto(service.url + query)
    tab.until("#mode", "live")
    return tab


def test_revenue_follows_the_range_that_a_button_chooses_and_the_url_keeps(tab: Tab, service: Served) -> None:
    service.do(sales)
    opened(tab, service)
    tab.until("#revenue-total", "1 127.75")
    tab.until("#revenue-readout", "yesterday 20; today so far 100.50")

    for label, total, days in (("7 days", "127.75", "7"), ("90 days", "6 127.75", "90"), ("Today", "100.50", "1")):
        tab.page.get_by_role("button", name=label, exact=True).click()
        tab.until("#revenue-total", total)
        assert asked_days(tab) == {"days": days}
        assert tab.page.locator("[aria-pressed=true]").inner_text() == label
    tab.page.go_back()
    tab.until("#revenue-total", "6 127.75")
    tab.page.reload()
    tab.until("#revenue-total", "6 127.75")

    assert tab.complaints == []


def test_two_dates_make_a_range_by_the_keyboard_alone(tab: Tab, service: Served) -> None:
    service.do(sales)
    opened(tab, service)
    tab.until("#revenue-total", "1 127.75")

    tab.page.get_by_label("From").fill(day_of(6))
    tab.page.get_by_label("to", exact=True).fill(day_of(1))
    tab.page.keyboard.press("Enter")

    tab.until("#revenue-total", "27.25")
    assert asked_days(tab) == {"from": day_of(6), "to": day_of(1)}
    tab.until("#range-said", "6 days")
    tab.page.locator("#revenue summary").click()
    tab.until("#revenue tbody tr:nth-child(1)", "1 20")
    tab.until("#revenue tbody tr:nth-child(6)", "1 7.25")
    assert tab.page.locator("#revenue tbody tr").count() == 6


def test_a_range_that_is_refused_is_said_with_the_reason(tab: Tab, service: Served) -> None:
    opened(tab, service, "?from=2020-01-01&to=2026-01-01")

    tab.until("#range-refusal", "at most 366 are answered")
    tab.page.get_by_role("button", name="30 days").click()
    tab.until("#range-said", "30 days")
    assert tab.page.locator("#range-refusal").is_hidden()


def test_a_type_is_shown_day_by_day_and_closed_again(tab: Tab, service: Served) -> None:
    service.do(sales)
    opened(tab, service)

    tab.page.get_by_role("button", name="view", exact=True).press("Enter")
    tab.until("#chosen-title", "view, day by day")
    tab.page.locator("#chosen summary").click()
    tab.until("#chosen tbody tr:nth-child(2)", "2 2")
    assert asked_days(tab)["type"] == "view"
    assert tab.barriers() == []
    tab.page.get_by_role("button", name="Close").click()

    tab.page.locator("#chosen-card").wait_for(state="hidden")
    assert "type" not in asked_days(tab)
    assert tab.page.evaluate("document.activeElement.id") == "types-tools-search"


def test_what_comes_is_shown_while_one_looks(tab: Tab, service: Served) -> None:
    opened(tab, service)
    tab.until("#revenue", "Nothing was bought")

    service.do(sales)

    tab.until("#revenue-total", "1 127.75")
    tab.until("#top-types", "view 4 4")


def test_plans_that_sell_and_those_that_are_only_looked_at_are_told(tab: Tab, service: Served) -> None:
    async def change(world: DashboardWorld) -> None:
        views = [bought("1", 1, "view", plan=8) for _ in range(12)]
        await world.happened(bought("12.50", 1, plan=7), bought("3", 60, plan=9), *views)

    service.do(change)
    opened(tab, service)

    tab.until("#bought", f"{UUID(int=7)} 0 1 12.50")
    tab.until("#only-viewed", f"{UUID(int=8)} 12 0 0")
    assert tab.page.locator("#bought tbody tr").count() == 1
    tab.page.get_by_role("button", name="90 days").click()
    tab.until("#bought", f"{UUID(int=9)} 0 1 3")
    assert tab.barriers() == []


@pytest.mark.timeout(120)
def test_ten_thousand_types_are_searched_and_paged(tab: Tab) -> None:
    async def many(world: DashboardWorld) -> None:
        await world.happened(*(bought("1", 1, f"type.{number:05}") for number in range(10_000)))

    world = DashboardWorld(SystemClock(), FoldedOnce(UTC))
    with served(Dashboard(world, interval=0.2)) as service:
        service.do(many)
        search_and_page(opened(tab, service, "?days=90"))


def search_and_page(tab: Tab) -> None:
    tab.until("#types-tools", f"1{TO}10 of 10 000")

    tab.page.get_by_role("button", name="Next types").click()
    tab.until("#top-types", "type.00010 1 1")
    tab.until("#types-tools", f"11{TO}20 of 10 000")
    tab.page.get_by_label("Search types").fill("TYPE.0777")
    tab.until("#types-tools", f"1{TO}10 of 10")
    tab.until("#top-types", "type.07777")
    tab.page.get_by_label("Search types").fill("nobody")
    tab.until("#top-types", "No type has this in its name.")

    assert tab.page.locator("*").count() < 2500
    assert tab.complaints == []


@pytest.mark.timeout(120)
def test_a_thousand_providers_are_searched_and_paged_the_troubled_first(browser: Browser) -> None:
    world = DashboardWorld(SystemClock())
    world.providers[:] = [configured(ScriptedProvider(), name=f"p{number:03}") for number in range(1000)]

    async def fail(world: DashboardWorld) -> None:
        await world.circuits.save("p777", CircuitState("open", 5))

    with served(Dashboard(world, interval=0.2)) as service, a_tab(browser) as tab:
        service.do(fail)
        opened(tab, service)
        tab.until("#provider-counts", "1 000 in all")
        tab.until("#providers tbody tr:first-child", "p777")
        tab.until("#troubles", "p777: failed, breaker open")
        tab.until("#providers-tools", f"1{TO}50 of 1 000")

        tab.page.get_by_role("button", name="Next providers").click()
        tab.until("#providers-tools", f"51{TO}100 of 1 000")
        tab.until("#providers tbody tr:first-child", "p049")
        tab.page.get_by_label("Search providers").fill("P99")
        tab.until("#providers-tools", f"1{TO}10 of 10")
        tab.until("#providers tbody tr:last-child", "p999")

        weights = tab.page.evaluate(
            "performance.getEntriesByType('resource').map(one => [one.name, one.decodedBodySize])"
        )
        files = sum(size for name, size in weights if name.endswith((".js", ".css", ".svg")))
        assert files < SMALL
        assert tab.page.locator("*").count() < 2500
        assert tab.barriers() == []


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_wide_numbers_are_whole_and_stay_within_the_page(browser: Browser, service: Served, phone: bool) -> None:
    async def rich(world: DashboardWorld) -> None:
        await world.happened(
            bought("987654321098.12345678", 0), bought("123456789012", 1, "pago.en.pesos"), bought("0.00000001", 1)
        )

    service.do(rich)
    with a_tab(browser, phone=phone) as tab:
        opened(tab, service)
        tab.until("#revenue-total", "987 654 321 098.12345679")
        tab.until("#top-types", "pago.en.pesos 1 123 456 789 012")
        tab.page.get_by_role("button", name="pago.en.pesos").click()
        tab.until("#chosen-title", "pago.en.pesos")
        for summary in tab.page.locator("summary").all():
            summary.click()

        assert not tab.is_wider_than_the_screen()
        clipped = (
            "[...document.querySelectorAll('.figure')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert tab.page.evaluate(clipped) == 0
        assert tab.barriers() == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_trouble_comes_first_and_says_what_to_do(browser: Browser, service: Served, dark: bool) -> None:
    async def fail(world: DashboardWorld) -> None:
        now = datetime.now(UTC)
        await world.journal.record(
            SyncReport(run_id="1", provider="demo", started_at=now, took=1, outcome=SyncOutcome.FAILED, reason="503")
        )
        world.stream.bury([bought("1", 0), bought("1", 0)], "no room")
        world.history.days_trouble = "The days are of another zone: marquee stats rebuild"

    with a_tab(browser, dark=dark) as tab:
        opened(tab, service)
        tab.until("#providers", "none yet")
        assert tab.page.locator("#trouble").is_hidden()

        service.do(fail)

        tab.until("#troubles", "1 dead letter could not be stored: marquee dead-letters list")
        tab.until("#troubles", "demo: failed: 503")
        tab.until("#troubles", "marquee stats rebuild")
        first = "document.querySelector('#board').firstElementChild.id"
        assert tab.page.evaluate(first) == "trouble"
        assert tab.barriers() == []


def test_a_process_that_begins_again_shows_the_hour_before(browser: Browser) -> None:
    world = DashboardWorld(SystemClock())
    with served(Dashboard(world, interval=0.2)) as service, a_tab(browser) as tab:
        opened(tab, service)
        service.do(lambda world: world.happened(*(bought("1", 0) for _ in range(37))))
        tab.until("#hour-total", "37")
    world.watch = world.a_watch()

    with served(Dashboard(world, interval=0.2)) as service, a_tab(browser) as tab:
        opened(tab, service)
        tab.until("#hour-total", "37")
