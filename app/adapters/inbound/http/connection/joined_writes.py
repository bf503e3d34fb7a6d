"""An answer in one write: uvicorn writes head and body apart, and uvloop sends each write at once (ADR 0022).

ASGI asks for it too: a server should not send the head before the first message of the body.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoiningTransport:
    """A transport that sends what was written in one turn of the event loop together, at the end of the turn."""

    __slots__ = ("_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Hold the data until the turn ends."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)

    def write_whole(self, parts: list[bytes | memoryview]) -> None:
        """Send an answer that is complete, at once: behind what is held, if there is anything."""
        if self._held:
            self._held.append(b"".join(parts))
        else:
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Send what is held, then close."""
        self._send()
        self._transport.close()

    def write_eof(self) -> None:
        """Send what is held, then the end."""
        self._send()
        self._transport.write_eof()

    def _send(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():  # the client may have gone since
            self._transport.write(b"".join(held))

    def __getattr__(self, name: str) -> Any:
        """Be the transport in everything else."""
        return getattr(self._transport, name)


class JoinedWritesProtocol(HttpToolsProtocol):
    """uvicorn's protocol on a JoiningTransport: `uvicorn.Config(http=JoinedWritesProtocol)`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection."""
        super().connection_made(JoiningTransport(transport, self.loop))  # type: ignore[arg-type]  # one in all but name
