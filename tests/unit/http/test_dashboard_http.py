"""The dashboard's routes: files that say nothing, a state of a known shape, a stream of what changes in it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from jsonschema_rs import validator_for

from app.adapters.inbound.http.dashboard.dashboard_answer import DashboardAnswer
from app.adapters.inbound.http.dashboard.dashboard_router import FILES
from app.application.ports.system import CircuitState
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.support.asgi import Sent, ask
from tests.support.builders import NOW, a_plan, an_activity
from tests.support.dashboard_server import Dashboard
from tests.support.dashboard_world import DashboardWorld
from tests.support.scripted_provider import ScriptedProvider, configured

NAMES = sorted(path.name for path in FILES.iterdir())
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


SHAPE = validator_for(DashboardAnswer.model_json_schema(mode="serialization"), validate_formats=True)


class Viewer:
    """Somebody who looks on, without a socket."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.states: list[dict[str, Any]] = []
        self.ended = False
        self._gone = asyncio.Event()
        self._heard = asyncio.Event()
        scope = {"type": "http", "method": "GET", "path": "/dashboard/stream", "query_string": b"", "headers": []}
        scope |= {"http_version": "1.1", "root_path": "", "scheme": "http", "server": ("x", 1), "client": ("x", 2)}
        self.serving = asyncio.create_task(dashboard.gate(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        elif message.get("more_body"):
            found = re.fullmatch(rb"event: state\ndata: (.*)\n\n", message["body"])
            assert found
            self.states.append(json.loads(found[1]))
        else:
            self.ended = True
        self._heard.set()

    async def hears(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many states have come."""
        async with asyncio.timeout(5):
            while len(self.states) < count:
                self._heard.clear()
                await self._heard.wait()
        return self.states

    def leave(self) -> None:
        self._gone.set()

    async def over(self) -> None:
        async with asyncio.timeout(5):
            await self.serving


@asynccontextmanager
async def viewing(dashboard: Dashboard, count: int = 1) -> AsyncIterator[list[Viewer]]:
    viewers = [Viewer(dashboard) for _ in range(count)]
    try:
        yield viewers
    finally:
        for viewer in viewers:
            viewer.leave()
        await asyncio.gather(*(viewer.over() for viewer in viewers))


@pytest.fixture
async def dashboard() -> Dashboard:
    return Dashboard(DashboardWorld())


async def state_of(dashboard: Dashboard) -> dict[str, Any]:
    sent = await ask(dashboard.gate, "/dashboard/state")
    assert (sent.status, sent.headers[b"cache-control"]) == (200, b"no-store")
    found: dict[str, Any] = json.loads(sent.body)
    return found


def directives(sent: Sent) -> set[str]:
    return set(sent.headers[b"content-security-policy"].decode().split("; "))


async def test_the_page_may_do_no_more_than_load_its_own_files(dashboard: Dashboard) -> None:
    sent = await ask(dashboard.gate, "/")

    assert (sent.status, sent.headers[b"content-type"]) == (200, b"text/html; charset=utf-8")
    assert directives(sent) == POLICY


@pytest.mark.parametrize("name", NAMES)
async def test_every_file_is_served_as_what_it_is_and_names_its_content(dashboard: Dashboard, name: str) -> None:
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

    sent = await ask(dashboard.gate, f"/dashboard/{name}")
    tag = sent.headers[b"etag"]
    again = await ask(dashboard.gate, f"/dashboard/{name}", headers=((b"if-none-match", b'"x", ' + tag),))

    assert sent.body == (FILES / name).read_bytes()
    assert sent.headers[b"content-type"].decode().partition(";")[0] == types[name.rpartition(".")[2]]
    assert sent.headers[b"cache-control"] == b"no-cache"
    assert (again.status, again.body, again.headers[b"etag"]) == (304, b"", tag)


@pytest.mark.parametrize("name", NAMES)
def test_no_file_asks_anybody_else_or_needs_what_the_policy_forbids(name: str) -> None:
    text = (FILES / name).read_text(encoding="utf-8")
    addresses = set(re.findall(r"\w+://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}

    assert addresses == set()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)
    assert not re.search(r"<style|\bstyle=|<script>|\bon\w+=\"|@import|url\(", text)


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fapi.py", "page.html%00", "state/", "."])
async def test_only_those_files_are_served(dashboard: Dashboard, name: str) -> None:
    assert (await ask(dashboard.gate, f"/dashboard/{name}")).status == 404


async def test_the_state_of_nothing_has_the_documented_shape(dashboard: Dashboard) -> None:
    state = await state_of(dashboard)

    SHAPE.validate(state)
    assert state["store"] == {"up": False, "reason": "not asked yet", "seen_at": None}
    assert state["activities"]["received"] is None
    assert state["catalog"]["plans"] == 0


async def test_the_state_has_the_documented_shape_and_the_known_figures(dashboard: Dashboard) -> None:
    world = dashboard.world
    await world.happened(an_activity(1, type_="buy", value="12.50"), an_activity(2, type_="buy", value="0.10"))
    await world.user()
    world.plans(a_plan(starts="2026-01-05T21:00", ends="2026-01-05T22:30"))
    report = SyncReport(
        run_id="1", provider="demo", started_at=NOW, took=1, outcome=SyncOutcome.HELD, records=3, reason="too many"
    )
    await world.journal.record(report)
    await world.catalog.look()

    state = await state_of(dashboard)

    SHAPE.validate(state)
    assert state["at"] == "2026-01-05T12:00:00.000Z"
    assert state["store"] == {"up": True, "reason": None, "seen_at": None}
    assert state["history"]["types"] == {
        "types": 1,
        "activities": 2,
        "top": [{"type": "buy", "count": 2, "sum": 12.6}],
    }
    assert state["history"]["daily_users"][-1] == {"date": "2026-01-05", "users": 1}
    assert state["history"]["users"] == {"total": 1, "active": 1, "deleted": 0}
    assert state["activities"]["received"] == 2
    [plan] = state["catalog"]["next"]
    assert (plan["title"], plan["starts"], plan["starts_at"], plan["min_price"]) == (
        "Camela en concierto",
        "2026-01-05T21:00:00",
        "2026-01-05T21:00:00.000Z",
        20.0,
    )
    assert state["catalog"]["timeline"]["periods"][14] == {"start": "2026-01-05", "plans": 1}
    [provider] = state["providers"]
    assert (provider["name"], provider["outcome"], provider["reason"]) == ("demo", "held", "too many")
    assert state["provider_counts"] == {"total": 1, "troubled": 1}


async def test_of_a_thousand_providers_fifty_are_shown_the_troubled_first(dashboard: Dashboard) -> None:
    world = dashboard.world
    world.providers[:] = [configured(ScriptedProvider(), name=f"p{number}") for number in range(1000)]
    await world.circuits.save("p999", CircuitState("open", 5))
    await world.catalog.look()

    state = await state_of(dashboard)

    assert [provider["name"] for provider in state["providers"]] == ["p999", *(f"p{number}" for number in range(49))]
    assert state["provider_counts"] == {"total": 1000, "troubled": 1}
    assert len((await ask(dashboard.gate, "/dashboard/state")).body) < 40_000


async def test_sums_and_prices_are_sent_with_their_digits(dashboard: Dashboard) -> None:
    await dashboard.world.happened(an_activity(1, value="12.50"), an_activity(2, value="0.10"))
    dashboard.world.plans(a_plan())

    body = (await ask(dashboard.gate, "/dashboard/state")).body

    assert b'"sum":12.60' in body
    assert b'"min_price":20.00' in body


async def test_a_history_that_is_away_is_null_with_its_reason(dashboard: Dashboard) -> None:
    dashboard.world.history.unavailable = "the disk is full"

    history = (await state_of(dashboard))["history"]

    assert history == {
        "up": False,
        "reason": "the disk is full",
        "types": None,
        "daily_users": None,
        "retention": None,
        "users": None,
        "counting": None,
    }


async def test_a_store_that_is_away_is_said_with_the_time_it_was_seen(dashboard: Dashboard) -> None:
    world = dashboard.world
    await world.catalog.look()
    world.store.unavailable = "no Redis"
    await world.catalog.look()

    state = await state_of(dashboard)

    assert state["store"] == {"up": False, "reason": "no Redis", "seen_at": "2026-01-05T12:00:00.000Z"}
    assert state["activities"]["received"] == 0


async def test_a_stream_begins_with_the_whole_state(dashboard: Dashboard) -> None:
    async with viewing(dashboard) as [viewer]:
        [state, *_] = await viewer.hears(1)

    SHAPE.validate(state)
    assert viewer.status == 200
    assert viewer.headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert viewer.headers[b"cache-control"] == b"no-store"


async def test_a_stream_goes_on_with_what_has_changed(dashboard: Dashboard) -> None:
    world = dashboard.world
    async with viewing(dashboard) as [viewer]:
        await viewer.hears(1)
        world.fixed_clock.move(1)
        await viewer.hears(len(viewer.states) + 2)
        quiet = viewer.states[-1]
        world.plans(a_plan())
        world.fixed_clock.move(1)
        await viewer.hears(len(viewer.states) + 2)

    assert set(quiet) <= {"at"}
    assert [state["catalog"]["plans"] for state in viewer.states if "catalog" in state] == [0, 1]


async def test_every_second_brings_a_sign_of_life(dashboard: Dashboard) -> None:
    async with viewing(dashboard) as [viewer]:
        states = await viewer.hears(5)

    assert len(states) >= 5


async def test_all_viewers_are_told_the_same(dashboard: Dashboard) -> None:
    async with viewing(dashboard, 20) as viewers:
        first = [(await viewer.hears(1))[0] for viewer in viewers]

    assert all(state == first[0] for state in first)


async def test_whoever_comes_when_all_seats_are_taken_is_told_to_poll() -> None:
    dashboard = Dashboard(DashboardWorld(), most_viewers=2)
    async with viewing(dashboard, 2) as viewers:
        for viewer in viewers:
            await viewer.hears(1)
        refused = await ask(dashboard.gate, "/dashboard/stream")

        viewers[0].leave()
        await viewers[0].over()
        async with viewing(dashboard) as [later]:
            await later.hears(1)

    assert (refused.status, refused.headers[b"retry-after"]) == (503, b"5")
    assert json.loads(refused.body)["error"]["code"] == "too_many_viewers"
    assert dashboard.viewers.places.count == 0


async def test_a_process_that_ends_ends_its_streams_and_begins_none(dashboard: Dashboard) -> None:
    async with viewing(dashboard, 3) as viewers:
        for viewer in viewers:
            await viewer.hears(1)

        dashboard.viewers.stop()
        await asyncio.gather(*(viewer.over() for viewer in viewers))

    assert all(viewer.ended for viewer in viewers)
    assert (await ask(dashboard.gate, "/dashboard/stream")).status == 503


async def test_a_stream_ends_with_its_key(dashboard: Dashboard) -> None:
    async with viewing(dashboard) as [viewer]:
        await viewer.hears(2)
        dashboard.gate.key = "another"
        await viewer.over()

    assert viewer.ended
    assert len(viewer.states) > 1


async def test_the_document_has_the_state_but_no_stream_without_end(dashboard: Dashboard) -> None:
    paths = json.loads((await ask(dashboard.gate, "/openapi.json")).body)["paths"]

    assert {path for path in paths if "dashboard" in path or path == "/"} == {
        f"/dashboard/{name}" for name in ("state", "days", "types", "plans", "providers")
    }
