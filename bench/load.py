"""The load generator: keep-alive connections that each ask again as soon as they are answered.

A process of its own, because its work must not be taken from the server's core. Every answer is read to its end and
must be a 200. Prints one Measurement as JSON.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from bench.plans import queries

CONNECTIONS = 32
WARM_UP = 0.5
"""Seconds of load before it counts."""
TICKS = 100
"""Linux counts a process's time in hundredths of a second (USER_HZ, fixed on every platform we know)."""


class Measurement(msgspec.Struct, frozen=True):
    """What one round found."""

    requests: int
    seconds: float
    p50: float
    """Seconds from the write of a request to the end of its answer, like p99 and worst."""
    p99: float
    worst: float
    body_bytes: float
    """Mean length of an answer's body."""
    generator_share: float
    """Of one core."""
    server_share: float | None
    """Of one core; None where the system does not tell."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def server_seconds(self) -> float | None:
        """What the server computed for one request; None where the system does not tell."""
        return None if self.server_share is None else self.server_share / self.rate


class Tally:
    """What the connections share: the next request, and what came of the ones before."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.latencies: list[float] = []
        self.body_bytes = 0
        self.failure: str | None = None

    def reset(self) -> None:
        """Forget what was counted so far."""
        self.latencies.clear()
        self.body_bytes = 0


class KeepAlive(asyncio.Protocol):
    """One keep-alive connection with one request on its way; reads every answer to its end."""

    def __init__(self) -> None:
        self._received = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.begin()

    def begin(self) -> None:
        """Do what is to be done once there is a connection."""
        raise NotImplementedError

    def answered(self, head: bytes, body: bytes, seconds: float) -> None:
        """Look at an answer."""
        raise NotImplementedError

    def ask(self, request: bytes) -> None:
        """Send the next request."""
        self._asked_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read the answer to its end, then hand it over."""
        if self._received:
            data = self._received + data
        head = data.find(b"\r\n\r\n")
        length = _content_length(data, head) if head >= 0 else 0
        if head < 0 or len(data) < head + 4 + length:
            self._received = data
            return
        self._received = b""
        self.answered(data[:head], data[head + 4 :], time.perf_counter() - self._asked_at)


class Connection(KeepAlive):
    """Asks again as soon as it is answered."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def begin(self) -> None:
        """Ask for the first time."""
        self.ask(next(self._tally.requests))

    def answered(self, head: bytes, body: bytes, seconds: float) -> None:
        """Count it, and ask again."""
        tally = self._tally
        if not head.startswith(b"HTTP/1.1 200 "):
            tally.failure = tally.failure or f"an answer was no 200: {head[:100]!r} {body[:100]!r}"
        tally.latencies.append(seconds)
        tally.body_bytes += len(body)
        self.ask(next(tally.requests))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server hung up."""
        self._tally.failure = self._tally.failure or f"a connection was lost: {exc}"


def _content_length(data: bytes, head: int) -> int:
    at = data.index(b"content-length: ", 0, head) + 16
    return int(data[at : data.index(b"\r", at)])


def cpu_seconds(pid: int) -> float | None:
    """Read how long a process has computed so far; None where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS


async def measure(port: int, pid: int, asked: list[bytes], seconds: float) -> Measurement:
    """Put load on a server for `seconds` and look at it.

    Raises:
        RuntimeError: an answer was no 200, or a connection was lost.
    """
    head = f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n".encode()
    tally = Tally(cycle([b"GET /search?%s %s" % (query, head) for query in asked]))
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(tally), "127.0.0.1", port)
    await asyncio.sleep(WARM_UP)
    tally.reset()
    began, own, others = time.perf_counter(), time.process_time(), cpu_seconds(pid)
    await asyncio.sleep(seconds)
    took, own_took, others_now = time.perf_counter() - began, time.process_time() - own, cpu_seconds(pid)
    if tally.failure or not tally.latencies:
        raise RuntimeError(tally.failure or "there was no answer at all")
    latencies = sorted(tally.latencies)
    return Measurement(
        requests=len(latencies),
        seconds=took,
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
        worst=latencies[-1],
        body_bytes=tally.body_bytes / len(latencies),
        generator_share=own_took / took,
        server_share=None if others is None or others_now is None else (others_now - others) / took,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid", type=int, required=True, help="of the server, to read how long it computes")
    parser.add_argument("--plans", type=int, required=True, help="in the catalog, which says where windows may be")
    parser.add_argument("--width", type=int, required=True, help="of a window, in seconds")
    parser.add_argument("--windows", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    asked = queries(given.plans, given.width, given.windows, given.seed)
    measurement = uvloop.run(measure(given.port, given.pid, asked, given.seconds))
    sys.stdout.buffer.write(msgspec.json.encode(measurement))


if __name__ == "__main__":
    main()
