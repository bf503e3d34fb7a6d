"""The floor of `make bench-search`: a bare `asyncio.Protocol` on uvloop whose requests httptools parses.

It sends the answer that it is given, byte for byte, whatever it is asked: no ASGI, no header looked at, no time-out.
"""

import argparse
import asyncio
import signal
from pathlib import Path
from typing import cast

import httptools
import uvloop


class BareProtocol(asyncio.Protocol):
    """Answers each request of a connection in one write."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """Keep what is asked for, as whoever answers must."""
        self._url = url

    def on_message_complete(self) -> None:
        """Answer."""
        self._transport.write(self._answer)


async def serve(answer: bytes, port: int) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BareProtocol(answer), "127.0.0.1", port, backlog=2048)
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--answer", type=Path, required=True, help="a file with what to send, head and body")
    given = parser.parse_args()
    uvloop.run(serve(given.answer.read_bytes(), given.port))


if __name__ == "__main__":
    main()
