"""The processes that a measurement starts: found to be ready, looked at, and ended by their ids."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from app.infrastructure.processes.parent_watch import PARENT_WATCH_VARIABLE, parent_watch

READY_SECONDS = 120.0
END_SECONDS = 15.0


def free_port() -> int:
    """Find a port of the loopback interface that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def python_process(
    arguments: Sequence[str], log: Path, *, python: str = sys.executable, folder: Path | None = None
) -> Iterator[int]:
    """Run a Python module beside us, its output in `log`; hand out its id, and end it with us however we end.

    `python` and `folder`, where it runs, are another build's when that is measured.
    """
    with parent_watch() as watch_file, log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, PARENT_WATCH_VARIABLE: str(watch_file)},
            pass_fds=[watch_file],
        )
        try:
            yield process.pid
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_ready(port: int, path: str, log: Path) -> None:
    """Wait until a GET of `path` is answered with 200.

    Raises:
        TimeoutError: it takes too long; the message has the end of the process's log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(port, path):
        if time.monotonic() > deadline:
            end = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise TimeoutError(f"port {port} did not become ready within {READY_SECONDS:g} s:\n{end}")
        time.sleep(0.1)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        return get(connection, path)[0].status == 200
    except OSError:
        return False
    finally:
        connection.close()


def get(connection: HTTPConnection, path: str) -> tuple[HTTPResponse, bytes]:
    """Ask over a keep-alive connection."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response, response.read()
