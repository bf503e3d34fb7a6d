"""What `make bench-start-index` does to a service: searches all over its index, at a pace, and changes of its plans."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from bench.api_service import Running
from bench.load import Measurement
from bench.plan_changes import Written
from bench.plans import span_of, window_width

FoundT = TypeVar("FoundT")

LOAD_SECONDS = 600.0
"""A million plans from Redis, four times at once, on a machine that does other work."""
WIDE = 200
"""Plans in the answers that are asked for to touch the whole index."""
LOAD_BEGINS = 2.0
"""Seconds after which a load generator that was started has begun to measure."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    plans: int = 1_000_000
    rounds: int = 5
    seconds: float = 15.0
    """Over which a tenth of the plans changes, and over which searches are timed with and without that."""
    touch_seconds: float = 6.0
    rate: float = 300
    """Searches a second meanwhile: hardly any load."""


TINY = Scale(plans=5_000, rounds=1, seconds=1.5, touch_seconds=0.5)


def searches(
    service: Running, scale: Scale, *, seconds: float, answer: int = 20, rate: float = 0
) -> "subprocess.Popen[bytes]":
    """Begin to search."""
    options: dict[str, object] = {"port": service.port, "pid": service.pid, "plans": scale.plans, "rate": rate}
    options |= {"width": window_width(answer), "seed": 1, "seconds": seconds}
    options |= {"windows": min(30_000, span_of(scale.plans))}
    words = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.Popen([sys.executable, "-m", "bench.load", *words], stdout=subprocess.PIPE)


def found_by(process: "subprocess.Popen[bytes]", kind: type[FoundT]) -> FoundT:
    """Wait for the end of a process, which is told on its standard input to go on, and read what it printed.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    printed, _ = process.communicate(b"\n" if process.stdin else None)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return msgspec.json.decode(printed, type=kind)


@contextmanager
def changing(redis_url: str, scale: Scale, turn: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Make a tenth of the plans ready to be changed; `found_by` has it done."""
    options = {"redis": redis_url, "plans": scale.plans, "turn": turn, "seconds": scale.seconds}
    words = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "bench.plan_changes", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        wait_for_line(process)
        yield process


def wait_for_line(process: "subprocess.Popen[bytes]") -> bytes:
    """Read a line that a process prints; empty when it has ended."""
    return process.stdout.readline() if process.stdout else b""


def latencies(service: Running, scale: Scale) -> Measurement:
    """Search at a pace."""
    return found_by(searches(service, scale, seconds=scale.seconds, rate=scale.rate), Measurement)


def latencies_during(service: Running, scale: Scale, process: "subprocess.Popen[bytes]") -> tuple[Measurement, Written]:
    """Search at a pace while plans change."""
    beside = searches(service, scale, seconds=scale.seconds, rate=scale.rate)
    time.sleep(LOAD_BEGINS)
    written = found_by(process, Written)
    return found_by(beside, Measurement), written


def touch(service: Running, scale: Scale) -> None:
    """Search all over the catalog, so that what is mapped is there, and wait for silence."""
    found_by(searches(service, scale, seconds=scale.touch_seconds, answer=WIDE), Measurement)
    service.wait_until_quiet(LOAD_SECONDS)


def get_ready(service: Running) -> float:
    """Wait until all processes have an index; tell when the first answered.

    Raises:
        TimeoutError: none does.
    """
    ready = service.first_answer(LOAD_SECONDS)
    if ready is None:
        raise TimeoutError(f"no search was answered within {LOAD_SECONDS:g} s")
    service.wait_until_quiet(LOAD_SECONDS)
    return ready


def wait_for_changes(service: Running, written: Written) -> float:
    """Wait until many connections, and so every process, find what was changed last; tell how long that took.

    Raises:
        TimeoutError: one never does.
    """
    began = time.monotonic()
    for mark in written.marks * 20:
        while mark.title.encode() not in (service.search(mark.query) or b""):
            if time.monotonic() - began > LOAD_SECONDS:
                raise TimeoutError(f"{mark.title!r} is not found")
            time.sleep(0.05)
    return time.monotonic() - began
