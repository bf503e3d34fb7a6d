"""The shop of doc/tour.md: its commands make a key, its page has the tracker, and its button is counted."""

import json
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.support.chromium import chromium
from tests.support.service import REPOSITORY, Installation
from tests.support.shop import Shop, a_shop
from tests.support.waiting import until

pytestmark = [pytest.mark.chromium, pytest.mark.redis_server, pytest.mark.slow]

PAGE = (REPOSITORY / "doc" / "tour.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## From the pages of a shop\n")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"```sh\n(?:KEY=\$\()?\.venv/bin/marquee (.+?)\)?\n```", SECTION)
HTML = SECTION.partition("<<END\n")[2].partition("\nEND\n")[0]
SHOWN = re.findall(r"```json\n(.+?)\n```", SECTION)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with a_shop() as shop:
        yield shop


def test_what_is_done_in_the_shop_of_the_tour_is_counted(shop: Shop) -> None:
    assert (len(COMMANDS), len(SHOWN)) == (2, 1)
    here = {"http://127.0.0.1:9000": shop.origin}
    with Installation() as installation, chromium() as browser:
        service = installation.run()
        for command in COMMANDS:
            words = [here.get(word, word) for word in shlex.split(command)]
            said = installation.command(*words)
            assert said.returncode == 0, said.stderr
        shop.html = HTML.replace("$KEY", said.stdout.strip()).replace("http://127.0.0.1:8000", service.url or "")
        page = browser.new_page()
        page.goto(shop.origin)
        page.wait_for_function("!!(window.marquee || {}).track")
        page.get_by_role("button", name="Buy").click()

        until(lambda: service.ask("/stats").json == json.loads(SHOWN[0]))
