"""Every door by which activities come, as one sees it from outside: what happened, and what is in the queue then.

A broker's door is one more `DoorWorld`: the tests of `tests/contract/test_doors.py` run over all of them.
"""

import json
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

from app.adapters.inbound.subscriptions.message_door import MessageDoor, by_headers
from app.adapters.inbound.subscriptions.subscription import Message
from app.domain.activities import Activity
from app.domain.senders import Sender
from tests.support.builders import NOW
from tests.support.ingest_world import JSON, World


@dataclass(frozen=True)
class Happened:
    """What somebody did, before anybody writes it down."""

    type: str | None = "view"
    """None: whoever wrote it down forgot it, which no door takes."""
    id: str | None = None
    at: datetime | None = None
    user: str | None = None
    value: float | None = None
    sent_at: datetime | None = None
    """By the sender's clock; CloudEvents have no place for it."""
    page: str | None = None
    """Something that is no field of an activity."""


class DoorWorld(Protocol):
    """A door, and a queue behind it that remembers."""

    most: int
    """How many it takes at once."""

    @abstractmethod
    async def deliver(self, *happened: Happened) -> None:
        """Bring what happened, in one delivery where the form has room for several, and wait until it is judged."""

    @property
    @abstractmethod
    def taken(self) -> Sequence[Activity]:
        """Which activities have come into the queue, in their order."""


Written = tuple[str, tuple[tuple[bytes, bytes], ...], bytes]
"""Path, headers and body of a request."""


class HttpDoor(DoorWorld):
    """A form at HTTP; `write` makes requests of what happened."""

    def __init__(self, write: Callable[[Sequence[Happened]], list[Written]]) -> None:
        self._write = write
        self.world = World()
        self.most = self.world.door.limits.array
        self.statuses: list[int] = []

    async def deliver(self, *happened: Happened) -> None:
        for path, headers, body in self._write(happened):
            self.statuses.append((await self.world.post(body, path, *headers)).status)

    @property
    def taken(self) -> Sequence[Activity]:
        return self.world.queue.appended


class BrokerDoor(DoorWorld):
    """A form in the messages of a broker in memory; each message comes, as one that was not settled comes again."""

    def __init__(self, write: Callable[[Sequence[Happened]], list[Written]]) -> None:
        self._write = write
        self._numbers = count(1)
        self.world = World()
        self.most = self.world.door.limits.array
        self.door = MessageDoor(
            self.world.door.intake, Sender("subscription:shop"), by_headers, self.world.door.limits.body
        )

    async def deliver(self, *happened: Happened) -> None:
        for _, headers, body in self._write(happened):
            message = Message(body, dict(headers), f"memory:{next(self._numbers)}", NOW, None)
            for _ in range(2):
                await self.door.take(message)

    @property
    def taken(self) -> Sequence[Activity]:
        return self.world.queue.appended


def own_words(one: Happened) -> dict[str, Any]:
    at = one.at.isoformat() if one.at else None
    properties = {"page": one.page} if one.page else None
    sent_at = one.sent_at.isoformat() if one.sent_at else None
    said = {
        "sent_at": sent_at,
        "id": one.id,
        "type": one.type,
        "occurred_at": at,
        "user_id": one.user,
        "value": one.value,
    }
    return _without_nulls(said | {"properties": properties})


def cloud_event(one: Happened) -> dict[str, Any]:
    data = _without_nulls({"value": one.value, "page": one.page})
    said = {"specversion": "1.0", "id": one.id or str(uuid4()), "source": "/shop", "type": one.type}
    return _without_nulls(said | {"time": one.at.isoformat() if one.at else None, "subject": one.user, "data": data})


def segment_call(one: Happened) -> dict[str, Any]:
    properties = _without_nulls({"revenue": one.value, "page": one.page})
    said: dict[str, Any] = {
        "type": "track",
        "messageId": one.id,
        "event": one.type,
        "userId": one.user,
        "properties": properties,
    }
    said["sentAt"] = one.sent_at.isoformat() if one.sent_at else None
    return _without_nulls(said | {"timestamp": one.at.isoformat() if one.at else None})


def _without_nulls(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _headers(kind: str) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"content-type", kind.encode()),)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _array(happened: Sequence[Happened]) -> list[Written]:
    return [("/events", (JSON,), _encoded([own_words(one) for one in happened]))]


def _one_by_one(happened: Sequence[Happened]) -> list[Written]:
    return [("/events", (JSON,), _encoded(own_words(one))) for one in happened]


def _lines(happened: Sequence[Happened]) -> list[Written]:
    return [("/events", _headers("application/x-ndjson"), b"\n".join(_encoded(own_words(one)) for one in happened))]


def _event_batch(happened: Sequence[Happened]) -> list[Written]:
    kind = _headers("application/cloudevents-batch+json")
    return [("/events", kind, _encoded([cloud_event(one) for one in happened]))]


def _events(happened: Sequence[Happened]) -> list[Written]:
    kind = _headers("application/cloudevents+json; charset=utf-8")
    return [("/events", kind, _encoded(cloud_event(one))) for one in happened]


def _events_in_headers(happened: Sequence[Happened]) -> list[Written]:
    found: list[Written] = []
    for one in happened:
        event = cloud_event(one)
        data = event.pop("data")
        headers = tuple((f"ce-{name}".encode(), str(value).encode()) for name, value in event.items())
        found.append(("/events", (*headers, JSON), _encoded(data)))
    return found


def _segment_batch(happened: Sequence[Happened]) -> list[Written]:
    return [("/v1/batch", (JSON,), _encoded({"batch": [segment_call(one) for one in happened], "writeKey": "x"}))]


def _segment_calls(happened: Sequence[Happened]) -> list[Written]:
    return [("/v1/track", _headers("text/plain;charset=UTF-8"), _encoded(segment_call(one))) for one in happened]


HTTP_DOORS: dict[str, Callable[[Sequence[Happened]], list[Written]]] = {
    "array": _array,
    "one by one": _one_by_one,
    "lines": _lines,
    "CloudEvents in a batch": _event_batch,
    "CloudEvents, structured": _events,
    "CloudEvents, binary": _events_in_headers,
    "calls of Segment in a batch": _segment_batch,
    "calls of Segment": _segment_calls,
}
SINGLE = frozenset({"one by one", "CloudEvents, structured", "CloudEvents, binary", "calls of Segment"})
"""Forms without room for several."""

WITHOUT_CLOCK = frozenset(name for name in HTTP_DOORS if name.startswith("CloudEvents"))
"""Forms that do not say when something was sent."""

BROKER_DOORS = {
    f"a broker: {name}": write for name, write in HTTP_DOORS.items() if not name.startswith("calls of Segment")
}
"""What of these the headers of a message can tell."""

MakeDoor = Callable[[], Awaitable[DoorWorld]]


def again(one: Happened) -> Happened:
    """Tell of the same once more, and a little differently: the id alone counts."""
    return replace(one, page="seen again")
