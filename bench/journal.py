"""`make bench-journal`: how fast change logs become the journal, beside an older build, in turns.

Many changes lie in the logs of Redis: of each provider its plans, listed, and as many changes of them. The loop of each
build journals them into an empty database, alone in a process, as a worker runs it. Printed: changes a second from
the first that was there to the last, and the CPU time of the process for each. `--database` names a PostgreSQL, where
each round makes a database of its own; else it is the embedded SQLite.
"""

import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from math import nan
from pathlib import Path
from secrets import token_hex
from statistics import median
from tempfile import TemporaryDirectory
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from app.infrastructure.embedded_redis.embedded_redis import EmbeddedRedis
from app.infrastructure.embedded_redis.redis_server import RedisOptions
from bench.load import cpu_seconds
from bench.older_build import REPOSITORY, build_before
from bench.stats import verdict

BEFORE = "b8d7efd"
TARGET = 4.0
LONGEST = 300.0
EVERY = 0.02
STEP = Path(__file__).with_name("journal_once.py")
PROGRESS: LiteralString = "SELECT coalesce(sum(sequence), 0) FROM journal_positions"
ROWS: LiteralString = "SELECT count(*) FROM plan_journal"

Command = Sequence[str | Path]
Settings = dict[str, dict[str, str]]
Ask = Callable[[LiteralString], int]
"""Asks the database for a number."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one round found: changes a second, and microseconds of the process's CPU time for a change."""

    rate: float
    cpu: float


class Build:
    """A checkout with its environment in `.venv` there, and a Redis of its own: an older one cannot read newer logs."""

    def __init__(self, name: str, checkout: Path, folder: Path, redis_url: str) -> None:
        self.name = name
        self.folder = folder
        self._checkout = checkout
        self._python = checkout / ".venv/bin/python"
        self._redis_url = redis_url

    def fill(self, number: int, providers: int) -> None:
        """Write the logs."""
        subprocess.run(self._step("fill", self._redis_url, number, providers), env=self._environment, check=True)

    def journal(self, settings: Settings, ask: Ask, total: int) -> Figures:
        """Run the loop until all is journaled; what it did before the first change was there does not count.

        Raises:
            TimeoutError: it takes too long.
            ValueError: something was journaled twice, or not at all.
        """
        config = self.folder / "config.yaml"
        config.write_text(json.dumps({**settings, "redis": {"url": self._redis_url}}))
        migrate: Command = [self._python, "-m", "app.infrastructure.main", "--config", config, "migrate"]
        subprocess.run(migrate, cwd=self._checkout, check=True, stdout=subprocess.DEVNULL)
        with running(self._step("run", config), self._environment, self.folder / "log") as pid:
            begun, began = first(ask)
            cpu_before = cpu_seconds(pid) or nan
            while (done := ask(PROGRESS)) < total:
                if time.monotonic() > began + LONGEST:
                    raise TimeoutError(f"{done:,} of {total:,} changes were journaled within {LONGEST:g} s")
                time.sleep(EVERY)
            seconds, cpu = time.monotonic() - began, (cpu_seconds(pid) or nan) - cpu_before
        if (found := ask(ROWS)) != total:
            raise ValueError(f"{total:,} changes were made, {found:,} were journaled")
        return Figures((total - begun) / seconds, cpu / (total - begun) * 1e6)

    def _step(self, *words: object) -> Command:
        return [self._python, "-P", STEP, *map(str, words)]

    @property
    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "PYTHONPATH": str(self._checkout)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", default=BEFORE, help="a build with its .venv, or a commit (default: %(default)s)")
    parser.add_argument("--database", default="embedded", metavar="URL", help="a server on which databases may be made")
    parser.add_argument("--changes", type=int, default=50_000)
    parser.add_argument("--providers", type=int, nargs="+", default=[100, 1])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    for name in [name for name in os.environ if name.startswith(("MARQUEE", "PYTHONPATH"))]:
        del os.environ[name]
    with TemporaryDirectory(prefix="mq-") as name, ExitStack() as stack:
        run(stack.enter_context(build_before(given.before, Path(name))), given, Path(name))


def run(before: Path, given: argparse.Namespace, directory: Path) -> None:
    """Measure each number of providers, print."""
    kind = "embedded SQLite" if given.database == "embedded" else "PostgreSQL"
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {kind}; {given.rounds} rounds, in turns")
    for providers in given.providers:
        folder = directory / f"{providers}"
        with ExitStack() as stack:
            builds = []
            for name, build in (("now", REPOSITORY), ("before", before)):
                redis = stack.enter_context(EmbeddedRedis(folder / name, RedisOptions(fsync="everysec")))
                builds.append(Build(name, build, folder / name, redis.url))
                builds[-1].fill(given.changes, providers)
            total = given.changes // providers // 2 * 2 * providers
            print(f"{total:,} changes of {providers} providers", flush=True)
            measured = in_turns(builds, given, total)
        tell(measured["before"], measured["now"])


def in_turns(builds: Sequence[Build], given: argparse.Namespace, total: int) -> Mapping[str, Sequence[Figures]]:
    """Let the builds take turns; who begins changes from round to round."""
    measured: dict[str, list[Figures]] = {build.name: [] for build in builds}
    for number in range(given.rounds):
        for build in builds if number % 2 else reversed(builds):
            with database(given.database, build.folder) as (settings, ask):
                found = build.journal(settings, ask, total)
            measured[build.name].append(found)
            print(f"  {build.name:<7}{found.rate:>9,.0f} changes/s{found.cpu:>8.0f} us of CPU a change", flush=True)
    return measured


@contextmanager
def database(url: str, folder: Path) -> Iterator[tuple[Settings, Ask]]:
    """Have an empty database: what is set for it, and who answers questions to it."""
    with TemporaryDirectory(dir=folder) as data, ExitStack() as stack:
        service = {"data_dir": data}
        if url == "embedded":
            yield {"service": service}, lambda question: ask_file(Path(data) / "history.sqlite3", question)
            return
        own = stack.enter_context(postgres_database(url))
        connection = stack.enter_context(psycopg.connect(own, autocommit=True))
        yield {"service": service, "database": {"url": own}}, lambda question: ask_server(connection, question)


@contextmanager
def postgres_database(url: str) -> Iterator[str]:
    """Make a database beside the one that is named, drop it after; hand out its URL."""
    name = f"mq_bench_{token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def ask_file(file: Path, question: LiteralString) -> int:
    """Ask SQLite; 0 before there are tables."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=LONGEST)) as connection:
            return int(connection.execute(question).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def ask_server(connection: psycopg.Connection, question: LiteralString) -> int:
    """Ask PostgreSQL."""
    row = connection.execute(question).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def running(command: Command, environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run a command beside us; show the end of its log when the block fails, and end it in any case."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process.pid
    except TimeoutError:
        print(log.read_text(encoding="utf-8", errors="replace")[-2000:])
        raise
    finally:
        process.terminate()
        process.wait()


def first(ask: Ask) -> tuple[int, float]:
    """Wait until something is journaled; say how much it was, and when."""
    began = time.monotonic()
    while not (done := ask(PROGRESS)):
        if time.monotonic() > began + LONGEST:
            raise TimeoutError(f"nothing was journaled within {LONGEST:g} s")
        time.sleep(EVERY)
    return done, time.monotonic()


def tell(before: Sequence[Figures], now: Sequence[Figures]) -> None:
    """Print the medians and their ratios."""
    old, new = (median(one.rate for one in figures) for figures in (before, now))
    ratio = new / old
    print(f"median: {new:,.0f} changes/s, {ratio:.2f} x {old:,.0f} (target: {TARGET:g}) {verdict(ratio >= TARGET)}")
    old, new = (median(one.cpu for one in figures) for figures in (before, now))
    print(f"        {new:.0f} us of CPU a change, a {old / new:.1f}th of {old:.0f}")


if __name__ == "__main__":
    main()
