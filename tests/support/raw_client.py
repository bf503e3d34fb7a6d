"""A client that sends bytes as it likes, and a server to send them to."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from app.infrastructure.roles.http_server import http_server


@asynccontextmanager
async def served(
    app: Any, protocol: Any, *, drain: float = 1, on_shutdown: Callable[[], None] = lambda: None
) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        server = http_server(app, drain, protocol, on_shutdown)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield port
        finally:
            server.should_exit = True
            await serving


def on_uvloop(work: Callable[[], Awaitable[None]]) -> None:
    """Run on the loop that the API runs on."""

    async def awaited() -> None:
        async with asyncio.timeout(30):
            await work()

    uvloop.run(awaited())


@dataclass
class RawClient:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def trickle(self, data: bytes, *, every: float) -> None:
        """Send byte for byte until the server has had enough."""
        try:
            for at in range(len(data)):
                await self.send(data[at : at + 1])
                await asyncio.sleep(every)
        except (OSError, RuntimeError):  # the latter is uvloop's word for a transport that has been closed
            pass

    async def rest(self, within: float = 5) -> bytes:
        """Read until the server closes; what came before a reset counts."""
        received = b""
        async with asyncio.timeout(within):
            while True:
                try:
                    piece = await self.reader.read(65536)
                except OSError:
                    return received
                if not piece:
                    return received
                received += piece

    async def until(self, end: bytes, within: float = 5) -> bytes:
        async with asyncio.timeout(within):
            return await self.reader.readuntil(end)

    def cut(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def connected(
    port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None
) -> AsyncIterator[RawClient]:
    sock = socket.socket()
    sock.bind((source, 0))
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)  # noqa: FBT003 - the socket's own method
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


def refusal(answer: bytes) -> tuple[int, str]:
    """Read the status and the code of a refusal; it has the one shape of every error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    told = json.loads(body)
    assert "content-type: application/json" in fields
    assert "connection: close" in fields
    assert f"content-length: {len(body)}" in fields
    assert told["data"] is None
    assert set(told["error"]) == {"code", "message"}
    return int(status.split(" ")[1]), told["error"]["code"]
