"""`make bench-start`: what a start takes, beside an older build, in turns.

Over the same catalog, each build: from `marquee run` to the first 200 of `/search` and the first 202 of a post; the CPU
time of all processes until then, and their memory once they are quiet (PSS on Linux: what processes share counts once;
Redis apart); the CPU time of `marquee --help`. Each build works on data that it wrote itself, in a copy for each start.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass
from http.client import HTTPConnection, HTTPException
from math import nan
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.older_build import REPOSITORY, older_build
from bench.processes import free_port

BEFORE = "b8d7efd"
START_SECONDS = 120.0
SETTLING_SECONDS = 900.0
"""The first start journals the whole catalog."""
QUIET_SECONDS = 2.0
"""A service is quiet when its processes have together computed less than a tenth of so long in so long."""
SEED = """
import sys
from pathlib import Path
try:
    from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
    from app.infrastructure.embedded_redis.redis_server import RedisOptions
except ModuleNotFoundError:  # where they were before
    from app.infrastructure.embedded_redis import EmbeddedRedis
    from app.infrastructure.redis_server import RedisOptions
from bench.catalogs import fill
if __name__ == "__main__":
    with EmbeddedRedis(Path(sys.argv[1]), RedisOptions(fsync="everysec")) as redis:
        fill(redis.url, int(sys.argv[2]))
"""
SEARCH = "/search?starts_at=2026-06-01T00:00:00Z&ends_at=2026-06-01T06:00:00Z"
ACTIVITY = json.dumps({"type": "view"}).encode()


@dataclass(frozen=True, slots=True)
class Figures:
    """What one start took; NaN where the system does not tell. Seconds and megabytes."""

    search: float
    post: float
    cpu: float
    memory: float
    help_cpu: float


NAMES = (
    "first 200 of /search, s",
    "first 202 of a post, s",
    "CPU until then, s",
    "memory (PSS), MB",
    "CPU of --help, s",
)
TARGETS = (0.5, 0.5, None, 0.6, 0.25)


class Build:
    """A folder with a build, its environment in `.venv` there, and data of its own."""

    def __init__(self, name: str, folder: Path, directory: Path) -> None:
        self.name = name
        self._folder = folder
        self._directory = directory
        self._python = folder / ".venv/bin/python"

    def seed(self, plans: int) -> None:
        """Write the catalog, and let one start do what is done once."""
        self._directory.mkdir()
        data = self._directory / "seed"
        script = self._directory / "seed.py"
        script.write_text(SEED, encoding="utf-8")
        path = {"PYTHONPATH": str(self._folder)}
        command = [str(self._python), str(script), str(data), str(plans)]
        subprocess.run(command, check=True, env=os.environ | path, stderr=subprocess.DEVNULL)
        with self._running(data) as (pid, port):
            first(START_SECONDS, lambda: answers(port, "GET", SEARCH, 200))
            wait_until_quiet(pid, SETTLING_SECONDS)

    def start(self) -> Figures:
        """Start once, from a copy of the data."""
        data = self._directory / "data"
        shutil.copytree(self._directory / "seed", data)
        try:
            began = time.monotonic()
            with self._running(data) as (pid, port):
                search = first(START_SECONDS, lambda: answers(port, "GET", SEARCH, 200)) - began
                post = first(START_SECONDS, lambda: answers(port, "POST", "/events", 202)) - began
                cpu = sum(map(cpu_seconds, with_descendants(pid)))
                wait_until_quiet(pid)
                memory = sum(map(megabytes, with_descendants(pid)))
        finally:
            shutil.rmtree(data)
        return Figures(search, post, cpu, memory or nan, self._help())

    def _help(self) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([self._python.with_name("marquee"), "--help"], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    @contextmanager
    def _running(self, data: Path) -> Iterator[tuple[int, int]]:
        port = free_port()
        config = self._directory / "config.yaml"
        settings = {"service": {"host": "127.0.0.1", "port": port, "data_dir": str(data)}}
        config.write_text(json.dumps(settings), encoding="utf-8")
        with (self._directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [self._python.with_name("marquee"), "--config", config, "run"],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def first(seconds: float, happens: Callable[[], bool]) -> float:
    """Say when something was first so.

    Raises:
        TimeoutError: it was not.
    """
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds:g} s")
        time.sleep(0.01)
    return time.monotonic()


def answers(port: int, method: str, target: str, status: int) -> bool:
    """Tell whether a request, over a connection of its own, is answered so."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        body = ACTIVITY if method == "POST" else None
        connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
        return connection.getresponse().status == status
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until_quiet(pid: int, seconds: float = START_SECONDS) -> None:
    """Wait until the processes have hardly anything left to do."""

    def is_quiet() -> bool:
        before = sum(map(cpu_seconds, with_descendants(pid)))
        time.sleep(QUIET_SECONDS)
        return sum(map(cpu_seconds, with_descendants(pid))) - before < QUIET_SECONDS / 10

    first(seconds, is_quiet)


def with_descendants(pid: int) -> Sequence[int]:
    """List a process and all that it started, as far as they live, without the servers of Redis."""
    parents: dict[int, int] = {}
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        child, parent, name = line.split(maxsplit=2)
        if "redis" not in name and "valkey" not in name:
            parents[int(child)] = int(parent)
    return [one for one in parents if one == pid or pid in ancestors(one, parents)]


def ancestors(pid: int, parents: Mapping[int, int]) -> Iterator[int]:
    """Hand out the parent, its parent, and so on."""
    while pid in parents:
        pid = parents[pid]
        yield pid


def cpu_seconds(pid: int) -> float:
    """Read the CPU time of a process; 0 where the system does not tell."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def megabytes(pid: int) -> float:
    """Read a process's share in memory; 0 where the system does not tell."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def run(before: Path, plans: int, rounds: int, directory: Path) -> None:
    """Measure, print."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {plans:,} plans; {rounds} rounds, in turns")
    builds = Build("before", before, directory / "before"), Build("now", REPOSITORY, directory / "now")
    for build in builds:
        build.seed(plans)
    measured: dict[str, list[Figures]] = {build.name: [] for build in builds}
    for number in range(rounds):
        for build in builds if number % 2 else reversed(builds):
            measured[build.name].append(figures := build.start())
            print(f"  {build.name:<7}" + "".join(f"{value:9.2f}" for value in astuple(figures)), flush=True)
    tell(measured["before"], measured["now"])


def tell(before: Sequence[Figures], now: Sequence[Figures]) -> None:
    """Print the medians and their ratios."""
    print(f"\n{'median of the rounds':<26}{'before':>9}{'now':>9}{'ratio':>8}")
    columns = zip(
        NAMES, TARGETS, zip(*map(astuple, before), strict=True), zip(*map(astuple, now), strict=True), strict=True
    )
    for name, target, old, new in columns:
        ratio = median(new) / median(old)
        verdict = "" if target is None else f"  target {target:g}: {'reached' if ratio <= target else 'missed'}"
        print(f"{name:<26}{median(old):>9.2f}{median(new):>9.2f}{ratio:>8.2f}{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, metavar="DIR", help="a build with its .venv, instead of making one")
    parser.add_argument("--commit", default=BEFORE, help="the older commit (default: %(default)s)")
    parser.add_argument("--plans", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    for name in [name for name in os.environ if name.startswith(("MARQUEE", "PYTHONPATH"))]:
        del os.environ[name]
    with TemporaryDirectory(prefix="mq-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        before = given.before or stack.enter_context(older_build(given.commit, directory))
        run(before.resolve(), given.plans, given.rounds, directory)


if __name__ == "__main__":
    main()
