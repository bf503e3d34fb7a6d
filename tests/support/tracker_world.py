"""The tracker's script and the door that it posts to, on a real server of ours in a thread, with faults on request."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.access.cors import with_cors
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door, IngestLimits
from app.adapters.inbound.http.ingest.ingest_router import ingest_router
from app.adapters.inbound.http.tracker.tracker_router import tracker_router
from app.adapters.machine.system_clock import SystemClock
from app.application.record_activities import RecordActivities
from app.domain.activities import Activity, ActivityRules
from app.infrastructure.roles.http_server import http_server
from tests.support.remembering_queue import RememberingQueue

LIMITS = IngestLimits(array=2000, batch=100, body=1024 * 1024)
JSON = [(b"content-type", b"application/json")]
"""What the gate of posts makes of text from pages that may post; here there is no gate."""


class TrackerWorld:
    """What came, what was taken of it, and what is answered instead."""

    def __init__(self, origin: str, limits: IngestLimits = LIMITS) -> None:
        self.url = ""
        self.posted: list[Any] = []
        """The body of each request that came to the door."""
        self.asked: list[bytes] = []
        """Their query strings."""
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        """What the next requests are answered, before the door sees them."""
        self.closed = False
        """Whether all are answered 503."""
        self.queue = RememberingQueue()
        rules = ActivityRules(types=None)
        door = Door(RecordActivities(self.queue, SystemClock(), rules, uuid4), limits)
        api = create_api([tracker_router(), ingest_router(door)], "test")
        self._door = IngestApp(api, door, lambda _route, _status, _seconds: None, errors=ERRORS)
        self.app: ASGIApp = with_cors(self._answer, [origin])

    @property
    def taken(self) -> list[Activity]:
        """What the door took, each once."""
        return list(self.queue.appended)

    def types(self) -> list[str]:
        """The types of it, in the order in which it occurred."""
        return [activity.type for activity in sorted(self.taken, key=lambda one: (one.occurred_at, one.activity_id))]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._door(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.posted.append(json.loads(body) if body else None)
        self.asked.append(scope["query_string"])
        fault = (503, {}, b'{"error":{}}') if self.closed else self.answers.pop(0) if self.answers else None
        if fault:
            status, fields, text = fault
            headers = [(name.encode(), value.encode()) for name, value in fields.items()]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": text})
            return

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._door({**scope, "query_string": b"", "headers": JSON}, again, send)


@contextmanager
def tracked(world: TrackerWorld) -> Iterator[TrackerWorld]:
    """Serve it on loopback until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        world.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = http_server(world.app, 1, timeout_protocol(ConnectionLimits()))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            yield world
        finally:
            server.should_exit = True
            thread.join(15)
    assert not thread.is_alive()
