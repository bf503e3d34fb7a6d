"""`/docs`: Swagger UI over `/openapi.json`, from files of our own and of a package, without anything from a network.

As with the dashboard, the page and its scripts say nothing and need no key; what they show does, where it is not open.
"""

import asyncio
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.http.describing.page_files import PageFile, add_page, headers_of, read_files

FILES = Path(__file__).parent / "docs"
PACKAGE = "fastapi_standalone_docs"
"""Only for the files of Swagger UI that it carries."""
PIECE = 64 * 1024
"""Bytes of a file that are read at once."""
SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwaggerFile(PageFile):
    """A file of the package: large, and read from the disk by those few who ask for it."""

    path: Path

    def whole(self) -> Response:
        """Send it bit by bit."""
        return FileInPieces(self.path, self.headers)


class FileInPieces(Response):
    """A file, of which no more is in memory than the client is about to take."""

    def __init__(self, path: Path, headers: dict[str, str]) -> None:
        super().__init__(headers={**headers, "content-length": str(path.stat().st_size)})
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Read and send in turns; what is sent soon stands in the system's cache, so to read waits for nothing."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with self._path.open("rb") as file:
            while piece := file.read(PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)  # `send` waits for a full socket only once what was written is on its way
        await send({"type": "http.response.body"})


def docs_router() -> APIRouter:
    """Make the routes."""
    files = {**read_files(FILES), **{name: _swagger_file(name) for name in SWAGGER}}
    router = APIRouter(include_in_schema=False)
    add_page(router, "/docs", "/docs", files, "the docs have no such file")
    return router


def _swagger_file(name: str) -> SwaggerFile:
    path = _package() / "static" / "swagger" / name
    found = path.stat()
    return SwaggerFile(headers_of(path, f"{found.st_size:x}-{found.st_mtime_ns:x}"), path=path)


def _package() -> Path:
    """Find the package, without its code."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no {PACKAGE}: install Marquee again")
    return Path(spec.submodule_search_locations[0])
