"""Activities taken out over HTTP: streamed and bounded, and listed page by page."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI

from app.adapters.inbound.export_files.portions import FileFormat, activities_as_lines
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.exports.export_streams import ExportStreams, TooManyExportsError
from app.adapters.inbound.http.exports.exports_router import exports_router
from app.application.export_activities import ExportActivities
from app.application.export_plans import ExportPlans
from app.application.export_stats import ExportStats
from app.application.list_activities import ListActivities
from app.application.ports.activity_archive import EXPORT_COLUMNS
from app.domain.activity_spans import ActivitySpan
from tests.fakes.activity_archive import MemoryActivityArchive
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.support.asgi import Sent, ask
from tests.support.builders import NOW, an_activity
from tests.support.fixed_clock import FixedClock

HOURS = [an_activity(number + 1, at=NOW - timedelta(hours=number), value="1.50") for number in range(10)]
EXPORT = "/export/activities"


def an_api(archive: MemoryActivityArchive, streams: ExportStreams | None = None) -> FastAPI:
    store = MemoryActivityStore(UTC)
    router = exports_router(
        ExportActivities(archive),
        ExportPlans(MemoryPlanJournal()),
        ExportStats(store, store, FixedClock(NOW), UTC),
        ListActivities(archive),
        streams or ExportStreams(),
        UTC,
    )
    return create_api([router], "1", frozenset())


class Client:
    """Reads an answer message by message; it may leave."""

    def __init__(self, app: Callable[..., Any], path: str, query: str = "", goes_on: Callable[[], bool] | None = None):
        self.messages: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.may_send = asyncio.Event()
        self.may_send.set()
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
        }
        scope |= {"method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": ""}
        scope |= {"query_string": query.encode(), "headers": [(b"host", b"test")], "state": {}}
        scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000)}
        if goes_on:
            scope["still_admitted"] = goes_on
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self.may_send.wait()
        self.messages.append(message)

    async def whole(self) -> Sent:
        await self.task
        body = b"".join(message.get("body", b"") for message in self.messages[1:])
        return Sent(self.messages[0]["status"], dict(self.messages[0]["headers"]), body)

    @property
    def has_end(self) -> bool:
        return not self.messages[-1].get("more_body", True)


async def test_an_export_is_streamed_line_by_line() -> None:
    client = Client(an_api(MemoryActivityArchive(HOURS)), EXPORT)

    sent = await client.whole()

    assert (sent.status, sent.headers[b"content-type"]) == (200, b"application/x-ndjson")
    assert [json.loads(line)["id"] for line in sent.body.splitlines()] == [str(one.activity_id) for one in HOURS]
    assert client.has_end
    assert len(client.messages) > 3


async def test_csv_has_a_header_also_when_nothing_follows() -> None:
    sent = await Client(an_api(MemoryActivityArchive()), EXPORT, "format=csv&escape_formulas=true").whole()

    assert sent.headers[b"content-type"] == b"text/csv; charset=utf-8"
    assert sent.body.decode() == f"{','.join(EXPORT_COLUMNS)}\n"


@pytest.mark.parametrize("what", ["plans", "stats"])
async def test_plans_and_stats_are_exported_alike(what: str) -> None:
    api = an_api(MemoryActivityArchive())

    lines = await Client(api, f"/export/{what}").whole()
    cells = await Client(api, f"/export/{what}", "format=csv&from=2021-01-01&to=2021-12-31").whole()

    assert (lines.status, lines.headers[b"content-type"], lines.body) == (200, b"application/x-ndjson", b"")
    assert cells.body.startswith({"plans": b"id,provider,", "stats": b"date,type,count,sum,users\n"}[what])


async def test_parquet_is_of_its_own_type() -> None:
    pytest.importorskip("pyarrow")

    sent = await Client(an_api(MemoryActivityArchive(HOURS)), EXPORT, "format=parquet").whole()

    assert (sent.headers[b"content-type"], sent.body[:4]) == (b"application/vnd.apache.parquet", b"PAR1")


async def test_days_are_those_of_the_stats_and_both_included() -> None:
    sent = await Client(an_api(MemoryActivityArchive(HOURS)), EXPORT, "from=2026-01-05T09:00:00Z&to=2026-01-05").whole()

    assert len(sent.body.splitlines()) == 4


@pytest.mark.parametrize("query", ["format=xml", "from=yesterday", "from=2026-01-06&to=2026-01-05"])
async def test_a_question_that_cannot_be_is_refused(query: str) -> None:
    assert (await Client(an_api(MemoryActivityArchive(HOURS)), EXPORT, query).whole()).status == 400


async def test_a_history_that_is_away_is_told_while_it_can_be() -> None:
    archive = MemoryActivityArchive(HOURS)
    archive.unavailable = "the disk is gone"
    streams = ExportStreams(most=1)

    answers = [await Client(an_api(archive, streams), EXPORT).whole() for _ in range(2)]

    assert [json.loads(one.body)["error"]["code"] for one in answers] == ["history_unavailable"] * 2


async def test_an_export_that_is_cut_short_has_no_end() -> None:
    archive = MemoryActivityArchive(HOURS)
    client = Client(an_api(archive), EXPORT)
    client.may_send.clear()
    await asyncio.sleep(0.05)
    archive.unavailable = "the disk is gone"
    client.may_send.set()

    await client.task

    assert client.messages[0]["status"] == 200
    assert not client.has_end


async def test_a_key_that_is_revoked_ends_it() -> None:
    client = Client(an_api(MemoryActivityArchive(HOURS)), EXPORT, goes_on=lambda: False)

    await client.task

    assert not client.has_end


async def test_one_caller_has_one_export_and_a_client_that_leaves_gives_its_place_back() -> None:
    api = an_api(MemoryActivityArchive(HOURS), ExportStreams(most=2))
    reader = Client(api, EXPORT)
    reader.may_send.clear()
    await asyncio.sleep(0.05)

    second = await Client(api, EXPORT).whole()
    reader.left.set()
    await asyncio.wait_for(reader.task, 5)

    assert (second.status, json.loads(second.body)["error"]["code"]) == (429, "too_many_own_streams")
    assert (await Client(api, EXPORT).whole()).status == 200


async def test_a_process_serves_so_many_and_no_more() -> None:
    streams = ExportStreams(most=1)
    export = ExportActivities(MemoryActivityArchive(HOURS))

    def portions() -> Any:
        return activities_as_lines(export, ActivitySpan(), FileFormat.NDJSON, escape_formulas=False)

    await streams.open(portions(), "a", "text/csv", lambda: True)

    with pytest.raises(TooManyExportsError, match="1 exports are being read already"):
        await streams.open(portions(), "b", "text/csv", lambda: True)


async def test_the_newest_are_listed_and_link_leads_on() -> None:
    api = an_api(MemoryActivityArchive(HOURS))
    listed, query = [], "limit=4&user=ana&type=view"
    for _ in range(3):
        sent = await ask(api, "/activities", query.encode())
        listed += json.loads(sent.body, parse_float=Decimal)
        link = sent.headers.get(b"link", b"").decode()
        query = link.partition("?")[2].partition(">")[0]

    assert [one["id"] for one in listed] == [str(one.activity_id) for one in HOURS]
    assert (listed[0]["occurred_at"], listed[0]["value"]) == ("2026-01-05T12:00:00.000000Z", Decimal("1.50"))
    assert link == ""


@pytest.mark.parametrize("query", ["after=x", "limit=0", "limit=1001", "user=", "from=x"])
async def test_a_list_that_cannot_be_is_refused(query: str) -> None:
    assert (await ask(an_api(MemoryActivityArchive(HOURS)), "/activities", query.encode())).status == 400


async def test_properties_are_json_and_not_text() -> None:
    archive = MemoryActivityArchive([an_activity(1, properties='{"a":[1.10]}')])

    sent = await ask(an_api(archive), "/activities")

    assert b'"properties":{"a":[1.10]}' in sent.body
