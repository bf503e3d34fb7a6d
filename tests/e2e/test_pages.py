"""A page of a shop posts from a real Chromium, by a key that it shows to the world, to a service that is closed."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from tests.support.chromium import chromium
from tests.support.service import Installation, Service
from tests.support.service_access import a_user, first_admin_key
from tests.support.shop import Shop, a_shop
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.chromium, pytest.mark.slow, pytest.mark.timeout(120)]

BEACON = """([url, body, kind]) => navigator.sendBeacon(url, kind ? new Blob([body], {type: kind}) : body)"""
FRAMED = """([url, body]) => {
  const frame = document.createElement('iframe')
  frame.sandbox = 'allow-scripts'
  frame.srcdoc = '<script>navigator.sendBeacon(' + JSON.stringify(url) + ',' + JSON.stringify(body) + ')</' + 'script>'
  document.body.append(frame)
}"""
FETCH = """async ([url, body, headers, credentials]) => {
  try {
    const answer = await fetch(url, {method: 'POST', body, headers, credentials, keepalive: true})
    return [answer.status, (await answer.json()).error?.code ?? null]
  } catch (error) { return [0, String(error)] }
}"""
TRACED = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b"}
TRACED |= {"baggage": "a=b", "sentry-trace": "1-1-1", "X-Requested-With": "XMLHttpRequest", "Idempotency-Key": "k1"}


class Site(NamedTuple):
    installation: Installation
    service: Service
    shop: Shop
    other: Shop
    key: str
    """For pages of `shop`."""

    @property
    def door(self) -> str:
        return f"{self.service.url}/events"

    @property
    def types(self) -> list[str]:
        with closing(sqlite3.connect(self.installation.data / "history.sqlite3")) as database:
            return sorted(row[0] for row in database.execute("SELECT type FROM activities"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(browser: Browser) -> Iterator[Site]:  # noqa: ARG001 - without one nothing is started
    with Installation() as installation, a_shop() as shop, a_shop() as other:
        installation.configure(security={"anonymous": ["health"]})
        service = installation.run()
        a_user(installation, "shop", "writer")
        made = installation.command("keys", "create", "shop", "--publishable", "--origin", shop.origin)
        assert made.returncode == 0, made.stderr
        yield Site(installation, service, shop, other, made.stdout.strip())


def a_page(browser: Browser, shop: Shop) -> tuple[Page, list[str]]:
    page = browser.new_context().new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(shop.origin)
    return page, complaints


def posted(page: Page, url: str, record: Any, headers: dict[str, str], credentials: str = "omit") -> Any:
    return page.evaluate(FETCH, [url, json.dumps(record), headers, credentials])


def test_what_pages_of_the_shop_send_arrives_and_what_others_send_does_not(browser: Browser, site: Site) -> None:
    ours, complaints = a_page(browser, site.shop)
    theirs, _ = a_page(browser, site.other)
    json_ = {"Content-Type": "application/json"}
    until(lambda: posted(ours, f"{site.door}?key={site.key}", {"type": "known"}, json_)[0] == 202)
    complaints.clear()

    for page, who in ((ours, "our"), (theirs, "their")):
        for url, name, kind, key in (
            (f"{site.door}?key={site.key}", "text", "", None),
            (f"{site.door}?key={site.key}", "blob", "application/json", None),
            (site.door, "key_in_body", "", site.key),
        ):
            record = {"type": f"{who}.{name}"} | ({"key": key} if key else {})
            assert page.evaluate(BEACON, [url, json.dumps(record), kind])
    traced = posted(ours, f"{site.door}?key={site.key}", {"type": "our.traced"}, json_ | TRACED)
    with_cookies = posted(ours, f"{site.door}?key={site.key}", {"type": "our.cookies"}, json_, "include")
    refused = posted(ours, site.door, {"type": "our.secret"}, json_ | {"X-API-Key": first_admin_key(site.service)})
    without = posted(ours, site.door, {"type": "our.nobody"}, json_)
    foreign = posted(theirs, f"{site.door}?key={site.key}", {"type": "their.json"}, json_)

    assert (traced, with_cookies, without) == ([202, None], [202, None], [401, "unauthenticated"])
    assert refused[0] == 202  # a secret key works from a page too, where somebody is careless enough to show it
    assert foreign[0] == 0  # the browser asked first, and was told no
    expected = ["known", "our.blob", "our.cookies", "our.key_in_body", "our.secret", "our.text", "our.traced"]
    until(lambda: set(site.types) >= set(expected))
    assert sorted(set(site.types)) == expected
    assert not [said for said in complaints if "CORS" in said]
    for page in (ours, theirs):
        page.context.close()


def test_text_of_a_frame_without_an_origin_is_refused_and_no_key_is_logged(browser: Browser, site: Site) -> None:
    page, _ = a_page(browser, site.shop)
    url = f"{site.door}?key={site.key}"

    page.evaluate(FRAMED, [url, json.dumps({"type": "framed.text"})])

    until(lambda: '"origin_not_allowed"' in site.service.log_file.read_text())
    assert posted(page, url, {"type": "page.last"}, {"Content-Type": "application/json"})[0] == 202
    until(lambda: "page.last" in site.types)
    assert "framed.text" not in site.types
    assert site.key not in site.service.log_file.read_text()
    page.context.close()
