"""The door of activities before a queue that remembers, asked without a socket."""

import json
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door, IngestLimits
from app.adapters.inbound.http.ingest.ingest_router import ingest_router
from app.adapters.inbound.http.ingest.segment_router import segment_router
from app.adapters.inbound.intake.wording import USUAL_WORDING, Wording
from app.application.note_refusals import NoteRefusals
from app.application.record_activities import RecordActivities
from app.domain.activities import ActivityRules
from tests.fakes.refused_samples import MemoryRefusedSamples
from tests.fakes.store import MemoryStore
from tests.fakes.tally import MemoryTally
from tests.support.asgi import Sent
from tests.support.fixed_clock import FixedClock
from tests.support.remembering_queue import RememberingQueue

JSON = (b"content-type", b"application/json")
GZIP = (b"content-encoding", b"gzip")
LIMITS = IngestLimits(array=20, batch=10, body=256 * 1024)
VIEW = b'{"type":"view"}'


class World:
    """The door before the documented routes, with a queue that remembers."""

    def __init__(
        self,
        rules: ActivityRules | None = None,
        limits: IngestLimits = LIMITS,
        wording: Wording = USUAL_WORDING,
    ) -> None:
        ids = count(1)
        self.queue = RememberingQueue()
        self.observed: list[tuple[str, int]] = []
        record = RecordActivities(self.queue, FixedClock(), rules or ActivityRules(), lambda: UUID(int=next(ids)))
        self.store = MemoryStore()
        self.tally, self.samples = MemoryTally(self.store), MemoryRefusedSamples(self.store)
        note = NoteRefusals(self.samples, self.tally, FixedClock())
        self.door = Door(record, limits, wording=wording, note=note)
        self.app = IngestApp(
            lambda *asked: self.documented(*asked),  # noqa: PLW0108 - not made before it is asked
            self.door,
            lambda route, status, _: self._observe(route, status),
            errors=ERRORS,
        )

    @cached_property
    def documented(self) -> FastAPI:
        """Made when it is asked: that takes a hundred times as long as everything else here."""
        return create_api([ingest_router(self.door), segment_router(self.door)], "test")

    def _observe(self, route: str, status: int) -> None:
        self.observed.append((route, status))

    @property
    def taken(self) -> list[str]:
        return [activity.type for activity in self.queue.appended]

    async def post(self, body: bytes, path: str = "/events", *headers: tuple[bytes, bytes], pieces: int = 1) -> Sent:
        return await post(self.app, body, path, headers or (JSON,), pieces)


async def post(app: ASGIApp, body: bytes, path: str, headers: tuple[tuple[bytes, bytes], ...], pieces: int = 1) -> Sent:
    """Post without a socket; `pieces` in which the body comes, 0 for a client that leaves in its midst."""
    size = len(body) // max(pieces, 1) + 1
    parts = [body[start : start + size] for start in range(0, len(body) or 1, size)]
    coming: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if pieces:
        coming[-1]["more_body"] = False
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": list(headers)}
    await app(scope | {"http_version": "1.1", "root_path": "", "scheme": "http", "server": ("x", 1)}, receive, send)
    if not sent:
        return Sent(0, {}, b"")
    return Sent(sent[0]["status"], dict(sent[0]["headers"]), b"".join(part.get("body", b"") for part in sent[1:]))


def error_of(answer: Sent) -> dict[str, Any]:
    decoded = json.loads(answer.body)
    assert decoded["data"] is None
    error: dict[str, Any] = decoded["error"]
    return error


def a_batch(*records: bytes) -> bytes:
    return b'{"events": [' + b", ".join(records) + b"]}"


def an_array(*records: bytes) -> bytes:
    return b"[" + b", ".join(records) + b"]"
