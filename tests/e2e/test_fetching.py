"""A server that says 304 for ever, and what is secret in the configuration, with the whole service."""

import asyncio

from app.adapters.outbound.providers.contract import a_plan
from tests.support.feed_server import FeedServer, Request, answer
from tests.support.feeds import a_feed
from tests.support.service import Installation

TOKEN = "s3cret-t0ken"


class StubbornServer(FeedServer):
    """Knows its visitors by a token, and tells whoever comes with a validator that nothing has changed."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.feed = a_feed([a_plan("1")])

    def provider(self) -> dict[str, object]:
        return {
            "name": "acme",
            "url": self.url,
            "allow_private_networks": True,
            "interval": 3600,
            "headers": {"Authorization": "Bearer ${ACME_TOKEN}"},
        }

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            await answer(401)(request, writer)
        elif "if-none-match" in request.headers:
            await answer(304)(request, writer)
        else:
            await answer(200, self.feed, ETag='"for ever"')(request, writer)


def test_a_full_sync_gets_what_a_server_that_says_304_for_ever_has() -> None:
    with StubbornServer() as server, Installation() as installation:
        installation.configure(server.provider())
        first = installation.command("sync", "acme", ACME_TOKEN=TOKEN)
        server.feed = a_feed([a_plan("1"), a_plan("2")])

        stuck = installation.command("sync", "acme", ACME_TOKEN=TOKEN)
        full = installation.command("sync", "acme", "--full", ACME_TOKEN=TOKEN)
        shown = [installation.command(command, ACME_TOKEN=TOKEN) for command in ("check", "providers")]

    assert "changed: 1 listed" in first.stdout
    assert stuck.stdout.startswith("acme unchanged")
    assert "changed: 1 listed" in full.stdout
    assert all(TOKEN not in done.stdout + done.stderr for done in (first, stuck, full, *shown))


def test_a_scheduler_syncs_in_full_when_it_is_asked_for_that() -> None:
    with StubbornServer() as server, Installation() as installation:
        installation.configure(server.provider())
        service = installation.run(ACME_TOKEN=TOKEN)
        service.request_sync("acme")
        server.feed = a_feed([a_plan("1"), a_plan("2")])

        stuck, full = service.request_sync("acme"), service.request_sync("acme", full=True)

        assert (stuck["outcome"], full["outcome"], full["changes"]) == ("unchanged", "applied", {"listed": 1})
        assert TOKEN not in str(service.log)


def test_a_missing_variable_stops_the_start_with_one_line_that_names_it() -> None:
    with Installation({"name": "acme", "url": "https://a.example/", "headers": {"X-Key": "${ACME_TOKEN}"}}) as marquee:
        done = marquee.command("sync")

    assert done.returncode == 78
    [line] = done.stderr.splitlines()
    assert "providers[0].headers.X-Key: expected the environment variable 'ACME_TOKEN'" in line
