"""Prometheus and its tool, when they are on this machine; without them a test is skipped, loudly, and fails in CI."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest


def find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        reason = f"NO {program.upper()}: Debian's package `prometheus` has it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def promtool(*arguments: str | Path) -> str:
    """Run it; what it says when it is not content fails the test."""
    done = subprocess.run([find("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Prometheus:
    """A server at `url` that is asked as Grafana asks it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **query: str) -> Any:
        try:
            with urlopen(f"{self.url}/api/v1/{path}?{urlencode(query)}", timeout=10) as response:
                answer = json.load(response)
        except URLError as error:
            raise AssertionError(f"{path} {query}: {error}") from error
        assert answer["status"] == "success"
        return answer["data"]

    def find(self, expression: str) -> list[Any]:
        found: list[Any] = self.ask("query", query=expression)["result"]
        return found


@contextmanager
def prometheus(config: Path, data: Path) -> Iterator[Prometheus]:
    """Run one on loopback, with a configuration of the test's."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [find("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={data}"]
    with (data.parent / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready", data.parent / "prometheus.log")
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urlopen(url, timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
