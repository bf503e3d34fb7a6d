"""What `make bench-search` compares with: uvicorn as it comes, with an application that does nothing.

It sends the answer that it is given, byte for byte, whatever it is asked. Nothing is set but the fast parser, the fast
loop and no log of requests, so uvicorn adds its `date` and its `server`, and reads what a proxy says of the client;
`--lean` leaves out what it can, as the API does.
"""

import argparse
import socket
from pathlib import Path
from typing import Any

import uvicorn


def bare(body: bytes, headers: list[tuple[bytes, bytes]]) -> Any:
    """Make the ASGI application."""
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": body}

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send(start)
            await send(end)

    return app


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--body", type=Path, required=True, help="a file with the body to send")
    parser.add_argument("--header", action="append", default=[], help="name: value; in the order to be sent")
    parser.add_argument("--lean", action="store_true", help="read no proxy's headers, send no name of the server")
    given = parser.parse_args()
    pairs = (header.split(": ", 1) for header in given.header)
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    app = bare(given.body.read_bytes(), headers)
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        access_log=False,
        proxy_headers=not given.lean,
        server_header=not given.lean,
    )
    with socket.create_server(("127.0.0.1", given.port), backlog=2048) as listening:
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
