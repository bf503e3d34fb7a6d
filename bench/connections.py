"""Keep-alive connections of the load generators, each with one request on its way; every answer is read to its end."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from itertools import cycle
from typing import cast


class Tally:
    """What the connections share: what came of the requests."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.bytes = 0
        self.heads = 0
        """Bytes, like all that was answered."""
        self.failure: str | None = None

    def reset(self) -> None:
        """Forget what was counted so far."""
        self.latencies.clear()
        self.bytes = self.heads = 0


class KeepAlive(asyncio.Protocol):
    """One keep-alive connection with one request on its way; reads every answer to its end."""

    def __init__(self) -> None:
        self._received = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.begin()

    def begin(self) -> None:
        """Do what is to be done once there is a connection."""
        raise NotImplementedError

    def answered(self, head: bytes, body: bytes, seconds: float) -> None:
        """Look at an answer."""
        raise NotImplementedError

    def ask(self, request: bytes) -> None:
        """Send the next request."""
        self._asked_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read the answer to its end, then hand it over."""
        if self._received:
            data = self._received + data
        head = data.find(b"\r\n\r\n")
        length = _content_length(data, head) if head >= 0 else 0
        if head < 0 or len(data) < head + 4 + length:
            self._received = data
            return
        self._received = b""
        self.answered(data[:head], data[head + 4 :], time.perf_counter() - self._asked_at)


class Connection(asyncio.Protocol):
    """Asks again as soon as it is answered. All in one function, because each call shows in what a request costs."""

    def __init__(self, tally: Tally, requests: Sequence[bytes]) -> None:
        self._tally = tally
        self._next = cycle(requests).__next__
        self._missing = 0
        """Bytes of the answer that is being read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._write = cast("asyncio.Transport", transport).write
        self.begin()

    def begin(self) -> None:
        """Ask, now."""
        self.ask(time.perf_counter())

    def ask(self, at: float) -> None:
        """Send the next request, whose time began then."""
        self._asked_at = at
        self._write(self._next())

    def data_received(self, data: bytes) -> None:
        """Read the answer to its end, count it, and ask again."""
        if self._missing:
            self._missing -= len(data)
        else:
            self._missing = self._length(data) - len(data)
        if not self._missing:
            now = time.perf_counter()
            self._tally.latencies.append(now - self._asked_at)
            self._asked_at = now
            self._write(self._next())

    def _length(self, data: bytes) -> int:
        """Tell how long an answer is by its beginning: servers of one machine send a head in one piece."""
        tally = self._tally
        end = data.find(b"\r\n\r\n")
        if end < 0 or not data.startswith(b"HTTP/1.1 200 "):
            tally.failure = tally.failure or f"an answer was no 200: {data[:300]!r}"
            return len(data)
        length = end + 4 + _content_length(data, end)
        tally.bytes += length
        tally.heads += end + 4
        return length

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server hung up."""
        self._tally.failure = self._tally.failure or f"a connection was lost: {exc}"


class PacedConnection(Connection):
    """Asks when it is told to, and is idle before."""

    def __init__(self, tally: Tally, requests: Sequence[bytes], idle: "deque[PacedConnection]") -> None:
        super().__init__(tally, requests)
        self._idle = idle

    def begin(self) -> None:
        """Wait."""
        self._idle.append(self)

    def data_received(self, data: bytes) -> None:
        """Read the answer to its end, count it, and be idle."""
        self._missing = self._missing - len(data) if self._missing else self._length(data) - len(data)
        if not self._missing:
            self._tally.latencies.append(time.perf_counter() - self._asked_at)
            self._idle.append(self)


def _content_length(data: bytes, head: int) -> int:
    at = data.index(b"content-length: ", 0, head) + 16
    return int(data[at : data.index(b"\r", at)])
