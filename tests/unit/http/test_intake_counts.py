"""The door counts what became of activities, by type."""

from collections.abc import Mapping
from itertools import count
from uuid import UUID

import pytest

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door
from app.adapters.inbound.http.ingest.ingest_router import ingest_router
from app.adapters.inbound.intake.record_form import UNKNOWN
from app.application.ports.activities import QueueFullError
from app.application.record_activities import RecordActivities
from app.domain.activities import ActivityRules
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import JSON, LIMITS, VIEW, a_batch, an_array, post
from tests.support.remembering_queue import RememberingQueue


class Counting:
    """The door, and what it counted."""

    def __init__(self, rules: ActivityRules | None = None) -> None:
        ids = count(1)
        self.queue = RememberingQueue()
        self.counted: list[tuple[str, dict[str, int]]] = []
        record = RecordActivities(self.queue, FixedClock(), rules or ActivityRules(), lambda: UUID(int=next(ids)))
        door = Door(record, LIMITS, self._observe)
        self.documented = create_api([ingest_router(door)], "test")
        self.app = IngestApp(self.documented, door, lambda *_: None, errors=ERRORS)

    def _observe(self, outcome: str, types: Mapping[str, int]) -> None:
        self.counted.append((outcome, dict(types)))

    async def post(self, body: bytes, path: str = "/events") -> None:
        await post(self.app, body, path, (JSON,))


@pytest.fixture
def world() -> Counting:
    return Counting()


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/events", VIEW, [("accepted", {"view": 1})]),
        ("/events", b'{"type":"view","value":"x"}', [("refused", {"view": 1})]),
        ("/events", b'{"type":"View"}', [("refused", {UNKNOWN: 1})]),
        ("/events", b'{"type":7}', [("refused", {UNKNOWN: 1})]),
        ("/events", b'{"type":"view","source":"fax"}', [("refused", {"view": 1})]),
        ("/events", an_array(VIEW, VIEW, b'{"type":"buy"}'), [("accepted", {"view": 2, "buy": 1})]),
        ("/events/batch", a_batch(VIEW, VIEW), [("accepted", {"view": 2})]),
        (
            "/events",
            an_array(VIEW, b'{"event_type":"buy","source":"fax"}', b'"x"', b'{"event_type":"buy","value":[]}', b"7"),
            [("refused", {"buy": 1}), ("accepted", {"view": 1}), ("refused", {UNKNOWN: 2, "buy": 1})],
        ),
        ("/events", b'[{"type":"view","value":[]}]', [("refused", {"view": 1})]),
        ("/events", b"[]", []),
        ("/events", b"no JSON", []),
    ],
)
async def test_what_became_of_activities_is_counted_by_type(
    path: str, body: bytes, expected: list[tuple[str, dict[str, int]]]
) -> None:
    world = Counting(ActivityRules(sources=frozenset({"web"})))

    await world.post(body, path)

    assert world.counted == expected


async def test_a_duplicate_is_counted_as_one(world: Counting) -> None:
    record = b'{"type":"view","id":"00000000-0000-0000-0000-00000000000a"}'
    await world.post(record)
    await world.post(record)
    await world.post(an_array(record, VIEW, b'{"type":"buy"}'))

    assert world.counted == [
        ("accepted", {"view": 1}),
        ("duplicate", {"view": 1}),
        ("duplicate", {"view": 1}),
        ("accepted", {"view": 1, "buy": 1}),
    ]


async def test_what_the_queue_did_not_take_is_not_counted(world: Counting) -> None:
    world.queue.trouble = QueueFullError("full")

    await world.post(VIEW)

    assert world.counted == []


async def test_the_documented_routes_count_as_well(world: Counting) -> None:
    await post(world.documented, VIEW, "/events", (JSON,))

    assert world.counted == [("accepted", {"view": 1})]
