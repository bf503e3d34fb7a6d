"""Visitors of a shop in a Chromium: tabs that open, close and crash, a network that comes and goes, and what they did.

Playwright's sync interface belongs to the thread that started the browser: all of this is called there.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, Error, Page

TYPES = ("shop_view", "shop_click", "shop_buy")
MOST_TABS = 3
SENT = "Object.keys(localStorage).filter((name) => name.startsWith('mq.') && name[name.length - 28] == '-').length == 0"
"""Whether nothing waits any more: names of records end with a UUID."""


class Visitor:
    """One browser, with several tabs that share what is stored."""

    def __init__(self, browser: Browser, address: str, user: str) -> None:
        self.user = user
        self.done: list[Mapping[str, Any]] = []
        """What was tracked, as the oracle wants it."""
        self.faults: Counter[str] = Counter()
        self._address = address
        self._context = browser.new_context()
        self._tabs: list[Page] = []
        self._offline = False
        self._open()
        self._tabs[0].evaluate(f"marquee.identify('{user}')")

    def step(self, chance: random.Random) -> None:
        """Do something in some tab; often something else happens to it at once, or soon."""
        if not self._tabs and not self._offline:
            self._open()
        if self._tabs:
            self._track(chance.choice(self._tabs), chance)
        act = chance.choices((self._wait, self._open, self._close, self._crash, self._switch), (4, 3, 2, 1, 2))[0]
        act(*([chance] if act in (self._close, self._crash, self._wait) else []))

    def finish(self) -> Sequence[Mapping[str, Any]]:
        """Go online and open a last tab: it sends what waits. Everything that was tracked."""
        if self._offline:
            self._switch()
        self._open()
        self._tabs[-1].wait_for_function(SENT, timeout=60_000)
        return self.done

    def close(self) -> None:
        self._context.close()

    def _track(self, tab: Page, chance: random.Random) -> None:
        calls = [(chance.choice(TYPES), chance.randrange(10**9)) for _ in range(chance.choice((1, 2, 5)))]
        try:
            made = tab.evaluate("calls => calls.map(([type, value]) => marquee.track(type, {}, value))", calls)
        except Error:  # it shared the process of one that crashed
            self._forget(tab)
            return
        for activity_id, (type_, value) in zip(made, calls, strict=True):
            at = datetime.fromtimestamp((UUID(activity_id).int >> 80) / 1000, UTC)
            found = {"id": activity_id, "type": type_, "occurred_at": at, "user_id": self.user, "value": str(value)}
            self.done.append(found)

    def _wait(self, chance: random.Random) -> None:
        if self._tabs:
            self._tabs[0].wait_for_timeout(chance.uniform(0, 400))

    def _open(self) -> None:
        if self._offline or len(self._tabs) == MOST_TABS:
            return
        tab = self._context.new_page()
        tab.goto(self._address)
        tab.wait_for_function("!!(window.marquee || {}).track", timeout=60_000)
        self._tabs.append(tab)
        self.faults["opened"] += 1

    def _close(self, chance: random.Random) -> None:
        if self._tabs:
            self._tabs.pop(chance.randrange(len(self._tabs))).close(run_before_unload=chance.random() < 0.5)
            self.faults["closed"] += 1

    def _crash(self, chance: random.Random) -> None:
        """End a tab's process, and with it that of others of the same shop, if the browser has put them together."""
        if not self._tabs:
            return
        victim = chance.choice(self._tabs)
        session = self._context.new_cdp_session(victim)
        with victim.expect_event("crash", timeout=10_000), suppress(Error):
            session.send("Page.crash", timeout=100)  # nobody answers
        self._forget(victim)
        self.faults["crashed"] += 1

    def _forget(self, tab: Page) -> None:
        self._tabs.remove(tab)
        tab.close()

    def _switch(self) -> None:
        self._offline = not self._offline
        self._context.set_offline(self._offline)
        self.faults["cut"] += self._offline


def visiting(visitors: Sequence[Visitor], chance: random.Random, steps: int, between: Callable[[], None]) -> None:
    """Let them do so many things, and whatever happens to the service in between."""
    for _ in range(steps):
        chance.choice(visitors).step(chance)
        between()
