"""Marquee as its users meet it: real processes on a directory of their own, always ended, whatever a test did."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.processes.loaded import LoadedPopen, use_loaded_process
from tests.support.waiting import lives, until

REPOSITORY = Path(__file__).parents[2]
COMMAND = (sys.executable, "-P", "-m", "app.infrastructure.main")
READY_SECONDS = 90.0
END_SECONDS = 20.0
COMMAND_SECONDS = 60.0


def started(command: Sequence[str], **options: Any) -> "subprocess.Popen[Any]":
    """Start a process as `subprocess.Popen` does; `COMMAND` and its arguments are a fork where that is the same."""
    use_loaded_process()
    return LoadedPopen(command, **options)


def done(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end, as `subprocess.run` does, and keep what it says."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with started(command, **{**pipes, **options}) as process:
        try:
            output, errors = process.communicate(timeout=COMMAND_SECONDS)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def plans(self) -> list[dict[str, Any]]:
        """What a search found."""
        assert self.status == 200, self.body
        found: list[dict[str, Any]] = self.json["data"]["events"]
        return found


def ask(
    connection: HTTPConnection, target: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a request target as it stands, not encoded once more; the connection may be used again."""
    connection.putrequest(method, target)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


class Service:
    """One `marquee` command that runs until it is told to end. Its log (JSON) is in `log_file`."""

    def __init__(
        self, command: Sequence[str], log_file: Path, environment: Mapping[str, str], cwd: Path = REPOSITORY
    ) -> None:
        self.log_file = log_file
        self._port = environment.get("MARQUEE__SERVICE__PORT")
        with log_file.open("ab") as log:
            self._process = started(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> list[dict[str, Any]]:
        """The whole lines written so far; one that is not JSON has `event` alone."""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(line) if line.startswith("{") and line.endswith("}") else {"event": line} for line in lines]

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def url(self) -> str | None:
        """Where it listens, once it has said so (at once when a test chose the port)."""
        said = [entry.get("docs") or entry.get("at") for entry in self.log]
        if self._port:
            return f"http://127.0.0.1:{self._port}"
        urls = [address.removesuffix("/docs") for address in said if address and address.startswith("http://")]
        return urls[0].replace("//0.0.0.0:", "//127.0.0.1:") if urls else None

    def child(self, name: str) -> int:
        """The process id of a supervised role, of its newest start: `api`, `api-1`, `scheduler`."""
        started = [entry["pid"] for entry in self.log if entry["event"] == "child started" and entry["name"] == name]
        return int(started[-1])

    def pids(self) -> set[int]:
        """Everything that this process said to have started, Redis too."""
        return {int(entry["pid"]) for entry in self.log if "pid" in entry}

    def connect(self) -> HTTPConnection:
        assert self.url, self.log
        return HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask once, over a connection of its own."""
        with closing(self.connect()) as connection:
            return ask(connection, target, method, headers)

    def samples(self, name: str, **labels: str) -> list[Sample]:
        """What /metrics says to Prometheus under a name, where the labels are these and any others."""
        families = text_string_to_metric_families(self.ask("/metrics", headers={"Accept": "text/plain"}).body.decode())
        found = [sample for family in families for sample in family.samples if sample.name == name]
        return [sample for sample in found if labels.items() <= sample.labels.items()]

    def figure(self, name: str, **labels: str) -> float:
        """Those added up; 0 without any."""
        return sum(sample.value for sample in self.samples(name, **labels))

    def search(self, query: str = "") -> list[dict[str, Any]]:
        return self.ask(f"/search?{query}").plans

    def finds(self, **fields: object) -> bool:
        """Whether some plan of the whole catalog has these values."""
        return any(fields.items() <= plan.items() for plan in self.search())

    def answers(self, target: str, status: int = 200) -> bool:
        try:
            return self.url is not None and self.ask(target).status == status
        except OSError:
            return False

    def until_ready(self) -> Self:
        def is_ready() -> bool:
            assert self.runs, self.log_file.read_text()
            return self.answers("/health/ready")

        until(is_ready, READY_SECONDS)
        return self

    def request_sync(self, provider: str, *, approve: bool = False, full: bool = False) -> dict[str, Any]:
        """Ask for a sync over HTTP and wait for its report."""
        asked = "&".join(f"{name}=true" for name, wanted in (("approve", approve), ("full", full)) if wanted)
        target = f"/catalog/providers/{provider}/sync?{asked}".rstrip("?")
        accepted = self.ask(target, "POST")
        assert accepted.status == 202, accepted.body
        run_id = accepted.json["run_id"]
        until(lambda: self._report(provider, run_id))
        return self._report(provider, run_id) or {}

    def _report(self, provider: str, run_id: str) -> dict[str, Any] | None:
        runs = self.ask(f"/catalog/providers/{provider}/runs?limit=50").json
        return next((run for run in runs if run["run_id"] == run_id), None)

    def signal(self, number: signal.Signals) -> None:
        if self.runs:
            self._process.send_signal(number)

    def wait(self, seconds: float = END_SECONDS) -> int:
        return self._process.wait(seconds)

    def end(self) -> int:
        """As a Ctrl-C does."""
        self.signal(signal.SIGINT)
        return self.wait()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End it, be it stopped or stubborn."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.kill()


class Installation:
    """A directory with settings and data, and the `marquee` processes that a test starts on it.

    Leaving it ends them, those that they started (known from their logs and from the pid file of Redis), and removes
    the directory. Short, because a unix socket lies in it.
    """

    def __init__(self, *providers: Mapping[str, Any], **sections: Mapping[str, Any]) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="mq-"))
        self.config = self.directory / "config.yaml"
        self.data = self.directory / "data"
        self._services: list[Service] = []
        self._strangers: set[int] = set()
        self.configure(*providers, **sections)

    def configure(self, *providers: Mapping[str, Any], **sections: Mapping[str, Any]) -> None:
        """Write the settings: any free port, data in `data`, and what is given."""
        service = {"port": 0, "data_dir": "data", "drain": 5, **sections.pop("service", {})}
        settings = {"service": service, "providers": providers, "logging": {"format": "json"}, **sections}
        self.config.write_text(json.dumps(settings))  # JSON is YAML

    def write(self, name: str, text: str) -> str:
        """Write a file beside the settings, in one step, and return its URL."""
        path = self.directory / name
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").replace(path)
        return path.as_uri()

    def start(self, role: str, cwd: Path = REPOSITORY, **environment: str) -> Service:
        """Start `run`, `api` or `scheduler` without waiting for anything."""
        log_file = self.directory / f"{len(self._services)}-{role}.log"
        command = (*COMMAND, "--config", str(self.config), role)
        self._services.append(Service(command, log_file, self._environment(environment), cwd))
        return self._services[-1]

    def run(self, **environment: str) -> Service:
        """Start `marquee run` and wait until it is ready."""
        return self.start("run", REPOSITORY, **environment).until_ready()

    def command(
        self, *arguments: str, cwd: Path = REPOSITORY, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        command = (*COMMAND, "--config", str(self.config), *arguments)
        return done(command, cwd=cwd, env=self._environment(environment))

    def json_of(self, *arguments: str) -> Any:
        """Run a command with --json and read what it prints."""
        return json.loads(self.command(*arguments, "--json").stdout)

    @contextmanager
    def redis(self) -> Iterator[Redis]:
        """Connect to the embedded Redis without our adapters, for what only an operator does."""
        socket = self.data / "redis" / "redis.sock"
        client = Redis(unix_socket_path=str(socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))
        try:
            yield client
        finally:
            client.close()

    def redis_pid(self) -> int | None:
        """The embedded Redis, when it answers."""
        try:
            with self.redis() as client:
                pid = int(client.info()["process_id"])
        except RedisError:
            return None
        self._strangers.add(pid)
        return pid

    def close(self) -> None:
        for service in reversed(self._services):
            service.close()
        self.redis_pid()
        for service in self._services:
            self._strangers |= service.pids()
        for pid in self._strangers:
            if self._is_ours(pid):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_ours(self, pid: int) -> bool:
        """A number may have been given to another process since: ours name the directory in their command line."""
        if not lives(pid):
            return False
        command = ("ps", "-ww", "-o", "args=", "-p", str(pid))
        return str(self.directory) in subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def _environment(self, added: Mapping[str, str]) -> dict[str, str]:
        """Nothing that the developer's shell sets for Marquee may change a test."""
        kept = {name: value for name, value in os.environ.items() if not re.match("MARQUEE_|PROMETHEUS_", name)}
        return {**kept, "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **added}
