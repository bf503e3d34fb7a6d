"""`/docs` in a real browser: everything comes from the service itself, and a key opens it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import DEMO, recorded
from tests.support.chromium import Tab, a_tab, chromium
from tests.support.service import Installation, Service
from tests.support.service_access import first_admin_key

pytestmark = [pytest.mark.redis_server, pytest.mark.chromium, pytest.mark.slow]

TOTALS = "#operations-stats-list_totals"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def closed() -> Iterator[tuple[Service, str]]:
    """A service beyond loopback, and a key."""
    with Installation(recorded("demo", str(DEMO / "response_{}.xml")), service={"host": "0.0.0.0"}) as installation:
        service = installation.run()
        yield service, first_admin_key(service)


def open_docs(tab: Tab, service: Service) -> None:
    tab.page.goto(f"{service.url}/docs")


def try_out(tab: Tab, operation: str) -> str:
    """Call an operation, and read the status of its answer."""
    tab.page.locator(f"{operation} .opblock-summary-control").click()
    tab.page.locator(f"{operation} .try-out__btn").click()
    tab.page.locator(f"{operation} .execute").click()
    status = tab.page.locator(f"{operation} .live-responses-table .response-col_status").last
    status.wait_for()
    return status.inner_text().strip()


def test_a_key_opens_the_page_and_is_sent_with_what_is_tried_out(closed: tuple[Service, str], browser: Browser) -> None:
    service, key = closed
    with a_tab(browser) as tab:
        open_docs(tab, service)
        tab.until("#ask", "A key, please")
        assert tab.barriers() == []
        assert [text for text in tab.complaints if "401" not in text] == []

        tab.page.locator("#key").fill(key)
        tab.page.get_by_role("button", name="Show the API").click()
        tab.until("#swagger", "/events/batch")

        assert tab.page.locator("#ask").is_hidden()
        assert tab.page.locator(".opblock").count() > 20
        assert try_out(tab, TOTALS) == "200"
        assert [text for text in tab.complaints if "401" not in text] == []
        assert {url for url in tab.asked if not url.startswith((str(service.url), "data:"))} == set()


def test_a_bad_key_is_refused_in_words_and_another_may_follow(closed: tuple[Service, str], browser: Browser) -> None:
    service, key = closed
    with a_tab(browser, phone=True) as tab:
        open_docs(tab, service)
        tab.until("#ask", "A key, please")
        tab.page.locator("#key").fill("mq_nothing")
        tab.page.get_by_role("button", name="Show the API").click()
        tab.until("#key-refusal", "key")

        tab.page.locator("#key").fill(key)
        tab.page.get_by_role("button", name="Show the API").click()
        tab.until("#swagger", "/events/batch")


def test_where_the_api_is_open_no_key_is_asked_for(browser: Browser) -> None:
    with Installation() as installation, a_tab(browser) as tab:
        service = installation.run()
        open_docs(tab, service)
        tab.until("#swagger", "/search")

        assert try_out(tab, TOTALS) == "200"
        assert tab.complaints == []
        assert {url for url in tab.asked if not url.startswith((str(service.url), "data:"))} == set()
