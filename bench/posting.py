"""The load generator of the door: keep-alive connections that post batches of fresh activities.

A process of its own. Closed: each connection posts again as soon as it is answered. Paced (`--rate`): so many
activities a second, whatever the answers take; a batch that finds every connection busy waits, and says so in `late`.
An answer that is no 202 is a failure. Prints one Posted as JSON.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import uvloop

from bench.connections import KeepAlive
from bench.load import cpu_seconds

WARM_UP = 0.5
TEMPLATES = 100_000
"""Different activities, but for their ids."""
SUCCESS = b'{"success":true}'
"""What Segment's calls are answered when all of them are accepted."""
CUT, START = b"~", 32
"""What stands for the beginning of an id, and how long that is."""
TYPES = ("view", "view", "view", "click", "click", "search", "share", "purchase")


class Posted(msgspec.Struct, frozen=True):
    """What one round found."""

    requests: int
    accepted: int
    """As the answers say, warm-up included in a paced round only."""
    seconds: float
    p50: float
    p99: float
    worst: float
    late: float
    """The longest that a batch waited for a free connection (s)."""
    generator_share: float
    server_share: float | None

    @property
    def rate(self) -> float:
        """Activities accepted per second."""
        return self.accepted / self.seconds


@dataclass(frozen=True, slots=True)
class Shape:
    """A form in which activities are posted; `record` makes one of an id's end, a type, a user, a value and a page."""

    path: bytes
    content_type: bytes
    record: Callable[[str, str, str, float | None], dict[str, Any]]
    around: tuple[bytes, bytes, bytes] = (b"[", b",", b"]")
    """What stands before, between and behind the records."""


def _own(id_: str, type_: str, user: str, value: float | None) -> dict[str, Any]:
    said = {"id": id_, "type": type_, "source": "web", "user_id": user}
    return said | ({} if value is None else {"value": value}) | {"properties": {"page": "/plans/291"}}


def _event(id_: str, type_: str, user: str, value: float | None) -> dict[str, Any]:
    """Make what the SDKs of CloudEvents send; with an id of 28 characters more than ours, a UUID as theirs."""
    data = {"page": "/plans/291"} | ({} if value is None else {"value": value})
    said = {"specversion": "1.0", "id": id_, "source": "/web", "type": type_, "time": "2026-01-05T12:00:00.123Z"}
    return said | {"subject": user, "datacontenttype": "application/json", "data": data}


def _call(id_: str, type_: str, user: str, value: float | None) -> dict[str, Any]:
    """Make what Segment's library for Node.js sends."""
    properties = {"page": "/plans/291"} | ({} if value is None else {"revenue": value})
    said = {"timestamp": "2026-01-05T12:00:00.123Z", "integrations": {}, "event": type_.title(), "type": "track"}
    library = {"library": {"name": "@segment/analytics-node", "version": "3.1.0"}}
    said |= {"properties": properties, "context": library, "userId": user}
    return said | {"messageId": f"node-next-1796073005267-{id_}", "_metadata": {"nodeVersion": "v20.20.2"}}


SHAPES = {
    "native": Shape(b"/events/batch", b"application/json", _own, (b'{"events":[', b",", b"]}")),
    "array": Shape(b"/events", b"application/json", _own),
    "ndjson": Shape(b"/events", b"application/x-ndjson", _own, (b"", b"\n", b"\n")),
    "cloud_events": Shape(b"/events", b"application/cloudevents-batch+json", _event),
    "segment": Shape(b"/v1/batch", b"application/json", _call, (b'{"batch":[', b",", b'],"writeKey":"k"}')),
}


class Requests:
    """Makes requests: a single activity to /events, or a batch in a shape; beyond 100, ours is an array to /events.

    The bodies are made before, but for their ids, so that making them costs the measured process nothing of its core:
    all ids of one request begin with the same 116 random bits and end with the place in it.
    """

    def __init__(self, port: int, size: int, users: int, seed: int, shape: str = "native") -> None:
        self.size = size
        self._shape = SHAPES["array" if shape == "native" and not 1 < size <= 100 else shape]
        self._chance = random.Random(seed)
        self._users = users
        self._templates = [self._template(port) for _ in range(max(1, TEMPLATES // size))]

    def next(self) -> bytes:
        """Make the next one."""
        text = f"{self._chance.getrandbits(128):032x}"
        start = f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:28]}"
        return start.encode().join(self._templates[self._chance.randrange(len(self._templates))])

    def _template(self, port: int) -> list[bytes]:
        """Make a request of which nothing is missing but what its ids begin with, where it is cut."""
        shape = self._shape
        records = [self.record(f"{place:04x}") for place in range(self.size)]
        before, between, behind = shape.around if self.size > 1 else (b"", b"", b"")
        body = before + between.join(records) + behind
        length = len(body) + self.size * (START - len(CUT))
        head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        return (head % (shape.path, port, shape.content_type, length) + body).split(CUT)

    def record(self, end: str) -> bytes:
        """Make one activity, ours of about 150 bytes; its id is CUT and an end."""
        chance = self._chance
        type_ = TYPES[chance.getrandbits(3)]
        value = chance.randrange(20_000) / 100 if type_ == "purchase" else None
        user = f"user-{chance.randrange(self._users)}"
        return msgspec.json.encode(self._shape.record(f"{CUT.decode()}{end}", type_, user, value))


class Tally:
    """What the connections share."""

    def __init__(self, requests: Requests, *, paced: bool) -> None:
        self.requests = requests
        self.paced = paced
        self.latencies: list[float] = []
        self.accepted = 0
        self.failure: str | None = None
        self.idle: deque[Connection] = deque()

    def reset(self) -> None:
        """Forget what was counted so far."""
        self.latencies.clear()
        self.accepted = 0


class Connection(KeepAlive):
    """Posts again as soon as it is answered, or when the clock says so."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def begin(self) -> None:
        """Post for the first time, or wait for the clock."""
        if self._tally.paced:
            self._tally.idle.append(self)
        else:
            self.post()

    def post(self) -> None:
        """Send the next request."""
        self.ask(self._tally.requests.next())

    def answered(self, head: bytes, body: bytes, seconds: float) -> None:
        """Count it, then go on."""
        tally = self._tally
        if not head.startswith((b"HTTP/1.1 202 ", b"HTTP/1.1 200 ")):
            tally.failure = tally.failure or f"an answer was no 202: {head[:100]!r} {body[:300]!r}"
        tally.latencies.append(seconds)
        tally.accepted += tally.requests.size if body == SUCCESS else _accepted(body)
        self.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server hung up."""
        self._tally.failure = self._tally.failure or f"a connection was lost: {exc}"


def _accepted(body: bytes) -> int:
    if body.startswith(b'{"accepted":'):
        return int(body[12 : body.index(b",")])
    return 1 if b'"accepted"' in body else 0


async def _pace(tally: Tally, rate: float, size: int, until: float) -> float:
    """Post a batch each time that it is due; returns the longest wait for a connection."""
    due, late = time.perf_counter(), 0.0
    while due < until:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        while not tally.idle and not tally.failure:  # noqa: ASYNC110 - the answers come in this loop
            await asyncio.sleep(0.0005)
        if tally.failure:
            break
        late = max(late, time.perf_counter() - due)
        tally.idle.popleft().post()
        due += size / rate
    return late


async def post(given: argparse.Namespace) -> Posted:
    """Put load on the door.

    Raises:
        RuntimeError: an answer was no 202, or a connection was lost.
    """
    requests = Requests(given.port, given.size, given.users, given.seed, given.shape)
    tally = Tally(requests, paced=given.rate > 0)
    loop = asyncio.get_running_loop()
    for _ in range(given.connections):
        await loop.create_connection(lambda: Connection(tally), "127.0.0.1", given.port)
    if not given.rate:
        await asyncio.sleep(WARM_UP)
        tally.reset()
    began, own, others = time.perf_counter(), time.process_time(), cpu_seconds(given.pid)
    late = 0.0
    if given.rate:
        late = await _pace(tally, given.rate, given.size, began + given.seconds)
        while len(tally.idle) < given.connections and not tally.failure:  # noqa: ASYNC110 - the last answers
            await asyncio.sleep(0.001)
    else:
        await asyncio.sleep(given.seconds)
    took, own_took, others_now = time.perf_counter() - began, time.process_time() - own, cpu_seconds(given.pid)
    if tally.failure or not tally.latencies:
        raise RuntimeError(tally.failure or "there was no answer at all")
    latencies = sorted(tally.latencies)
    return Posted(
        requests=len(latencies),
        accepted=tally.accepted,
        seconds=took,
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
        worst=latencies[-1],
        late=late,
        generator_share=own_took / took,
        server_share=None if others is None or others_now is None else (others_now - others) / took,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True, help="of the server, to read how long it computes")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--size", type=int, required=True, help="activities in a request")
    parser.add_argument("--shape", choices=SHAPES, default="native")
    parser.add_argument("--users", type=int, default=500_000)
    parser.add_argument("--rate", type=float, default=0, help="activities a second; 0: as fast as it goes")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(post(parser.parse_args()))))


if __name__ == "__main__":
    main()
