"""`make bench-providers`: what an installation costs beside 10, 100 and 1,000 providers.

A Redis of its own, a scheduler, a worker and one API process; every provider is a tiny `file://` feed with an interval
of an hour. Printed for each number: until the scheduler has worked through all that were due at once, until an API
process that starts then answers its first search, how many connections to Redis it holds, what each role computes
while nothing is due, and until a change of one provider is found. `--before DIR` (a checkout with a `.venv` of its own)
is measured in turns.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from app.adapters.outbound.redis.catalog_update import PROVIDERS
from app.infrastructure.embedded_redis.redis_binary import find_redis_binary
from bench.load import cpu_seconds
from bench.processes import free_port, get, python_process
from bench.stats import verdict

SIZES = (10, 100, 1000)
IDLE_SECONDS = 20.0
LONGEST = 120.0
SETTLE_SECONDS = 5.0
READY_TARGET = 5.0
CHANGE_TARGET = 1.0
IDLE_TARGET = 3.0
FEW_CONNECTIONS = 10
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<planList version="1.0"><output>
<base_plan base_plan_id="{number}" sell_mode="online" title="{title}">
<plan plan_id="1" plan_start_date="2031-01-01T{hour:02}:00:00" plan_end_date="2031-01-01T23:00:00"
 sell_from="2030-01-01T00:00:00" sell_to="2031-01-01T20:00:00" sold_out="false">
<zone zone_id="1" capacity="10" price="20.00" name="A" numbered="false"/>
</plan></base_plan></output></planList>
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one build needs beside so many providers. Seconds; None: not within LONGEST."""

    synced: float | None
    ready: float | None
    connections: int
    idle: dict[str, float]
    """Share of a core, by role."""
    changed: float | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", type=Path, help="a checkout of an older build with its .venv, measured in turns")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    given = parser.parse_args()
    found: dict[int, Figures] = {}
    for size in given.sizes:
        for name, build in (("before", given.before), ("now", Path.cwd())):
            if build:
                with TemporaryDirectory(prefix="mq-") as folder:
                    figures = measure(build, size, Path(folder))
                print(line(name, size, figures), flush=True)
                if name == "now":
                    found[size] = figures
    judge(found)


def judge(found: dict[int, Figures]) -> None:
    """Hold the figures of the largest number against what they are to be."""
    most, least = found[max(found)], found[min(found)]
    ready = most.ready is not None and most.ready <= READY_TARGET
    print(f"{max(found):,} providers: ready within {READY_TARGET:g} s {verdict(ready)}")
    print(f"  a change found within {CHANGE_TARGET:g} s {verdict((most.changed or LONGEST) <= CHANGE_TARGET)}")
    few = most.connections <= FEW_CONNECTIONS
    print(f"  at most {FEW_CONNECTIONS} connections of the API process {verdict(few)}")
    ratio = sum(most.idle.values()) / max(sum(least.idle.values()), 1e-9)
    print(f"  idle CPU {ratio:.2f} x that of {min(found)} (target {IDLE_TARGET:g}) {verdict(ratio <= IDLE_TARGET)}")


def line(name: str, size: int, figures: Figures) -> str:
    """Put a row into words."""
    idle = ", ".join(f"{role} {share:.2%}" for role, share in figures.idle.items())
    return (
        f"{size:>5,} providers, {name:>6}: all synced {seconds(figures.synced)}, API ready {seconds(figures.ready)}, "
        f"{figures.connections} connections, change found {seconds(figures.changed)}, idle: {idle} of a core"
    )


def seconds(value: float | None) -> str:
    """Say a time, or that it was too long."""
    return f"not within {LONGEST:g} s" if value is None else f"{value:.2f} s"


def measure(build: Path, size: int, folder: Path) -> Figures:
    """Start everything, look, end everything."""
    with ExitStack() as stack:
        socket = stack.enter_context(redis_server(folder))
        client = stack.enter_context(redis.Redis(unix_socket_path=str(socket)))
        port = free_port()
        config = configure(folder, socket, port, size)

        def start(role: str) -> int:
            return stack.enter_context(role_process(build, config, role, folder))

        began = time.monotonic()
        pids = {"scheduler": start("scheduler")}
        synced = until(lambda: client.scard(PROVIDERS) == size, began)
        pids["worker"] = start("worker")
        time.sleep(SETTLE_SECONDS)
        others, began = connected(client), time.monotonic()
        pids["api"] = start("api")
        ready = until(lambda: plans(port) == size, began)
        time.sleep(SETTLE_SECONDS)
        connections = connected(client) - others
        idle = idle_shares(pids)
        return Figures(synced, ready, connections, idle, change(folder, port, size) if ready else None)


def connected(client: redis.Redis) -> int:
    """Count the connections that Redis has."""
    info: Any = client.info("clients")
    return int(info["connected_clients"])


def configure(folder: Path, socket: Path, port: int, size: int) -> Path:
    """Write the feeds and the configuration."""
    feeds = folder / "feeds"
    feeds.mkdir()
    for number in range(size):
        write_feed(feeds, number, f"Show {number}")
    providers = [
        {"name": f"p{number}", "url": (feeds / f"{number}.xml").as_uri(), "interval": 3600} for number in range(size)
    ]
    settings = {
        "service": {"port": port, "data_dir": str(folder / "data")},
        "redis": {"url": f"unix://{socket}"},
        "logging": {"level": "warning", "format": "json"},
        "providers": providers,
    }
    config = folder / "config.yaml"
    config.write_text(json.dumps(settings))
    return config


def write_feed(feeds: Path, number: int, title: str) -> None:
    """Let a provider say one plan."""
    (feeds / f"{number}.xml").write_text(FEED.format(number=number, title=title, hour=number % 20))


@contextmanager
def redis_server(folder: Path) -> Iterator[Path]:
    """Run a Redis of the measurement's own, on a socket file."""
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([find_redis_binary().path, *options], stdout=subprocess.DEVNULL)
    try:
        until(socket.exists, time.monotonic())
        yield socket
    finally:
        process.terminate()
        process.wait()


@contextmanager
def role_process(build: Path, config: Path, role: str, folder: Path) -> Iterator[int]:
    """Run a role of a build."""
    python = sys.executable if build == Path.cwd() else str(build / ".venv/bin/python")
    arguments = ["app.infrastructure.main", "--config", str(config), role]
    with python_process(arguments, folder / f"{role}.log", python=python, folder=build) as pid:
        yield pid


def plans(port: int, query: str = "") -> int:
    """Count what an unbounded search finds; -1 while nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        response, body = get(connection, f"/search{query}")
        return len(json.loads(body)["data"]["events"]) if response.status == 200 else -1
    except OSError:
        return -1
    finally:
        connection.close()


def idle_shares(pids: dict[str, int]) -> dict[str, float]:
    """Tell what each process computes while nothing is due."""
    before = {role: cpu_seconds(pid) or 0.0 for role, pid in pids.items()}
    time.sleep(IDLE_SECONDS)
    return {role: ((cpu_seconds(pid) or 0.0) - before[role]) / IDLE_SECONDS for role, pid in pids.items()}


def change(folder: Path, port: int, size: int) -> float | None:
    """Change the feed of one provider, ask for its sync, and wait until search tells the change."""
    number = size * 2 // 3
    write_feed(folder / "feeds", number, "Changed")
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", f"/catalog/providers/p{number}/sync")
    connection.getresponse().read()
    connection.close()
    return until(lambda: titled(port, "Changed"), began)


def titled(port: int, title: str) -> bool:
    """Tell whether search finds a plan of this title."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        return title.encode() in get(connection, "/search")[1]
    finally:
        connection.close()


def until(holds: Callable[[], bool], began: float) -> float | None:
    """Wait until something holds; tell how long that took since `began`."""
    while time.monotonic() - began < LONGEST:
        if holds():
            return time.monotonic() - began
        time.sleep(0.02)
    return None


if __name__ == "__main__":
    main()
