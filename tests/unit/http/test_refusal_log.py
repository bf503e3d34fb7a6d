"""What the log has of requests in front of the router: a refusal's id, and what came in, a line a second."""

import asyncio
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.adapters.inbound.http.connection.connection_limits import (
    malformed,
    too_large,
    too_late,
    too_many,
    unknown_coding,
)
from app.adapters.inbound.http.connection.request_ids import RefusalLog
from app.adapters.inbound.http.connection.timeout_protocol import CUT_FOR
from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.intake.intake_counts import IntakeLog
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.figures import CUT_REASONS
from app.application.ports.activities import QueueFullError
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.asgi import ask
from tests.support.ingest_world import JSON, VIEW, World, an_array

MINE = (b"x-request-id", b"mine-7")


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as found:
        yield found


async def test_the_id_of_a_search_that_was_refused_is_in_the_log(lines: list[Any]) -> None:
    index = LiveIndex(RENDERING)
    app = SearchApp(lambda *_: asyncio.sleep(0), index, UTC, lambda *_: None, errors=ERRORS)

    refused = await ask(app, "/search", b"starts_at=yesterday", headers=(MINE,))

    assert (refused.status, refused.headers[b"x-request-id"]) == (400, b"mine-7")
    (line,) = lines
    assert (line["event"], line["path"], line["status"]) == ("answered", "/search", 400)
    assert (line["code"], line["request_id"]) == ("invalid_date_time", "mine-7")


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (b"no JSON", "/events", "invalid_json"),
        (b'{"type":7}', "/events", "wrong_type"),
        (b"[{}]", "/events", "all_refused"),
        (VIEW, "/events/batch", "invalid_batch"),
    ],
)
async def test_the_id_of_a_post_that_was_refused_is_in_the_log(
    lines: list[Any], body: bytes, path: str, code: str
) -> None:
    refused = await World().post(body, path, JSON, MINE)

    assert refused.headers[b"x-request-id"] == b"mine-7"
    assert [(line["path"], line["code"], line["request_id"]) for line in lines] == [(path, code, "mine-7")]


def test_of_refusals_of_one_kind_one_a_second_is_logged_with_how_many_were_left_out(lines: list[Any]) -> None:
    seconds = 1000.0
    log = RefusalLog("GET", "/search", lambda: seconds)
    for status, code in ((400, "a"), (400, "a"), (400, "b"), (400, "a"), (200, ""), (304, ""), (503, "c")):
        log.note(Reply(status, b"", code=code), b"1")
    seconds += 1
    log.note(Reply(400, b"", code="a"), b"2")

    assert [(line["code"], line["request_id"], line.get("left_out")) for line in lines] == [
        ("a", "1", None),
        ("b", "1", None),
        ("a", "2", 2),
    ]


async def test_what_came_in_is_one_line_a_second(lines: list[Any]) -> None:
    world = World()
    world.door.intake.log = IntakeLog(interval=0.05)
    record = b'{"type":"view","id":"00000000-0000-0000-0000-00000000000a"}'
    await world.post(an_array(record, VIEW, VIEW, b'{"type":7}', b"{}", b'{"type":7}'))
    await world.post(record)
    world.queue.trouble = QueueFullError("full")
    await world.post(VIEW)
    assert "activities came in" not in {line["event"] for line in lines}

    await asyncio.sleep(0.2)

    (line,) = [line for line in lines if line["event"] == "activities came in"]
    assert (line["accepted"], line["duplicates"]) == (3, 1)
    assert line["refused"] == {"wrong_type": 2, "missing_field": 1}
    assert line["refused_requests"] == {"queue_full": 1}


def test_every_reason_for_which_a_client_is_cut_is_counted() -> None:
    refusals = (malformed(""), unknown_coding(b"gzip, chunked"), too_large(0, 9), too_large(9, 9), too_late("", 1))
    told = {refusal.code for refusal in (*refusals, too_many(1))} | set(CUT_FOR.values()) | {"too_many_connections"}

    assert told == set(CUT_REASONS)
