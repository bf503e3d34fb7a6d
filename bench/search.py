"""`make bench-search`: requests per second of `/search` beside a bare uvicorn application, in one run, in turns.

Three catalogs of the same density behind three `marquee api` processes, one worker each; a bare application that sends
one of their answers, byte for byte. Rounds go from one to the next, so that a machine whose speed drifts is fair to
all; medians over the rounds are compared.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from math import nan
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import msgspec

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from app.infrastructure.observability.logging import configure_logging
from app.infrastructure.settings.settings import Logging
from bench.catalogs import fill
from bench.load import CONNECTIONS, Measurement
from bench.plans import MIX, PLANS_PER_ANSWER, SECONDS_PER_PLAN, queries, window_width
from bench.processes import free_port, get, python_process, wait_until_ready

TARGET_OF_BARE = 0.65
TARGET_OF_SMALLEST = 0.9
WINDOWS = 30_000
"""Distinct ones in a round; a round of its own has windows of its own."""
UNDISTURBED = 0.85
"""The share of a core that a server gets at least when nothing but it and the load generator runs on two."""
SAMPLE = 1000
"""Answers that are looked into before the rounds."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. `middle` is the catalog that the bare application is compared with."""

    smallest: int = 10_000
    middle: int = 100_000
    largest: int = 1_000_000
    rounds: int = 7
    seconds: float = 3.0


QUICK = Scale(largest=200_000, rounds=3, seconds=1.0)


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is measured."""

    name: str
    port: int
    pid: int
    plans: int
    """In its catalog, or in the one that it imitates."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What answers look like: the mean number of plans, and one answer of about the mean length."""

    plans: float
    body: bytes
    headers: list[tuple[str, str]]


def start_api(stack: ExitStack, directory: Path, plans: int) -> Target:
    """Fill a catalog and start `marquee api` over it."""
    directory.mkdir()
    data_dir = directory / "data"
    began = time.perf_counter()
    redis = stack.enter_context(EmbeddedRedis(data_dir, RedisOptions(fsync="everysec")))
    fill(redis.url, plans)
    filled = time.perf_counter()
    port = free_port()
    config = directory / "config.yaml"
    settings = {"service": {"host": "127.0.0.1", "port": port, "data_dir": str(data_dir)}, "redis": {"url": "embedded"}}
    config.write_text(json.dumps(settings), encoding="utf-8")
    log = directory / "api.log"
    pid = stack.enter_context(python_process(("app.infrastructure.main", "--config", str(config), "api"), log))
    wait_until_ready(port, "/health/ready", log)
    ready = time.perf_counter()
    print(f"{plans:>9,} plans: written in {filled - began:5.1f} s, ready to search after {ready - filled:5.1f} s")
    return Target(f"marquee, {plans:,} plans", port, pid, plans)


def start_bare(stack: ExitStack, directory: Path, sample: Sample, plans: int, *, ours: bool) -> Target:
    """Start the application that sends the sample, whatever it is asked; `ours`: by the API's protocol."""
    directory.mkdir()
    body = directory / "body"
    body.write_bytes(sample.body)
    headers = [part for name, value in sample.headers for part in ("--header", f"{name}: {value}")]
    port = free_port()
    log = directory / "bare.log"
    protocol = ("--ours",) if ours else ()
    arguments = ("bench.bare", "--port", str(port), "--body", str(body), *protocol, *headers)
    pid = stack.enter_context(python_process(arguments, log))
    wait_until_ready(port, "/", log)
    return Target("bare, with our protocol" if ours else "bare uvicorn", port, pid, plans)


def look_into(target: Target, width: int) -> Sample:
    """Ask some windows one by one and look into the answers.

    Raises:
        RuntimeError: one of them was no 200.
    """
    connection = HTTPConnection("127.0.0.1", target.port, timeout=5)
    answers = []
    for query in queries(target.plans, width, SAMPLE, seed=0):
        response, body = get(connection, f"/search?{query.decode()}")
        if response.status != 200:
            raise RuntimeError(f"{target.name} answered {response.status}: {body[:200]!r}")
        answers.append((body, response.getheaders()))
    connection.close()
    length = mean(len(body) for body, _ in answers)
    body, headers = min(answers, key=lambda answer: abs(len(answer[0]) - length))
    found = mean(len(json.loads(body)["data"]["events"]) for body, _ in answers)
    return Sample(found, body, [(name, value) for name, value in headers if name != "date"])


def measure(target: Target, width: int, seconds: float, seed: int) -> Measurement:
    """Run the load generator against a server."""
    options = {"port": target.port, "pid": target.pid, "plans": target.plans, "width": width}
    options |= {"windows": WINDOWS, "seed": seed}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "bench.load", *arguments, "--seconds", str(seconds)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60 + seconds).stdout
    return msgspec.json.decode(printed, type=Measurement)


def run(scale: Scale, directory: Path) -> None:
    """Measure, print."""
    width = window_width()
    tell_what_is_measured(scale, width)
    with ExitStack() as stack:
        sizes = (scale.smallest, scale.middle, scale.largest)
        ours = [start_api(stack, directory / str(plans), plans) for plans in sizes]
        samples = [look_into(target, width) for target in ours]
        tell_samples(ours, samples)
        bare, faster = (
            start_bare(stack, directory / f"bare{ours}", samples[1], scale.middle, ours=ours) for ours in (False, True)
        )
        targets = [bare, *ours, faster]
        rounds = [[measure(target, width, scale.seconds, seed) for target in targets] for seed in range(scale.rounds)]
    tell_figures(targets, [list(of_one) for of_one in zip(*rounds, strict=True)])


def tell_what_is_measured(scale: Scale, width: int) -> None:
    cores = os.cpu_count()
    print(f"Python {platform.python_version()}, {cores} cores; {scale.rounds} rounds of {scale.seconds:g} s, in turns")
    print(f"{CONNECTIONS} keep-alive connections, {WINDOWS:,} distinct windows of {width / 3600:.2f} h a round")
    mix = ", ".join(f"{kind.share:.0%} {kind.name}" for kind in MIX)
    print(f"plans: one every {SECONDS_PER_PLAN} s on average; {mix}")


def tell_samples(targets: Sequence[Target], samples: Sequence[Sample]) -> None:
    found = ", ".join(f"{sample.plans:.1f}" for sample in samples)
    print(f"plans in an answer, mean of {SAMPLE:,} (aim: {PLANS_PER_ANSWER}): {found}")
    print(f"the bare application sends {len(samples[1].body):,} bytes, an answer of {targets[1].name}")


def tell_figures(targets: Sequence[Target], measured: Sequence[Sequence[Measurement]]) -> None:
    print()
    print(f"{'median of the rounds':<26} {'req/s':>8} {'p50 ms':>7} {'p99 ms':>7} {'body B':>7}", end=" ")
    print(f"{'CPU us':>7} {'server':>7} {'load':>6}")
    for target, rounds in zip(targets, measured, strict=True):
        print(
            f"{target.name:<26} {median(one.rate for one in rounds):>8,.0f}"
            f" {median(one.p50 for one in rounds) * 1000:>7.2f} {median(one.p99 for one in rounds) * 1000:>7.2f}"
            f" {mean(one.body_bytes for one in rounds):>7,.0f}"
            f" {known_median(one.server_seconds for one in rounds) * 1e6:>7.1f}"
            f" {known_median(one.server_share for one in rounds):>7.0%}"
            f" {median(one.generator_share for one in rounds):>6.0%}"
        )
    print("(CPU us: what the server computes for a request; server, load: share of a core that each of the two took)")
    if any(known_median(one.server_share for one in rounds) < UNDISTURBED for rounds in measured):
        print("WARNING: a server did not get its core, because something else runs here: measure again in silence")
    print()
    bare, smallest, middle, largest, faster = measured
    tell_ratio(f"{targets[2].name} / {targets[0].name}", middle, bare, TARGET_OF_BARE)
    tell_ratio(f"{targets[3].name} / {targets[1].name}", largest, smallest, TARGET_OF_SMALLEST)
    tell_ratio(f"for comparison: {targets[2].name} / {targets[4].name}", middle, faster, None)


def known_median(figures: Iterable[float | None]) -> float:
    """Take the median of the figures that the system told; NaN when it told none."""
    return median([figure for figure in figures if figure is not None] or [nan])


def tell_ratio(name: str, ours: Sequence[Measurement], theirs: Sequence[Measurement], target: float | None) -> None:
    ratio = median(one.rate for one in ours) / median(one.rate for one in theirs)
    in_rounds = [one.rate / other.rate for one, other in zip(ours, theirs, strict=True)]
    verdict = f"; target {target:g}: {'reached' if ratio >= target else 'missed'}" if target is not None else ""
    print(f"{name}: {ratio:.2f} (rounds {min(in_rounds):.2f}-{max(in_rounds):.2f}{verdict})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run: smaller catalogs, fewer and shorter rounds")
    given = parser.parse_args()
    configure_logging(Logging(level="warning"), "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with TemporaryDirectory(prefix="marquee-bench-") as directory:
        run(QUICK if given.quick else Scale(), Path(directory))


if __name__ == "__main__":
    main()
