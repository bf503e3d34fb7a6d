"""`make bench-ingest`: what the door takes in, beside the least that could be done, in one run, in turns.

(a) Batches of 100 over HTTP, one API process, Redis with fsync always, beside bare redis-py that does one XADD per 100
activities (the same JSON, uncompressed) on a Redis with the same settings: one connection, one call after the other, as
a worker of its own would. (b) Single activities, beside a bare FastAPI route that validates the same model and does
nothing. (c) Each form of others that is taken, in batches of 100, beside the same in our own words: rates, and CPU time
of the API. The backlog is emptied between rounds; no worker runs, so that only the door is measured.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from redis import Redis

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from bench.in_turns import Figure, tell, tell_heads
from bench.load import CONNECTIONS
from bench.older_build import REPOSITORY, build_before
from bench.posting import Posted, Requests
from bench.processes import free_port, python_process, wait_until_ready
from bench.stats import verdict

TARGET_BATCHES, TARGET_SINGLES, TARGET_SHAPES = 0.5, 0.6, 0.7
SHAPES = ("native", "ndjson", "cloud_events", "segment")
BATCH = 100


@dataclass(frozen=True, slots=True)
class Door:
    """An application that takes activities."""

    port: int
    pid: int

    def post(self, *, size: int, connections: int, seconds: float, seed: int, shape: str = "native") -> Posted:
        """Run the load generator against it."""
        options: dict[str, Any] = {"port": self.port, "pid": self.pid, "size": size, "connections": connections}
        options["shape"] = shape
        words = [f"--{name}={value}" for name, value in (options | {"seconds": seconds, "seed": seed}).items()]
        found = subprocess.run([sys.executable, "-m", "bench.posting", *words], stdout=subprocess.PIPE, check=True)
        return msgspec.json.decode(found.stdout, type=Posted)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--shapes", action="store_true", help="the forms of others alone, beside ours")
    parser.add_argument("--before", help="an older build with its .venv, or a commit: in turns with it")
    given = parser.parse_args()
    if given.before:
        measure_beside(given.before, given.rounds, given.seconds)
        return
    with TemporaryDirectory(prefix="mq-") as folder, ExitStack() as stack:
        (measure_shapes_alone if given.shapes else measure)(Path(folder), stack, given.rounds, given.seconds)


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
    shapes = measure_shapes(ours, client, rounds, seconds)

    reached = verdict(batches >= TARGET_BATCHES)
    print(f"\nbatches over HTTP / bare XADD per 100, median {batches:.2f} (target: {TARGET_BATCHES}) {reached}")
    reached = verdict(singles >= TARGET_SINGLES)
    print(f"singles / bare FastAPI, median {singles:.2f} (target: {TARGET_SINGLES}) {reached}")
    tell_shapes(shapes)


def measure_shapes_alone(folder: Path, stack: ExitStack, rounds: int, seconds: float) -> None:
    """Start what that takes, and print the ratios."""
    redis = stack.enter_context(EmbeddedRedis(folder / "data", RedisOptions(fsync="always")))
    client = Redis.from_url(redis.url, socket_timeout=30)
    tell_shapes(measure_shapes(start_api(stack, folder), client, rounds, seconds))


def tell_shapes(shapes: dict[str, float]) -> None:
    """Print the ratios beside their target."""
    for shape, ratio in shapes.items():
        reached = verdict(ratio >= TARGET_SHAPES)
        print(f"batches of {shape} / batches of ours, median {ratio:.2f} (target: {TARGET_SHAPES}) {reached}")


def measure_shapes(door: Door, client: Redis, rounds: int, seconds: float) -> dict[str, float]:
    """Post batches in each form, in turns; the median ratios of their rates to that of ours."""
    found: dict[str, list[Posted]] = defaultdict(list)
    for number in range(rounds):
        for shape in SHAPES:
            client.flushall()
            posted = door.post(size=BATCH, connections=CONNECTIONS, seconds=seconds, seed=number, shape=shape)
            found[shape].append(posted)
    print("\nactivities/s in batches of 100, and CPU time of the API for one (us)")
    for shape, posts in found.items():
        cpu = median((one.server_share or 0) / one.rate * 1e6 for one in posts)
        print(f"  {shape:12} {median(one.rate for one in posts):9,.0f} {cpu:6.1f}")
    ours = found.pop("native")
    ratios = {
        shape: [one.rate / own.rate for one, own in zip(posts, ours, strict=True)] for shape, posts in found.items()
    }
    return {shape: median(several) for shape, several in ratios.items()}


def measure_beside(before: str, rounds: int, seconds: float) -> None:
    """Measure an older build and this one in turns, each with a Redis of its own: rates, and CPU time by activity."""
    with TemporaryDirectory(prefix="mq-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        builds = {"before": stack.enter_context(build_before(before, folder)), "now": REPOSITORY}
        doors = {}
        for when, build in builds.items():
            (folder / when).mkdir()
            redis = stack.enter_context(EmbeddedRedis(folder / when / "data", RedisOptions(fsync="always")))
            doors[when] = start_api(stack, folder / when, build), Redis.from_url(redis.url, socket_timeout=30)
        found: dict[tuple[int, str], list[Posted]] = defaultdict(list)
        for number in range(rounds):
            for size in (BATCH, 1):
                for when, (door, client) in doors.items():
                    client.flushall()
                    posted = door.post(size=size, connections=CONNECTIONS, seconds=seconds, seed=number)
                    found[size, when].append(posted)
    tell_heads()
    for size, what in ((BATCH, "in batches"), (1, "alone")):
        old, new = found[size, "before"], found[size, "now"]
        tell(Figure(f"activities/s {what}", more_is_better=True), *(median(p.rate for p in one) for one in (old, new)))
        cpu = (median(p.server_share / p.rate * 1e6 for p in one if p.server_share) for one in (old, new))
        tell(Figure(f"CPU of one {what}, us", more_is_better=False), *cpu)


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


def start_api(stack: ExitStack, folder: Path, build: Path = REPOSITORY) -> Door:
    """Start a build's `marquee api` on the Redis of the folder."""
    port, config, log = free_port(), folder / "config.yaml", folder / "api.log"
    settings = {
        "service": {"port": port, "data_dir": str(folder / "data")},
        "activity": {"max_backlog": 10**9, "max_backlog_bytes": 10**12},
        "logging": {"level": "warning", "format": "json"},
    }
    config.write_text(json.dumps(settings))
    python = sys.executable if build == REPOSITORY else str(build / ".venv/bin/python")
    command = ["app.infrastructure.main", "--config", str(config), "api"]
    pid = stack.enter_context(python_process(command, log, python=python, folder=build))
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
