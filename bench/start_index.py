"""`make bench-start-index`: an index that is mapped, shared, and there at once, in figures.

A million plans in a Redis of the measurement's own. Four API processes write the index file and end; four, then one,
are started again: their memory (PSS: what processes share counts once, after searches over the whole catalog), what a
change of a tenth of the plans costs each process, and how long searches take meanwhile. Then Redis is stopped, and a
start is timed beside one over an empty catalog, whose Redis runs. Last, the memory of four processes of an older build.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from app.infrastructure.observability.logging import configure_logging
from app.infrastructure.settings.settings import Logging
from bench.api_service import ApiService, Running
from bench.catalogs import fill
from bench.index_load import (
    LOAD_SECONDS,
    TINY,
    Scale,
    changing,
    found_by,
    get_ready,
    latencies,
    latencies_during,
    touch,
    wait_for_changes,
    wait_for_line,
)
from bench.older_build import build_before
from bench.plan_changes import Written
from bench.start import SEED
from bench.stats import verdict

BEFORE = "b8d7efd"
WORKERS = 4
START_TARGET, SHARED_TARGET, OLDER_TARGET, CHANGE_TARGET, P99_TARGET = 1.0, 1.5, 0.15, 60.0, 2.0
FILE_SECONDS = 12.0
"""The file follows a change within ten."""
REDIS_LESS_SECONDS = 20.0
"""So long a start without Redis is waited for."""
IDLE_SECONDS = 5.0
HOLD = f"""{SEED.rstrip()}
        print("filled", redis.url, flush=True)
        sys.stdin.read()
"""
"""Fill a catalog by a build's own code, and keep its Redis until standard input ends."""


def write_file(marquee: ApiService) -> bool:
    """Let several processes load from Redis, and their indexer write its file."""
    with marquee.running(WORKERS) as service:
        ready = get_ready(service)
        time.sleep(FILE_SECONDS)
        service.wait_until_quiet(LOAD_SECONDS)
        running = marquee.index_bytes()
    size = marquee.index_bytes()
    told = (
        f"index file of {size / 1e6:,.0f} MB ({running / 1e6:,.0f} MB before the end)" if size else "no index file yet"
    )
    print(f"loaded from Redis by {WORKERS} processes: first answer after {ready:.1f} s; {told}", flush=True)
    return size > 0


def four(marquee: ApiService, scale: Scale) -> float:
    """Look at four processes, and at what changes cost each; hand out their memory."""
    with marquee.running(WORKERS) as service:
        ready = get_ready(service)
        touch(service, scale)
        memory, others = service.memory(), service.others_memory()
        print(f"{len(service.api_processes())} processes: first answer after {ready:.1f} s with Redis")
        with changing(marquee.redis_url, scale, turn=0) as process:
            cost_of_changes(service, process)
        print(f"  memory {memory:,.0f} MB, after the changes {service.memory():,.0f} MB; others of it {others:,.0f} MB")
    return memory


def cost_of_changes(service: Running, process: "subprocess.Popen[bytes]") -> None:
    """Measure what a change costs each process that answers."""
    before = service.cpu()
    time.sleep(IDLE_SECONDS)
    idle = {pid: (now - before[pid]) / IDLE_SECONDS for pid, now in service.cpu().items()}
    others, before, began = service.others_cpu(), service.cpu(), time.monotonic()
    written = found_by(process, Written)
    followed = wait_for_changes(service, written)
    time.sleep(FILE_SECONDS)
    service.wait_until_quiet(LOAD_SECONDS)
    took, after = time.monotonic() - began, service.cpu()
    costs = [(after[pid] - before[pid] - idle[pid] * took) / written.changes * 1e6 for pid in after]
    print(
        f"{written.changes:,} changes written in {written.seconds:.1f} s, found {followed:.1f} s later; "
        f"CPU a change in each process: {', '.join(f'{cost:.0f}' for cost in costs)} us; "
        f"target at most {CHANGE_TARGET:g} us: {verdict(max(costs) <= CHANGE_TARGET)}"
    )
    used = {name: (now - others.get(name, 0.0)) for name, now in service.others_cpu().items()}
    print(f"  CPU of the others meanwhile: {', '.join(f'{name} {one:.1f} s' for name, one in used.items()) or 'none'}")


def one(marquee: ApiService, scale: Scale) -> float:
    """Look at one process, and at its searches while plans change; hand out its memory."""
    with marquee.running() as service:
        ready = get_ready(service)
        touch(service, scale)
        memory = service.memory()
        print(f"one process: first answer after {ready:.1f} s with Redis, memory {memory:,.0f} MB")
        with changing(marquee.redis_url, scale, turn=1) as process:
            calm = latencies(service, scale)
            busy, written = latencies_during(service, scale, process)
    ratio = busy.p99 / calm.p99
    print(
        f"p99 of {scale.rate:g} searches/s while {written.changes:,} plans change within {written.seconds:.1f} s: "
        f"{busy.p99 * 1e3:.2f} ms, without {calm.p99 * 1e3:.2f} ms: {ratio:.2f} x; target at most {P99_TARGET:g}: "
        f"{verdict(ratio <= P99_TARGET)}; worst {busy.worst * 1e3:.0f} and {calm.worst * 1e3:.0f} ms"
    )
    return memory


def starts(marquee: ApiService, empty: ApiService, rounds: int) -> None:
    """Time starts without Redis beside those over an empty catalog, in turns."""
    full: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        bare.append(start(empty) or REDIS_LESS_SECONDS)
        took = start(marquee)
        if took is None:
            print(f"an empty catalog: first answer after {bare[0]:.2f} s with Redis")
            print(f"without Redis no search was answered within {REDIS_LESS_SECONDS:g} s {verdict(good=False)}")
            return
        full.append(took)
    more = median(full) - median(bare)
    print(
        f"first answer without Redis {median(full):.2f} s ({min(full):.2f}-{max(full):.2f}), of an empty catalog with "
        f"Redis {median(bare):.2f} s ({min(bare):.2f}-{max(bare):.2f}): {more:+.2f} s; target at most "
        f"{START_TARGET:+g} s: {verdict(more <= START_TARGET)}"
    )


def start(marquee: ApiService) -> float | None:
    """Start once; tell when the first search was answered."""
    with marquee.running() as service:
        return service.first_answer(REDIS_LESS_SECONDS)


def older(build: Path, directory: Path, scale: Scale) -> float:
    """Let an older build fill a Redis of its own, and look at four of its processes; hand out their memory."""
    script = directory / "hold.py"
    script.write_text(HOLD, encoding="utf-8")
    command = [str(build / ".venv/bin/python"), str(script), str(directory / "data"), str(scale.plans)]
    environment = os.environ | {"PYTHONPATH": str(build)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as redis:
        try:
            while not (line := wait_for_line(redis)).startswith(b"filled ") and line:
                pass  # what is logged
            marquee = ApiService(directory, line.decode().split()[1], build)
            with marquee.running(WORKERS) as service:
                ready = get_ready(service)
                touch(service, scale)
                memory = service.memory()
            print(
                f"the older build, {WORKERS} processes: first answer after {ready:.1f} s with Redis, "
                f"memory {memory:,.0f} MB"
            )
            return memory
        finally:
            redis.communicate()


def run(scale: Scale, directory: Path, before: Path | None) -> None:
    """Measure, print."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {scale.plans:,} plans")
    made = {name: directory / name for name in ("full", "empty", "older")}
    for folder in made.values():
        folder.mkdir()
    with ExitStack() as stack:
        redis = EmbeddedRedis(made["full"] / "data", RedisOptions(fsync="everysec"))
        with redis:
            fill(redis.url, scale.plans)
            marquee = ApiService(made["full"], redis.url)
            write_file(marquee)
            together, alone = four(marquee, scale), one(marquee, scale)
        tell_share(f"memory of {WORKERS} processes / one", together, alone, SHARED_TARGET)
        other = stack.enter_context(EmbeddedRedis(made["empty"] / "data"))
        starts(marquee, ApiService(made["empty"], other.url), scale.rounds)
    if before:
        tell_share(
            f"memory of {WORKERS} processes / the older build's",
            together,
            older(before, made["older"], scale),
            OLDER_TARGET,
        )


def tell_share(name: str, ours: float, other: float, target: float) -> None:
    """Print a ratio that is to be small."""
    ratio = ours / other
    print(f"{name}: {ours:,.0f} / {other:,.0f} MB, {ratio:.2f}; target at most {target:g}: {verdict(ratio <= target)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=BEFORE, help="an older build with its .venv, or a commit (%(default)s)")
    parser.add_argument("--alone", action="store_true", help="leave the older build out")
    parser.add_argument("--plans", type=int, default=Scale().plans)
    parser.add_argument("--tiny", action="store_true", help="see that it runs; the figures mean nothing")
    given = parser.parse_args()
    configure_logging(Logging(level="warning"), "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with TemporaryDirectory(prefix="mq-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        before = None if given.alone else stack.enter_context(build_before(given.before, directory))
        run(TINY if given.tiny else Scale(plans=given.plans), directory, before)


if __name__ == "__main__":
    main()
