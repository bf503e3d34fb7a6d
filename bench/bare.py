"""What `make bench-search` compares with: uvicorn, set up as the API is, with an application that does nothing.

It sends the answer that it is given, byte for byte, whatever it is asked.
"""

import argparse
import gc
from pathlib import Path
from typing import Any

import uvicorn
import uvloop


def bare(body: bytes, headers: list[tuple[bytes, bytes]]) -> Any:
    """Make the ASGI application."""
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": body}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send(end)

    return app


async def serve(app: Any, port: int) -> None:
    """Serve as `app/infrastructure/roles.py` does, option by option, until SIGTERM."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        ws="none",
    )
    gc.collect()
    gc.freeze()
    await uvicorn.Server(config).serve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--body", type=Path, required=True, help="a file with the body to send")
    parser.add_argument("--header", action="append", default=[], help="name: value; in the order to be sent")
    given = parser.parse_args()
    pairs = (header.split(": ", 1) for header in given.header)
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    uvloop.run(serve(bare(given.body.read_bytes(), headers), given.port))


if __name__ == "__main__":
    main()
