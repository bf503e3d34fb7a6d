"""`marquee api` of a build over a Redis and a data folder, started as a user starts it, and each of its processes."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.older_build import REPOSITORY
from bench.processes import free_port
from bench.start import cpu_seconds, megabytes, with_descendants

END_SECONDS = 60.0
"""An indexer writes its file once more at the end."""
LOOK_SECONDS = 0.005
QUIET_SECONDS = 2.0
QUIET_SHARE = 0.1
"""Processes are quiet when they take together less of a core for so long."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that was started."""

    pid: int
    port: int
    began: float
    log: Path

    def answers(self, query: str = "starts_at=2021-06-01T00:00:00Z&ends_at=2021-06-01T01:00:00Z") -> bool:
        """Tell whether a search, over a connection of its own, is answered with 200."""
        return self.search(query) is not None

    def search(self, query: str, timeout: float = 5.0) -> bytes | None:
        """Ask; None unless it is answered with 200."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", f"/search?{query}")
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
        return body if response.status == 200 else None

    def first_answer(self, seconds: float) -> float | None:
        """Wait for the first 200 of a search; tell how long after the start it came, None if not in `seconds`."""
        while time.monotonic() - self.began < seconds:
            if self.answers():
                return time.monotonic() - self.began
            time.sleep(LOOK_SECONDS)
        return None

    def api_processes(self) -> Sequence[int]:
        """List those that answer."""
        return [pid for pid in with_descendants(self.pid) if "--fd" in words_of(pid)] or [self.pid]

    def cpu(self) -> dict[int, float]:
        """Read the CPU time of each of those, in seconds."""
        return {pid: cpu_seconds(pid) for pid in self.api_processes()}

    def others_cpu(self) -> dict[str, float]:
        """Read that of the others, by name."""
        answering = self.api_processes()
        return {name_of(pid): cpu_seconds(pid) for pid in with_descendants(self.pid) if pid not in answering}

    def memory(self) -> float:
        """Add up what the processes that answer hold, in MB: what they share counts once (PSS).

        The index file counts once and wholly, whoever maps it beside them: an indexer's part of it is added.
        """
        answering = self.api_processes()
        others = (pid for pid in with_descendants(self.pid) if pid not in answering)
        return sum(map(megabytes, answering)) + sum(map(megabytes_of_index_file, others))

    def others_memory(self) -> float:
        """Add up what the rest of them hold: supervisor, launcher, indexer."""
        answering = self.api_processes()
        return sum(megabytes(pid) for pid in with_descendants(self.pid) if pid not in answering)

    def wait_until_quiet(self, seconds: float) -> None:
        """Wait until the processes have hardly anything left to do.

        Raises:
            TimeoutError: they go on; the message has the end of their log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            before = self._all_cpu()
            time.sleep(QUIET_SECONDS)
            if self._all_cpu() - before < QUIET_SECONDS * QUIET_SHARE:
                return
        end = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise TimeoutError(f"not quiet within {seconds:g} s:\n{end}")

    def _all_cpu(self) -> float:
        return sum(map(cpu_seconds, with_descendants(self.pid)))


@dataclass(frozen=True, slots=True)
class ApiService:
    """What `marquee api` is run with."""

    directory: Path
    """Where its configuration, its log and, in `data`, its data lie."""
    redis_url: str
    build: Path = REPOSITORY

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.directory / "data"

    def index_bytes(self) -> int:
        """Tell how large the index file is, 0 when there is none."""
        return sum(path.stat().st_size for path in (self.data / "index").rglob("*") if path.is_file())

    @contextmanager
    def running(self, workers: int = 1) -> Iterator[Running]:
        """Start it; end it as Ctrl-C does."""
        port, log = free_port(), self.directory / "log"
        config = self.directory / "config.yaml"
        settings = {
            "service": {"host": "127.0.0.1", "port": port, "data_dir": str(self.data), "workers": workers},
            "redis": {"url": self.redis_url},
        }
        config.write_text(json.dumps(settings), encoding="utf-8")
        command = [str(self.build / ".venv/bin/marquee"), "--config", str(config), "api"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE")}
        began = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self.build, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            yield Running(process.pid, port, began, log)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def words_of(pid: int) -> Sequence[str]:
    """Read a process's command line: those that answer for a supervisor are given its listening socket."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return ()


def name_of(pid: int) -> str:
    """Read what a process calls itself; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def megabytes_of_index_file(pid: int) -> float:
    """Read a process's share of an index file that it maps; 0 where it maps none, or the system does not tell."""
    share, is_file = 0.0, False
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
            name, _, figure = line.partition(":")
            if " " in name:  # the line of a mapping begins with its addresses
                is_file = line.endswith("/catalog.index")
            elif is_file and name == "Pss":
                share += int(figure.split()[0]) / 1024
    return share
