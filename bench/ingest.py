"""`make bench-ingest`: what the door takes in, beside the least that could be done, in one run, in turns.

(a) Batches of 100 over HTTP, one API process, Redis with fsync always, beside bare redis-py that does one XADD per 100
activities (the same JSON, uncompressed) on a Redis with the same settings: one connection, one call after the other, as
a worker of its own would. (b) Single activities, beside a bare FastAPI route that validates the same model and does
nothing. The backlog is emptied between rounds; no worker runs, so that only the door is measured.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec
from redis import Redis

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from bench.load import CONNECTIONS
from bench.posting import Posted, Requests
from bench.processes import free_port, python_process, wait_until_ready
from bench.stats import verdict

TARGET_BATCHES, TARGET_SINGLES = 0.5, 0.6
BATCH = 100


@dataclass(frozen=True, slots=True)
class Door:
    """An application that takes activities."""

    port: int
    pid: int

    def post(self, *, size: int, connections: int, seconds: float, seed: int) -> Posted:
        """Run the load generator against it."""
        options = {"port": self.port, "pid": self.pid, "size": size, "connections": connections}
        words = [f"--{name}={value}" for name, value in (options | {"seconds": seconds, "seed": seed}).items()]
        found = subprocess.run([sys.executable, "-m", "bench.posting", *words], stdout=subprocess.PIPE, check=True)
        return msgspec.json.decode(found.stdout, type=Posted)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="mq-") as folder, ExitStack() as stack:
        measure(Path(folder), stack, given.rounds, given.seconds)


def measure(folder: Path, stack: ExitStack, rounds: int, seconds: float) -> None:
    """Start everything, then go from one to the next."""
    redis = stack.enter_context(EmbeddedRedis(folder / "data", RedisOptions(fsync="always")))
    client = Redis.from_url(redis.url, socket_timeout=30)
    ours, bare = start_api(stack, folder), start_bare(stack, folder)

    batches = turns(
        "activities/s in batches of 100",
        rounds,
        lambda n: at_door(ours, client, n, seconds),
        lambda n: xadd(client, n, seconds),
    )
    singles = turns(
        "single activities/s",
        rounds,
        lambda n: single(ours, client, n, seconds),
        lambda n: single(bare, client, n, seconds),
    )
    reached = verdict(batches >= TARGET_BATCHES)
    print(f"\nbatches over HTTP / bare XADD per 100, median {batches:.2f} (target: {TARGET_BATCHES}) {reached}")
    reached = verdict(singles >= TARGET_SINGLES)
    print(f"singles / bare FastAPI, median {singles:.2f} (target: {TARGET_SINGLES}) {reached}")


def turns(name: str, rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]) -> float:
    """Measure in turns; the median of the ratios."""
    print(f"\n{name}")
    ratios = []
    for number in range(rounds):
        mine, reference = ours(number), theirs(number)
        ratios.append(mine / reference)
        print(f"  ours {mine:,.0f}, reference {reference:,.0f}, ratio {ratios[-1]:.2f}")
    return median(ratios)


def at_door(door: Door, client: Redis, number: int, seconds: float) -> float:
    """Post batches over HTTP."""
    client.flushall()
    return door.post(size=BATCH, connections=CONNECTIONS, seconds=seconds, seed=number).rate


def single(door: Door, client: Redis, number: int, seconds: float) -> float:
    """Post one activity at a time."""
    client.flushall()
    return door.post(size=1, connections=CONNECTIONS, seconds=seconds, seed=number).rate


def xadd(client: Redis, number: int, seconds: float) -> float:
    """Add one entry per batch; the bodies are made before."""
    client.flushall()
    requests = Requests(0, BATCH, 500_000, number)
    bodies = [requests.next().partition(b"\r\n\r\n")[2] for _ in range(500)]
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        client.xadd("bare", {"d": bodies[done % len(bodies)]})
        done += 1
    return done * BATCH / (time.perf_counter() - began)


def start_api(stack: ExitStack, folder: Path) -> Door:
    """Start `marquee api` on the Redis of the folder."""
    port, config, log = free_port(), folder / "config.yaml", folder / "api.log"
    settings = {
        "service": {"port": port, "data_dir": str(folder / "data")},
        "activity": {"max_backlog": 10**9, "max_backlog_bytes": 10**12},
        "logging": {"level": "warning", "format": "json"},
    }
    config.write_text(json.dumps(settings))
    pid = stack.enter_context(python_process(["app.infrastructure.main", "--config", str(config), "api"], log))
    wait_until_ready(port, "/health/ready", log)
    return Door(port, pid)


def start_bare(stack: ExitStack, folder: Path) -> Door:
    """Start the application that does nothing."""
    port, log = free_port(), folder / "bare.log"
    pid = stack.enter_context(python_process(["bench.bare_events", "--port", str(port)], log))
    wait_until_ready(port, "/health/ready", log)
    return Door(port, pid)


if __name__ == "__main__":
    main()
