"""`make bench-pipeline`: a steady stream of activities through a whole installation, and what became of it.

`marquee run` with its embedded defaults (or `--database postgresql://...`, an empty one), the load generator beside it
on the same machine: 20,000 activities a second in batches of 100 for a minute. Then, once the backlog is gone: accepted
= stored = counted, by the answers, by the table, by the rollups and by `marquee stats verify`. Every five seconds a
line with the backlog and the memory of each process.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from sqlalchemy import func, select

from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.schema import activities
from app.adapters.outbound.sql.stats import SqlStats
from app.application.ports.activities import QueueFigures
from bench.highest import measure_highest
from bench.in_turns import Figure, compare
from bench.load import cpu_seconds
from bench.posting import Posted
from bench.processes import free_port, python_process, wait_until_ready
from bench.stats import verdict

MB = 1_000_000
EVERY = 5.0
DRAIN_SECONDS = 120.0
FIGURES = (
    Figure("posted/s", r"posted .*: ([\d,]+)/s", more_is_better=True),
    *(
        Figure(f"cores used by {role}", rf"cores used: .*\b{role} ([\d.]+)", more_is_better=False)
        for role in ("api", "worker", "redis")
    ),
    Figure("answers, median ms", r"answers in ms: median ([\d.]+)", more_is_better=False),
    Figure("answers, p99 ms", r"answers in ms: .*p99 ([\d.]+)", more_is_better=False),
)
"""What is compared with an older build; the database is the embedded one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How the installation stood at one moment; memory in bytes, by role."""

    seconds: float
    backlog: int
    memory: dict[str, int]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default="embedded")
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=100, help="activities in a batch")
    parser.add_argument("--before", help="an older build with its .venv, or a commit: in turns with it")
    parser.add_argument("--rounds", type=int, default=3, help="of both builds")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--highest", action="store_true", help="search the highest steady rate; with --before, of both")
    given = parser.parse_args()
    if given.highest:
        more = ["--database", given.database] if given.database != "embedded" else []
        more += ["--workers", str(given.workers)] if given.workers > 1 else []
        measure_highest([f"--size={given.size}", *more], given.before)
        return
    if given.before:
        options = {"rate": given.rate, "seconds": given.seconds, "size": given.size}
        compare("bench.pipeline", [f"--{k}={v}" for k, v in options.items()], FIGURES, given.before, given.rounds)
        return
    with TemporaryDirectory(prefix="mq-") as folder, ExitStack() as stack:
        asyncio.run(measure(given, Path(folder), stack))


async def measure(given: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
    """Run the installation, put load on it, let it drain, compare."""
    port = free_port()
    config = folder / "config.yaml"
    settings = {
        "service": {"port": port, "data_dir": str(folder / "data")},
        "database": {"url": given.database},
        "activity": {"workers": given.workers},
        "logging": {"level": "warning", "format": "json"},
    }
    config.write_text(json.dumps(settings))
    database = open_database(given.database, folder / "data", timeout=30)
    await migrate(database)
    log = folder / "log"
    pid = stack.enter_context(python_process(["app.infrastructure.main", "--config", str(config), "run"], log))
    wait_until_ready(port, "/health/ready", log)
    client = connect(f"unix://{folder}/data/redis/redis.sock", timeout=10)
    watch = RedisQueueWatch(client)
    print(f"{given.rate:,} activities/s for {given.seconds:g} s, batches of {given.size}, database: {database.name}")
    began = cpu_by_role(pid, folder)
    samples: list[Sample] = []
    watching = asyncio.create_task(sample(watch, pid, folder, samples))
    posted = await asyncio.to_thread(generate, given, port, pid)
    loaded = {role: used - began.get(role, 0.0) for role, used in cpu_by_role(pid, folder).items()}
    figures, drained = await drain(watch)
    watching.cancel()
    count = select(func.count()).select_from(activities)
    stored = await database.read(lambda connection: connection.execute(count).scalar())
    counted = sum(total.count for total in await SqlStats(database).totals())
    reached = posted.rate >= given.rate * 0.99
    print(f"\nposted {posted.accepted:,} in {posted.seconds:.1f} s: {posted.rate:,.0f}/s {verdict(reached)}")
    print(f"  answers in ms: median {posted.p50 * 1e3:.1f}, p99 {posted.p99 * 1e3:.1f}, worst {posted.worst * 1e3:.0f}")
    print(f"  a batch waited at most {posted.late * 1e3:.0f} ms for a connection")
    shares = ", ".join(f"{role} {used / posted.seconds:.2f}" for role, used in loaded.items())
    print(f"  cores used: generator {posted.generator_share:.2f}, {shares}")
    spent = {"generator": posted.generator_share * posted.seconds} | loaded
    costs = ", ".join(f"{role} {used / posted.accepted * 1e6:.1f}" for role, used in spent.items() if used > 0.01)
    print(f"  CPU of one activity in us: {costs}, in all {sum(spent.values()) / posted.accepted * 1e6:.1f}")
    print(f"  drained {drained:.1f} s after the last answer; largest backlog seen {max(s.backlog for s in samples):,}")
    same = posted.accepted == figures.accepted == stored == counted
    counts = f"accepted {posted.accepted:,} = queue {figures.accepted:,} = stored {stored:,} = counted {counted:,}"
    print(f"{counts} {verdict(same)}")
    print(await asyncio.to_thread(verify, config))
    print(growth(samples))
    await client.aclose()
    await database.aclose()


def verify(config: Path) -> str:
    """Let the service compare its rollups with its activities."""
    command = [sys.executable, "-m", "app.infrastructure.main", "--config", str(config), "stats", "verify"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"marquee stats verify: {(found.stdout or found.stderr).strip()} {verdict(found.returncode == 0)}"


def generate(given: argparse.Namespace, port: int, pid: int) -> Posted:
    """Run the load generator."""
    options = {"port": port, "pid": pid, "size": given.size, "rate": given.rate, "seconds": given.seconds, "seed": 1}
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    found = subprocess.run([sys.executable, "-m", "bench.posting", *arguments], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(found.stdout, type=Posted)


async def sample(watch: RedisQueueWatch, pid: int, folder: Path, samples: list[Sample]) -> None:
    """Look every few seconds, and say what is seen."""
    began = time.perf_counter()
    while True:
        await asyncio.sleep(EVERY)
        figures = await watch.figures()
        memory = {role: resident(child) for role, child in roles(pid, folder).items()}
        samples.append(Sample(time.perf_counter() - began, figures.backlog, memory))
        shown = ", ".join(f"{role} {used / MB:.0f} MB" for role, used in memory.items())
        print(
            f"  {samples[-1].seconds:4.0f} s: backlog {figures.backlog:,}, {figures.backlog_bytes / MB:.1f} MB; {shown}"
        )


async def drain(watch: RedisQueueWatch) -> tuple[QueueFigures, float]:
    """Wait until everything is settled."""
    began = time.perf_counter()
    while (figures := await watch.figures()).backlog:
        if time.perf_counter() - began > DRAIN_SECONDS:
            raise TimeoutError(f"{figures.backlog:,} activities are left after {DRAIN_SECONDS:g} s")
        await asyncio.sleep(0.1)
    return figures, time.perf_counter() - began


ROLES = ("launcher", "api", "worker", "scheduler", "indexer")


def roles(pid: int, folder: Path) -> dict[str, int]:
    """Name the processes of an installation, by what their command lines say."""
    found = {"supervisor": pid}
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        child, arguments = line.split(maxsplit=1)
        if any(server in arguments for server in ("valkey-server", "redis-server")) and str(folder) in arguments:
            found["redis"] = int(child)
        elif int(child) != pid and str(folder) in arguments:
            words = arguments.split()
            role = next((word for word in words if word in ROLES), Path(words[-1]).name)
            found[f"{role} {child}" if role in found else role] = int(child)
    return found


def cpu_by_role(pid: int, folder: Path) -> dict[str, float]:
    """Read how long the processes of each role have computed, in seconds."""
    used: dict[str, float] = {}
    for role, child in roles(pid, folder).items():
        name = role.partition(" ")[0]
        used[name] = used.get(name, 0.0) + (cpu_seconds(child) or 0.0)
    return used


def resident(pid: int) -> int:
    """Read how much memory a process holds; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def growth(samples: list[Sample]) -> str:
    """Say how memory at the end of the load compares with that after a third of it."""
    early, late = samples[len(samples) // 3].memory, samples[-1].memory
    parts = [f"{role} {late[role] / MB:.0f} MB ({(late[role] - early.get(role, 0)) / MB:+.0f})" for role in late]
    return "memory at the end (against a third of the way): " + ", ".join(parts)


if __name__ == "__main__":
    main()
