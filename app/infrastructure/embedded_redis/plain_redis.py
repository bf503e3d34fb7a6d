"""As much of a Redis client as it takes to look after a server of our own, over its socket.

Loading redis-py takes half a second and 20 MB, which a supervisor would hold for two commands a second.
"""

import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any


class ResponseError(Exception):
    """The server refused a command, and says why."""


class PlainRedis:
    """Asks a server, each time over a connection of its own."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout

    def info(self) -> dict[str, str]:
        """Ask for all that the server says of itself."""
        lines = self.command("INFO").decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def config_get(self, name: str) -> dict[str, str]:
        """Ask for a directive."""
        found = [part.decode() for part in self.command("CONFIG", "GET", name)]
        return dict(zip(found[::2], found[1::2], strict=True))

    def command(self, *words: str) -> Any:
        """Send a command and read its answer: bytes, an int, None or a list of such.

        Raises:
            TimeoutError: the server did not answer in time.
            OSError: nobody listens, or the connection ended.
            ResponseError: the server refused it.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self._timeout)
            connection.connect(str(self._path))
            connection.sendall(_spelled(words))
            with closing(connection.makefile("rb")) as answer:
                return _read(answer)


def _spelled(words: Sequence[str]) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        raw = word.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def _read(answer: Any) -> Any:
    line = answer.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server closed the connection")
    kind, said = line[:1], line[1:-2]
    if kind == b"-":
        raise ResponseError(said.decode(errors="replace"))
    if kind == b"+":
        return said
    count = int(said)
    if kind == b"$":
        return None if count < 0 else answer.read(count + 2)[:-2]
    if kind == b"*":
        return [_read(answer) for _ in range(count)]
    return count
