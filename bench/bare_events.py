"""What `make bench-ingest` compares single activities with: FastAPI that validates the model and does nothing.

The model is ours but for the value: FastAPI hands pydantic a float, where our door keeps the digits.
"""

import argparse
import socket

import uvicorn
import uvloop
from fastapi import FastAPI

from app.adapters.inbound.reading.activity_fields import ActivityFields
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects


class Fields(ActivityFields):
    """The same fields and rules; a value may be a float."""

    value: float | None = None  # type: ignore[assignment] # narrower on purpose


def bare() -> FastAPI:
    """Make the application."""
    app = FastAPI()

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/events", status_code=202)
    async def events(activity: Fields) -> dict[str, str]:
        return {"id": str(activity.id), "status": "accepted"}

    return app


async def serve(port: int) -> None:
    """Serve as uvicorn does by itself, without its access log."""
    with socket.create_server(("127.0.0.1", port), backlog=2048) as listening:
        freeze_loaded_objects()
        await uvicorn.Server(uvicorn.Config(bare(), access_log=False, log_level="warning")).serve(sockets=[listening])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
