"""`make bench-search`: requests per second of `/search` beside a bare uvicorn application, in one run, in turns.

Three catalogs of the same density behind three `marquee api` processes, one worker each; uvicorn as it comes with an
application that sends one of their answers, byte for byte; and the floor, a bare protocol that sends it without ASGI.
Each is asked as a plain client asks, and some as browsers behind a proxy do (request_heads.py). Rounds go from one to
the next, so that a machine whose speed drifts is fair to all; medians over the rounds are compared. Where the load
generator is the limit, what a server computes for a request is.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import msgspec

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from app.infrastructure.observability.logging import configure_logging
from app.infrastructure.settings.settings import Logging
from bench.catalogs import fill
from bench.load import CONNECTIONS, Measurement
from bench.plans import MIX, PLANS_PER_ANSWER, SECONDS_PER_PLAN, queries, span_of, window_width
from bench.processes import free_port, get, python_process, wait_until_ready
from bench.search_figures import PROXIED, Compared, tell_figures, tell_ratios

WINDOWS = 30_000
"""Distinct ones in a round; a round of its own has windows of its own."""
INDEX_FILE_SECONDS = 600.0
SAMPLE = 1000
"""Answers that are looked into before the rounds."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. `middle` is the catalog that the bare application is compared with."""

    smallest: int = 10_000
    middle: int = 100_000
    largest: int = 1_000_000
    rounds: int = 7
    seconds: float = 2.0


QUICK = Scale(largest=200_000, rounds=3, seconds=1.0)
TINY = Scale(1_000, 2_000, 3_000, rounds=1, seconds=0.2)
"""To see that it runs."""


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

    @property
    def head(self) -> bytes:
        """Of that answer, as it is sent."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()


@dataclass(frozen=True, slots=True)
class Row:
    """A server that is asked in one way."""

    target: Target
    head: str

    @property
    def name(self) -> str:
        """What is printed."""
        return self.target.name if self.head == "plain" else f"{self.target.name}, {self.head}"


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
    marquee = ("app.infrastructure.main", "--config", str(config))
    pid = stack.enter_context(python_process((*marquee, "api"), log))
    stack.enter_context(python_process((*marquee, "indexer"), directory / "indexer.log"))
    wait_until_ready(port, "/health/ready", log)
    ready = time.perf_counter()
    wait_for_index_file(port, plans)
    written = time.perf_counter()
    print(
        f"{plans:>9,} plans: written in {filled - began:5.1f} s, ready to search after {ready - filled:5.1f} s,"
        f" from the index file after {written - filled:5.1f} s"
    )
    return Target(f"marquee, {plans:,} plans", port, pid, plans)


def wait_for_index_file(port: int, plans: int) -> None:
    """Wait until the process answers from an index file with all plans, as it does soon after any start.

    Raises:
        TimeoutError: it takes too long.
    """
    deadline = time.monotonic() + INDEX_FILE_SECONDS
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        file = json.loads(get(connection, "/health")[1])["search"]["index_file"]
        connection.close()
        if file is not None and file["plans"] == plans:
            return
        time.sleep(0.5)
    raise TimeoutError(f"port {port} did not answer from an index file within {INDEX_FILE_SECONDS:g} s")


def start_bare(stack: ExitStack, directory: Path, sample: Sample, plans: int, *options: str) -> Target:
    """Start the application that sends the sample, whatever it is asked."""
    body = directory / "body"
    body.write_bytes(sample.body)
    headers = [f"--header={name}: {value}" for name, value in sample.headers if name != "date"]
    name = "lean uvicorn" if options else "bare uvicorn"
    return start_other(stack, directory, name, plans, ("bench.bare", "--body", str(body), *headers, *options))


def start_floor(stack: ExitStack, directory: Path, sample: Sample, plans: int) -> Target:
    """Start the protocol that sends the same."""
    answer = directory / "answer"
    answer.write_bytes(sample.head + sample.body)
    return start_other(stack, directory, "bare protocol", plans, ("bench.bare_protocol", "--answer", str(answer)))


def start_other(stack: ExitStack, directory: Path, name: str, plans: int, arguments: Sequence[str]) -> Target:
    """Start a server that imitates a catalog of `plans`."""
    port, log = free_port(), directory / f"{name}.log"
    pid = stack.enter_context(python_process((*arguments, "--port", str(port)), log))
    wait_until_ready(port, "/", log)
    return Target(name, port, pid, plans)


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
    return Sample(found, body, headers)


def measure(row: Row, width: int, seconds: float, seed: int) -> Measurement:
    """Run the load generator against a server."""
    target = row.target
    options = {"port": target.port, "pid": target.pid, "plans": target.plans, "width": width, "head": row.head}
    options |= {"windows": min(WINDOWS, span_of(target.plans)), "seed": seed}
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
        (directory / "others").mkdir()
        bare = start_bare(stack, directory / "others", samples[1], scale.middle)
        lean = start_bare(stack, directory / "others", samples[1], scale.middle, "--lean")
        floor = start_floor(stack, directory / "others", samples[1], scale.middle)
        rows = [Row(target, "plain") for target in (bare, lean, floor, *ours)]
        rows += [Row(target, head) for head in PROXIED for target in (bare, ours[1])]
        rows += [Row(lean, "browser"), Row(ours[1], "zstd"), Row(ours[1], "browser-zstd")]
        rounds = [[measure(row, width, scale.seconds, seed) for row in rows] for seed in range(scale.rounds)]
    figures = dict(zip([row.name for row in rows], zip(*rounds, strict=True), strict=True))
    tell_figures(figures)
    tell_ratios(figures, Compared(*(target.name for target in (bare, lean, floor, *ours))))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run: smaller catalogs, fewer and shorter rounds")
    parser.add_argument("--tiny", action="store_true", help="see that it runs; the figures mean nothing")
    given = parser.parse_args()
    configure_logging(Logging(level="warning"), "bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with TemporaryDirectory(prefix="marquee-bench-") as directory:
        run(TINY if given.tiny else QUICK if given.quick else Scale(), Path(directory))


if __name__ == "__main__":
    main()
