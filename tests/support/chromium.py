"""A real Chromium that is installed on this machine, headless; a test without one is skipped, and fails in CI."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it; `MARQUEE_TEST_CHROMIUM` names another binary than the first on PATH."""
    found = os.environ.get("MARQUEE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"NO CHROMIUM: none of {', '.join(NAMES)} is on PATH, and MARQUEE_TEST_CHROMIUM is not set"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*sandbox, "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page, with everything it complained about and everybody it asked."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def text(self, selector: str) -> str:
        """What stands there, spaces of all kinds as plain ones."""
        return " ".join(self.page.locator(selector).inner_text().split())

    def until(self, selector: str, text: str) -> None:
        """Wait until an element says something."""
        self.page.wait_for_function(
            "([where, what]) => document.querySelector(where)?.innerText.replace(/\\s+/g, ' ').includes(what)",
            arg=[selector, text],
            timeout=15_000,
        )

    def is_wider_than_the_screen(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def barriers(self) -> list[str]:
        """What axe-core finds fault with: rule, impact and where."""
        options = {"runOnly": {"type": "tag", "values": list(RULES)}, "resultTypes": ["violations"]}
        found: Any = Axe().run(self.page, options=options).response["violations"]
        return [f"{one['id']} ({one['impact']}): {node['html'][:200]}" for one in found for node in one["nodes"]]


@contextmanager
def a_tab(browser: Browser, *, dark: bool = False, phone: bool = False, **more: Any) -> Iterator[Tab]:
    """Open a page of its own in a theme and a size."""
    context = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport=PHONE if phone else DESKTOP,
        locale="en-GB",
        **more,
    )
    try:
        yield Tab(context)
    finally:
        context.close()
