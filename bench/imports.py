"""`make bench-import`: a CSV file through `marquee import`, from its first row to counted.

The whole command is timed, start of the interpreter included, on a fresh embedded database (or `--database`, an empty
one); then the same file again, which must find everything done, and under another name without the marks, where every
row is a duplicate. `BEFORE=` a build with its .venv, or a commit: the same file goes into it in turns, and the ratios
of rows a second and of CPU time are printed.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.activities import activities
from bench.older_build import REPOSITORY, build_before
from bench.stats import verdict

TARGET = 25_000
RATIO = 2.5
USERS, DAYS = 100_000, 60


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--database", default="embedded")
    parser.add_argument("--before", help="a build with its .venv, or a commit, that takes turns")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="mq-") as folder:
        if given.before:
            with build_before(given.before, Path(folder)) as before:
                compare(Path(folder), before, given.rows, given.rounds)
        else:
            measure(Path(folder), given.rows, given.database)


class Run(NamedTuple):
    """What one import took."""

    seconds: float
    cpu: float
    totals: Any
    """What is counted after it."""


def compare(folder: Path, before: Path, rows: int, rounds: int) -> None:
    """Import one file into both builds, in turns; each time into a fresh embedded database."""
    file = folder / "activities.csv"
    write(file, rows)
    print(f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB of CSV, {rounds} rounds, in turns", flush=True)
    builds = {"before": before, "now": REPOSITORY}
    found: dict[str, list[Run]] = {name: [] for name in builds}
    for number in range(rounds):
        for name in sorted(builds, reverse=bool(number % 2)):
            found[name].append(one_import(builds[name], folder / f"{name}{number}", file))
            print(f"{name}: {rows / found[name][-1].seconds:,.0f} rows/s, {found[name][-1].cpu:.1f} s CPU", flush=True)
    rate, cpu = (
        median(getattr(run, what) for run in found["before"]) / median(getattr(run, what) for run in found["now"])
        for what in ("seconds", "cpu")
    )
    equal = all(run.totals == found["before"][0].totals for runs in found.values() for run in runs)
    print(f"{rate:.2f} x of the rows/s of before (target: {RATIO}) {verdict(rate >= RATIO)}; CPU: 1/{cpu:.2f} of it")
    print(f"counts equal: {verdict(equal)}")


def one_import(build: Path, folder: Path, file: Path) -> Run:
    """Import a file by one build."""
    folder.mkdir()
    config = folder / "config.yaml"
    config.write_text(json.dumps({"service": {"data_dir": str(folder / "data")}}))
    began, cpu_before = time.perf_counter(), os.times().children_user + os.times().children_system
    run(config, "import", str(file), "--json", "--rejects", str(folder / "rejects"), build=build)
    seconds, cpu = time.perf_counter() - began, os.times().children_user + os.times().children_system - cpu_before
    return Run(seconds, cpu, json.loads(run(config, "stats", "totals", "--json", build=build)))


def measure(folder: Path, rows: int, database: str) -> None:
    """Import, again, and once more without the marks."""
    file, config = folder / "activities.csv", folder / "config.yaml"
    config.write_text(json.dumps({"service": {"data_dir": str(folder / "data")}, "database": {"url": database}}))
    write(file, rows)
    print(f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB of CSV, database: {database}")
    if database != "embedded":
        run(config, "migrate")
    began = time.perf_counter()
    summary = json.loads(run(config, "import", str(file), "--json"))
    rate = rows / (time.perf_counter() - began)
    good = rate >= TARGET and summary["stored"] == rows
    print(f"from CSV to counted: {rate:,.0f} rows/s (target: {TARGET:,}) {verdict(good)}; {said(summary)}")
    counted = sum(total["count"] for total in json.loads(run(config, "stats", "totals", "--json")))
    print(f"counted {counted:,} {verdict(counted == rows)}; {run(config, 'stats', 'verify').strip()}")
    for name, options in (("the same file again", ()), ("again, without the mark", ("--again",))):
        began = time.perf_counter()
        summary = json.loads(run(config, "import", str(file), "--json", *options))
        print(f"{name}: {time.perf_counter() - began:.1f} s; {said(summary)} {verdict(not summary['stored'])}")


def said(summary: dict[str, Any]) -> str:
    """Say what became of the rows."""
    return ", ".join(f"{name} {summary[name]:,}" for name in ("stored", "duplicates", "rejected"))


def run(config: Path, *arguments: str, build: Path = REPOSITORY) -> str:
    """Run a command of the service, of this build or another."""
    python = sys.executable if build == REPOSITORY else str(build / ".venv/bin/python")
    command = [python, "-m", "app.infrastructure.main", "--config", str(config), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=build).stdout


def write(file: Path, rows: int) -> None:
    """Write a file as an export would have it: without ids."""
    with file.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["occurred_at", "type", "user_id", "source", "value"])
        for one in activities(rows, users=USERS, days=DAYS):
            value = "" if one.value is None else f"{one.value:f}"
            writer.writerow([one.occurred_at.isoformat(), one.type, one.user_id, one.source, value])


if __name__ == "__main__":
    main()
