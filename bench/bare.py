"""What `make bench-search` compares with: uvicorn, set up as the API is, with an application that does nothing.

It sends the answer that it is given, byte for byte, whatever it is asked; by uvicorn's own protocol, or by ours.
"""

import argparse
import socket
from pathlib import Path
from typing import Any

import uvloop

from app.adapters.inbound.http.connection.joined_writes import JoinedWritesProtocol
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.roles.http_server import http_server


def bare(body: bytes, headers: list[tuple[bytes, bytes]]) -> Any:
    """Make the ASGI application."""
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": body}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send(end)

    return app


async def serve(app: Any, port: int, protocol: Any) -> None:
    """Serve as `app/infrastructure/roles/http_server.py` does until SIGTERM."""
    with socket.create_server(("127.0.0.1", port), backlog=2048) as listening:
        freeze_loaded_objects()
        await http_server(app, 1, protocol).serve(sockets=[listening])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--body", type=Path, required=True, help="a file with the body to send")
    parser.add_argument("--header", action="append", default=[], help="name: value; in the order to be sent")
    parser.add_argument("--ours", action="store_true", help="send head and body in one write, as the API does")
    given = parser.parse_args()
    pairs = (header.split(": ", 1) for header in given.header)
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    uvloop.run(
        serve(bare(given.body.read_bytes(), headers), given.port, JoinedWritesProtocol if given.ours else "httptools")
    )


if __name__ == "__main__":
    main()
