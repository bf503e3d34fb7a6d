"""`make bench-export`: activities per second of `marquee export activities`, from the database to a file.

The whole command is timed, start of the interpreter included, on a database that is filled first (`--database`, an
empty one; by default an embedded one). Target: 200,000 activities/s to NDJSON.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import migrate
from bench.stats import fill, verdict

TARGET = 200_000
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", default="embedded")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="mq-") as folder:
        measure(Path(folder), given.rows, given.database)


def measure(folder: Path, rows: int, url: str) -> None:
    """Fill, then export in each format; the best of some rounds."""
    config = folder / "config.yaml"
    config.write_text(json.dumps({"service": {"data_dir": str(folder / "data")}, "database": {"url": url}}))
    asyncio.run(fill_database(url, folder / "data", rows))
    for format_ in ("ndjson", "csv"):
        seconds, cpu = min(export(config, folder / f"{number}.{format_}", rows) for number in range(ROUNDS))
        rate = rows / seconds
        print(
            f"{format_}: {rate:,.0f} activities/s (target: {TARGET:,}) {verdict(rate >= TARGET)}; "
            f"CPU of the command {cpu / rows * 1e6:.1f} us an activity"
        )
    print(f"largest memory of a command: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


async def fill_database(url: str, data: Path, rows: int) -> None:
    """Store activities as a worker does."""
    database = open_database(url, data, timeout=30)
    try:
        await migrate(database)
        await fill(database, rows)
    finally:
        await database.aclose()


def export(config: Path, file: Path, rows: int) -> tuple[float, float]:
    """Export once and count the lines; seconds by the clock, and of CPU."""
    command = [sys.executable, "-m", "app.infrastructure.main", "--config", str(config), "export", "activities"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([*command, "--output", str(file)], stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with file.open("rb") as written:
        lines = sum(1 for _ in written)
    if lines != rows + file.suffix.count("csv"):
        raise SystemExit(f"{file.name} has {lines:,} lines for {rows:,} activities")
    file.unlink()
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
