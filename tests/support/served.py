"""An application on a real server of ours, on a port of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from app.infrastructure.roles.http_server import http_server


@asynccontextmanager
async def served(app: ASGIApp, drain: float = 1) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        server = http_server(app, drain)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield port
        finally:
            server.should_exit = True
            await serving
