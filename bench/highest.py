"""`python -m bench.pipeline --highest`: the highest rate that an installation keeps up with, searched by short runs.

A rate is kept up with when the run posted it, whatever was posted was stored and counted, and next to nothing was left
to do at the end: a backlog that grows is no steady state. The rate that the search ends with has to hold for a minute.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.older_build import REPOSITORY, build_before
from bench.stats import verdict

FIRST, STEP, CLOSE = 20_000, 1.3, 0.03
"""Where the search begins, by how much it grows, and how near the last two rates are."""
SHORT, LONG = 15.0, 60.0
"""Seconds of a run of the search, and of the one that confirms it."""
LONGEST_DRAIN = 2.0
"""Seconds after the last answer within which all has to be stored: so much waits in a steady state, too."""
TARGET = 1.6
PARTS = ("generator", "api", "worker", "redis")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the pipeline found."""

    rate: float
    is_steady: bool
    cpu: dict[str, float]
    """Microseconds of each part, by activity."""


def measure_highest(options: Sequence[str], before: str | None) -> None:
    """Search with this build, and with an older one before it; print the rates, the CPU by part, and the ratio."""
    here = _runner(Path(sys.executable), REPOSITORY, options)
    if before is None:
        confirmed("now", here, _searched("now", here))
        return
    with TemporaryDirectory(prefix="mq-bench-") as name, build_before(before, Path(name)) as folder:
        there = _runner(folder / ".venv/bin/python", folder, options)
        rates = _searched("before", there), _searched("now", here)
        theirs, ours = confirmed("before", there, rates[0]), confirmed("now", here, rates[1])
    ratio = ours.rate / theirs.rate
    print(f"\nhighest steady rate: {theirs.rate:,.0f}/s before, {ours.rate:,.0f}/s now, {ratio:.2f} x ", end="")
    print(f"(target: {TARGET}) {verdict(ratio >= TARGET)}")


def _searched(name: str, run: Callable[[float, float], Run]) -> float:
    return search(lambda rate: _told(name, run(rate, SHORT)).is_steady)


def search(is_steady: Callable[[float], bool]) -> float:
    """Find the highest rate that is steady, within CLOSE of it.

    Raises:
        RuntimeError: not even a thousandth of FIRST is.
    """
    low, high = 0.0, float(FIRST)
    while is_steady(high):
        low, high = high, high * STEP
    while high - low > CLOSE * high:
        if high < FIRST / 1000:
            raise RuntimeError("no rate is steady")
        middle = (low + high) / 2
        low, high = (middle, high) if is_steady(middle) else (low, middle)
    return low


def confirmed(name: str, run: Callable[[float, float], Run], rate: float) -> Run:
    """Run at a rate for LONG seconds, and a little slower until it holds."""
    while not (found := _told(name, run(rate, LONG))).is_steady:
        rate *= 1 - CLOSE
    return found


def _runner(python: Path, folder: Path, options: Sequence[str]) -> Callable[[float, float], Run]:
    def run(rate: float, seconds: float) -> Run:
        command = [str(python), "-m", "bench.pipeline", f"--rate={rate:.0f}", f"--seconds={seconds:g}", *options]
        found = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
        return read(found.stdout) if found.returncode == 0 else Run(rate, is_steady=False, cpu={})

    return run


def read(printed: str) -> Run:
    """Read what a run printed, of this build or an older one.

    Raises:
        ValueError: it printed something else.
    """
    posted = re.search(r"posted .*: ([\d,]+)/s (\w+)", printed)
    drained = re.search(r"drained ([\d.]+) s", printed)
    same = re.search(r"accepted .* = counted [\d,]+ (\w+)", printed)
    if posted is None or drained is None or same is None:
        raise ValueError(f"not what a run prints:\n{printed}")
    rate = float(posted[1].replace(",", ""))
    is_steady = {posted[2], same[1]} == {"reached"} and float(drained[1]) <= LONGEST_DRAIN
    shares = {part: re.search(rf"cores used: .*\b{part} ([\d.]+)", printed) for part in PARTS}
    return Run(rate, is_steady, {part: float(share[1]) / rate * 1e6 for part, share in shares.items() if share})


def _told(name: str, run: Run) -> Run:
    cpu = ", ".join(f"{part} {used:.1f}" for part, used in run.cpu.items())
    steady = "steady" if run.is_steady else "not steady"
    print(f"{name}: {run.rate:,.0f}/s {steady}; CPU of one activity in us: {cpu}, in all {sum(run.cpu.values()):.1f}")
    sys.stdout.flush()
    return run
