"""A server's protocol without a socket: bytes go in as they are cut, and all that it writes is kept."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from app.adapters.inbound.http.connection.edge_server import SECURITY_HEADERS
from app.infrastructure.roles.http_server import http_server


class KeptTransport(asyncio.Transport):
    """Keeps what is written; a client who takes everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self.has_ended = False

    def write(self, data: Any) -> None:
        assert not self.has_ended
        self.written += data

    def write_eof(self) -> None:
        self.has_ended = True

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class Wires:
    """Makes connections of one server."""

    def __init__(self, app: Any, protocol: Any) -> None:
        self._config: uvicorn.Config = http_server(app, 1, protocol).config
        self._config.load()
        self._state = ServerState()
        self._state.default_headers = [
            (b"date", b"Fri, 26 Mar 2021 20:30:00 GMT"),
            *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS),
        ]
        self._protocol = protocol

    def connect(self) -> tuple[Any, KeptTransport]:
        """Make one connection: its protocol, and what it writes to."""
        protocol = self._protocol(config=self._config, server_state=self._state, app_state={})
        transport = KeptTransport()
        protocol.connection_made(transport)
        return protocol, transport

    async def settle(self) -> None:
        """Let everything be answered that was asked; nothing here waits for anything but its turn."""
        while self._state.tasks:  # noqa: ASYNC110 - each turn is what they wait for
            await asyncio.sleep(0)
        await asyncio.sleep(0)
