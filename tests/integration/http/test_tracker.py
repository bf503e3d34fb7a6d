"""The tracker in a real Chromium, on pages of another origin: what it sends, keeps and leaves alone."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from app.adapters.inbound.http.ingest.ingest_door import IngestLimits
from tests.support.chromium import chromium
from tests.support.shop import Shop, a_shop
from tests.support.tracker_world import TrackerWorld, tracked
from tests.support.waiting import until

pytestmark = [pytest.mark.chromium, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with a_shop() as shop:
        yield shop


@pytest.fixture
def world(shop: Shop) -> Iterator[TrackerWorld]:
    with tracked(TrackerWorld(shop.origin)) as world:
        shop.head, shop.fields = script(world), {}
        yield world


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody's own, with nothing stored in it."""
    context = browser.new_context(locale="en-GB")
    try:
        yield context
    finally:
        context.close()


def script(world: TrackerWorld, attributes: str = "", loading: str = "async") -> str:
    return f'<script {loading} src="{world.url}/marquee.js" {attributes}></script>'


def visit(visitor: BrowserContext, shop: Shop, path: str = "/") -> Page:
    page = visitor.new_page()
    page.goto(f"{shop.origin}{path}")
    page.wait_for_function("!!(window.marquee || {}).track")
    return page


def send(page: Page) -> None:
    """Have it send now, and not in a second."""
    page.evaluate("dispatchEvent(new Event('online'))")


def told(page: Page) -> list[str]:
    """What it says on the console from now on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if "marquee" in message.text else None)
    return said


def eventually(page: Page, condition: Callable[[], object]) -> None:
    """Wait while the page's events are heard, which `until` keeps waiting."""
    deadline = monotonic() + 20
    while not condition():
        assert monotonic() < deadline, condition
        page.wait_for_timeout(20)


def records(world: TrackerWorld) -> list[dict[str, Any]]:
    """Everything that was sent, each once."""
    return list({one["id"]: one for body in world.posted for one in body["events"]}.values())


def stored(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate("({...localStorage})")
    return found


def test_what_is_tracked_arrives_once_with_its_page(visitor: BrowserContext, shop: Shop, world: TrackerWorld) -> None:
    page = visit(visitor, shop, "/shows?seats=2#token")

    bought = page.evaluate("marquee.track('ticket.bought', {seats: 2, title: 'Camela'}, 12.5)")
    viewed = page.evaluate("marquee.track('view')")

    until(lambda: len(world.taken) == 2)
    first, second = world.taken
    assert [first.activity_id, second.activity_id] == [UUID(bought), UUID(viewed)]
    assert {(UUID(made).version, UUID(made).variant) for made in (bought, viewed)} == {(7, "specified in RFC 4122")}
    assert (first.type, first.source, str(first.value), first.user_id) == ("ticket.bought", "web", "12.5", None)
    page_of = {"url": f"{shop.origin}/shows?seats=2", "title": "Shows", "referrer": ""}
    assert json.loads(first.properties or "") == {**page_of, "title": "Camela", "seats": 2}
    assert json.loads(second.properties or "") == page_of
    for body in world.posted:
        assert all(one["occurred_at"] < body["sent_at"] for one in body["events"])
    anonymous = {one["anonymous_id"] for one in records(world)}
    until(lambda: set(stored(page).values()) == anonymous)
    assert visitor.cookies() == []


def test_calls_before_the_script_has_loaded_are_made_once_it_has(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    early = "(window.marquee = window.marquee || {q: []}).q.push(['track', 'view', {plan: 7}])"
    shop.head = f"<script>{early}</script>{script(world)}{script(world)}"
    page = visit(visitor, shop)

    page.evaluate("marquee.q.push(['track', 'click'])")
    page.evaluate("marquee.q.push(['nothing'])")
    send(page)

    until(lambda: world.types() == ["view", "click"])


def test_page_views_are_counted_where_they_are_asked_for_and_follow_the_history(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    shop.head = script(world, "data-page-views")
    page = visit(visitor, shop, "/a?b")
    page.evaluate("history.pushState({}, '', '/c')")
    page.wait_for_timeout(50)
    page.evaluate("history.replaceState({}, '', '#d')")
    page.evaluate("history.pushState({}, '', '/c#e')")
    page.go_back()
    page.go_back()
    page.wait_for_timeout(50)
    send(page)

    until(lambda: len(world.taken) == 3)
    assert world.types() == ["page_view"] * 3
    seen = [json.loads(one.properties or "") for one in sorted(world.taken, key=lambda one: one.activity_id)]
    assert [urlsplit(one["url"])[2:4] for one in seen] == [("/a", "b"), ("/c", ""), ("/a", "b")]
    assert [one["referrer"] for one in seen] == ["", f"{shop.origin}/a?b", f"{shop.origin}/c"]


def test_an_anonymous_id_belongs_to_one_user(visitor: BrowserContext, shop: Shop, world: TrackerWorld) -> None:
    page = visit(visitor, shop)
    for call in (
        *("track('a')", "identify(null)", "identify('')", "identify('ana')", "identify('ana')", "track('b')"),
        *("identify(17)", "track('c')", "reset()", "track('d')"),
    ):
        page.evaluate(f"marquee.{call}")
    send(page)

    until(lambda: len(records(world)) == 6)
    sent = [(one["type"], one.get("user_id"), one["anonymous_id"]) for one in records(world)]
    first, second, third = (anonymous for letter in "acd" for kind, _, anonymous in sent if kind == letter)
    assert len({first, second, third}) == 3
    expected = [("a", None, first), ("b", "ana", first), ("c", "17", second), ("d", None, third)]
    assert sorted(sent, key=str) == sorted([*expected, ("identify", "ana", first), ("identify", "17", second)], key=str)
    until(lambda: list(stored(page).values()) == [third])


def test_another_tab_and_the_next_visit_are_the_same_visitor(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    first = visit(visitor, shop)
    first.evaluate("marquee.identify('ana')")
    second = visit(visitor, shop)
    first.close()
    second.evaluate("marquee.track('view')")
    send(second)

    until(lambda: world.taken and "view" in world.types())
    assert {one["user_id"] for one in records(world)} == {"ana"}
    assert len({one["anonymous_id"] for one in records(world)}) == 1


def test_nothing_is_stored_or_sent_before_consent_and_nothing_is_left_after_it_is_withdrawn(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    shop.head = script(world, "data-consent=wait data-page-views")
    page = visit(visitor, shop)
    made = page.evaluate("marquee.track('view')")
    page.evaluate("marquee.identify('ana')")
    send(page)
    assert stored(page) == {}
    assert world.posted == []

    page.evaluate("marquee.consent(true)")
    until(lambda: sorted(world.types()) == ["$identify", "page_view", "view"])
    assert UUID(made) in [one.activity_id for one in world.taken]
    assert stored(page) != {}

    page.evaluate("localStorage.cart = 'full'")
    page.evaluate("marquee.track('before')")
    page.evaluate("marquee.consent(false)")
    page.evaluate("marquee.track('after')")
    send(page)
    assert stored(page) == {"cart": "full"}
    page.evaluate("marquee.consent(true)")
    page.evaluate("marquee.track('again')")
    send(page)
    until(lambda: "again" in world.types())
    assert not {"before", "after"} & set(world.types())


@pytest.mark.parametrize("signal", ["doNotTrack", "globalPrivacyControl"])
def test_who_does_not_want_to_be_tracked_is_not(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld, signal: str
) -> None:
    page = visit(visitor, shop)
    page.evaluate("marquee.identify('ana')")  # what an earlier visit has left
    visitor.add_init_script(f"Object.defineProperty(navigator, '{signal}', {{value: '1'}})")
    page.reload()
    page.wait_for_function("!!(window.marquee || {}).track")
    posted = len(world.posted)

    page.evaluate("marquee.consent(true)")
    page.evaluate("marquee.track('view')")
    send(page)
    page.wait_for_timeout(100)
    assert stored(page) == {}
    assert len(world.posted) == posted

    shop.head = script(world, "data-do-not-track=ignore")
    page = visit(visitor, shop)
    page.evaluate("marquee.track('click')")
    send(page)
    until(lambda: "click" in world.types())
    assert "view" not in world.types()


FULL = """
for (let size = 4e6; size > 0.5; size /= 2) try { for (;;) localStorage[Math.random()] = 'x'.repeat(size) } catch {}
"""
FORBIDDEN = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
BARE = "delete Navigator.prototype.locks; delete Crypto.prototype.randomUUID; delete AbortSignal.timeout"


@pytest.mark.parametrize("trouble", [FULL, FORBIDDEN, BARE], ids=["full", "forbidden", "old browser"])
def test_a_browser_that_keeps_nothing_or_lacks_something_sends_all_the_same(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld, trouble: str
) -> None:
    visitor.add_init_script(trouble)
    page = visitor.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(shop.origin)
    page.wait_for_function("!!(window.marquee || {}).track")

    page.evaluate("marquee.identify('ana')")
    page.evaluate("marquee.track('view')")
    page.evaluate("const own = {}; own.own = own; marquee.track('circle', own)")
    send(page)

    until(lambda: world.types() == ["$identify", "view"])
    assert {one["user_id"] for one in records(world)} == {"ana"}
    page.wait_for_timeout(20)
    assert errors == []


def test_what_was_tracked_offline_arrives_from_the_next_tab(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    page = visit(visitor, shop)
    visitor.set_offline(offline=True)
    made = page.evaluate("Array.from({length: 230}, (_, item) => marquee.track('view', {item, text: 'ñ'.repeat(99)}))")
    page.wait_for_timeout(1200)
    page.close()
    visitor.set_offline(offline=False)
    assert world.posted == []

    page = visit(visitor, shop)

    until(lambda: len(world.taken) == 230)
    assert sorted(str(one.activity_id) for one in world.taken) == sorted(made)
    until(lambda: len(stored(page)) == 1)
    assert max(len(body["events"]) for body in world.posted) <= 100
    assert max(len(json.dumps(body, ensure_ascii=False).encode()) for body in world.posted) < 64 * 1024


def test_what_a_page_tracks_as_it_is_left_arrives(visitor: BrowserContext, shop: Shop, world: TrackerWorld) -> None:
    page = visit(visitor, shop)
    page.evaluate("marquee.track('click'); location = 'about:blank'")

    until(lambda: world.types() == ["click"], 5)


def test_a_service_that_is_down_is_asked_again_later_and_when_it_says(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    world.answers = [
        (503, {"Retry-After": "600"}, b"{}"),
        (429, {}, b"{}"),
        (502, {}, b"<h1>Bad"),
        (200, {}, b"<h1>Off"),
    ]
    page = visitor.new_page()
    page.clock.install()
    answered: list[int] = []
    page.on("requestfinished", lambda request: answered.append(1) if request.method == "POST" else None)
    page.goto(shop.origin)
    page.wait_for_function("!!(window.marquee || {}).track")
    page.evaluate("marquee.track('view')")

    for seconds, attempts in ((2, 1), (590, 1), (20, 2), (5, 3), (10, 4), (20, 5)):
        page.clock.run_for(seconds * 1000)
        eventually(page, lambda attempts=attempts: len(answered) >= attempts)  # type: ignore[misc]  # bound at once
        page.wait_for_timeout(50)
        assert len(world.posted) == attempts, (seconds, attempts)
    until(lambda: world.types() == ["view"])
    assert len(records(world)) == 1


def test_a_clock_that_is_off_is_corrected_by_when_it_was_sent(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    page = visitor.new_page()
    page.clock.install(time=datetime.now(UTC) - timedelta(days=2))
    page.goto(shop.origin)
    page.wait_for_function("!!(window.marquee || {}).track")
    page.evaluate("marquee.track('view')")
    send(page)

    until(lambda: world.taken)
    assert abs(world.taken[0].occurred_at - datetime.now(UTC)) < timedelta(minutes=1)
    [sent] = records(world)
    assert datetime.fromisoformat(sent["occurred_at"]) < datetime.now(UTC) - timedelta(days=1)


def test_what_is_refused_is_told_on_the_console_and_never_sent_again(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    page = visit(visitor, shop)
    said = told(page)
    page.evaluate("marquee.track('view')")
    page.evaluate("marquee.track('No Type')")
    page.evaluate("marquee.track('large', {text: 'x'.repeat(70000)})")
    send(page)
    eventually(page, lambda: len(said) == 2)
    assert world.types() == ["view"]
    assert len(records(world)) == sum(len(body["events"]) for body in world.posted) == 3

    world.answers = [(403, {}, b'{"error": {"code": "not_allowed"}}')]
    page.evaluate("marquee.track('click')")
    send(page)
    eventually(page, lambda: len(said) == 3)
    assert len(stored(page)) == 1
    assert world.types() == ["view"]


def test_a_service_that_takes_less_at_once_gets_less_at_once(visitor: BrowserContext, shop: Shop) -> None:
    with tracked(TrackerWorld(shop.origin, IngestLimits(array=10, batch=10, body=1024 * 1024))) as world:
        shop.head = script(world)
        page = visit(visitor, shop)
        page.evaluate("for (let item = 0; item < 25; item++) marquee.track('view')")
        send(page)

        until(lambda: len(world.taken) == 25)
        assert [len(body["events"]) for body in world.posted] == [25, 12, 6, 6, 6, 6, 1]


@pytest.mark.usefixtures("world")
def test_no_more_is_kept_than_a_tenth_of_what_a_shop_may_store(visitor: BrowserContext, shop: Shop) -> None:
    page = visit(visitor, shop)
    said = told(page)
    visitor.set_offline(offline=True)
    page.evaluate("for (let item = 0; item < 60; item++) marquee.track('view', {text: 'x'.repeat(1e4)})")

    assert 400_000 < sum(map(len, stored(page).values())) < 500_000
    assert "too much waits" in said[0]


def test_a_page_that_is_shown_to_nobody_yet_says_nothing(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    shop.head = script(world, "data-page-views")
    visitor.add_init_script("Object.defineProperty(document, 'prerendering', {value: true, configurable: true})")
    page = visit(visitor, shop)
    send(page)
    assert stored(page) == {}

    page.evaluate("delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))")

    until(lambda: world.types() == ["page_view"])


def test_a_shop_needs_to_allow_one_origin_for_scripts_and_one_for_connections(
    visitor: BrowserContext, shop: Shop, world: TrackerWorld
) -> None:
    shop.head = script(world, "data-page-views data-key=mqp_x")
    policy = f"default-src 'none'; img-src data:; script-src {world.url}; connect-src {world.url}"
    shop.fields = {"content-security-policy": policy, "cross-origin-embedder-policy": "require-corp"}
    page = visitor.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(shop.origin)
    page.wait_for_function("document.readyState == 'complete'")

    until(lambda: world.types() == ["page_view"])
    assert world.asked == [b"key=mqp_x"]
    assert complaints == []
