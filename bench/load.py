"""The load generator of searches: keep-alive connections that each ask again as soon as they are answered.

A process of its own, because its work must not be taken from the server's core. Every answer is read to its end and
must be a 200. Paced (`--rate`), a request that finds every connection busy waits for one, and that counts. Requests are
written before, so that one costs the generator little beyond its two system calls. Prints one Measurement as JSON.
"""

import argparse
import asyncio
import sys
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import uvloop

from bench.connections import Connection, PacedConnection, Tally
from bench.plans import queries
from bench.request_heads import HEADS, requests

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


def cpu_seconds(pid: int) -> float | None:
    """Read how long a process has computed so far; None where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS


async def pace(idle: "deque[PacedConnection]", rate: float) -> None:
    """Ask so many times a second, for ever; time that a request waits for a connection is time that it takes."""
    due = time.perf_counter()
    while True:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        while not idle:  # noqa: ASYNC110 - the answers come in this loop
            await asyncio.sleep(0.001)
        idle.popleft().ask(began)
        due += 1 / rate


async def connect(
    tally: Tally, port: int, asked: Sequence[Sequence[bytes]], rate: float
) -> "asyncio.Task[None] | None":
    """Open the connections, each with its requests; they ask from now on. Hand out what paces them."""
    loop = asyncio.get_running_loop()
    idle: deque[PacedConnection] = deque()
    for own in asked:
        made = partial(PacedConnection, tally, own, idle) if rate else partial(Connection, tally, own)
        await loop.create_connection(made, "127.0.0.1", port)
    return loop.create_task(pace(idle, rate)) if rate else None


async def measure(
    port: int, pid: int, asked: Sequence[Sequence[bytes]], seconds: float, rate: float = 0
) -> Measurement:
    """Put load on a server for `seconds` and look at it; `rate` requests a second, or as many as it answers.

    Raises:
        RuntimeError: an answer was no 200, or a connection was lost.
    """
    tally = Tally()
    pacing = await connect(tally, port, asked, rate)
    await asyncio.sleep(WARM_UP)
    tally.reset()
    began, own, others = time.perf_counter(), time.process_time(), cpu_seconds(pid)
    await asyncio.sleep(seconds)
    took, own_took, others_now = time.perf_counter() - began, time.process_time() - own, cpu_seconds(pid)
    if tally.failure or not tally.latencies:
        raise RuntimeError(tally.failure or "there was no answer at all")
    if pacing:
        pacing.cancel()
    latencies = sorted(tally.latencies)
    return Measurement(
        requests=len(latencies),
        seconds=took,
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
        worst=latencies[-1],
        body_bytes=(tally.bytes - tally.heads) / len(latencies),
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
    parser.add_argument("--rate", type=float, default=0, help="requests a second; 0: as fast as it goes")
    parser.add_argument("--head", choices=HEADS, default="plain", help="whose headers")
    given = parser.parse_args()
    windows = queries(given.plans, given.width, given.windows, given.seed)
    asked = requests(windows, given.head, given.port, CONNECTIONS)
    measurement = uvloop.run(measure(given.port, given.pid, asked, given.seconds, given.rate))
    sys.stdout.buffer.write(msgspec.json.encode(measurement))


if __name__ == "__main__":
    main()
