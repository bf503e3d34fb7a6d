"""A benchmark of an older build and of this one, each by its own code, in turns; what they print is compared."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.older_build import REPOSITORY, build_before
from bench.stats import verdict

TOLERANCE = 0.05
"""By so much a median may be worse: runs of one build differ by more."""


class Figure(NamedTuple):
    """Something that a benchmark prints."""

    name: str
    pattern: str = ""
    """Its one group is the number."""
    more_is_better: bool = False


def compare(module: str, arguments: Sequence[str], figures: Sequence[Figure], before: str, rounds: int) -> None:
    """Run `python -m MODULE` of both builds and print the medians; `before` is a folder with its .venv, or a commit.

    Raises:
        subprocess.CalledProcessError: a run failed.
        ValueError: it did not print a figure.
    """
    with TemporaryDirectory(prefix="mq-bench-") as directory, build_before(before, Path(directory)) as folder:
        old, new = [], []
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            old.append(read(figures, _run(folder / ".venv/bin/python", folder, module, arguments)))
            new.append(read(figures, _run(Path(sys.executable), REPOSITORY, module, arguments)))
    tell_heads()
    for figure, theirs, ours in zip(figures, zip(*old, strict=True), zip(*new, strict=True), strict=True):
        tell(figure, median(theirs), median(ours))


def _run(python: Path, folder: Path, module: str, arguments: Sequence[str]) -> str:
    command = [str(python), "-m", module, *arguments]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def read(figures: Sequence[Figure], printed: str) -> list[float]:
    """Find the figures in what was printed.

    Raises:
        ValueError: one is not there.
    """
    found = {figure: re.search(figure.pattern, printed) for figure in figures}
    if missing := [figure.name for figure, match in found.items() if match is None]:
        raise ValueError(f"not printed: {', '.join(missing)}\n{printed}")
    return [float(match[1].replace(",", "")) for match in found.values() if match]


def tell_heads() -> None:
    """Print what stands in the columns."""
    print(f"{'median of the rounds':<36}{'before':>12}{'now':>12}{'ratio':>8}")


def tell(figure: Figure, before: float, now: float) -> None:
    """Print one, and whether it is not worse."""
    ratio = now / before if before else 1.0
    not_worse = ratio >= 1 - TOLERANCE if figure.more_is_better else ratio <= 1 + TOLERANCE
    print(f"{figure.name:<36}{before:>12,.2f}{now:>12,.2f}{ratio:>8.2f}  not worse: {verdict(not_worse)}")
