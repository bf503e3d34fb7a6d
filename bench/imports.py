"""`make bench-import`: a CSV file through `marquee import`, from its first row to counted.

The whole command is timed, start of the interpreter included, on a fresh embedded database (or `--database`, an empty
one); then the same file again, which must find everything done, and under another name without the marks, where every
row is a duplicate.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.activities import activities
from bench.stats import verdict

TARGET = 25_000
USERS, DAYS = 100_000, 60


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--database", default="embedded")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="mq-") as folder:
        measure(Path(folder), given.rows, given.database)


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


def run(config: Path, *arguments: str) -> str:
    """Run a command of the service."""
    command = [sys.executable, "-m", "app.infrastructure.main", "--config", str(config), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


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
