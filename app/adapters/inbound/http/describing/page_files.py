"""Files of pages: served as they are, and by a policy that lets a browser fetch nothing from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but our own files, nothing inline, nobody's frame."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A small file, in memory."""

    headers: dict[str, str]
    body: bytes = b""

    def answer(self, request: Request) -> Response:
        """Send it, unless the browser has it."""
        if self.headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(None, 304, {name: self.headers[name] for name in ("etag", "cache-control")})
        return self.whole()

    def whole(self) -> Response:
        """Send it."""
        return Response(self.body, 200, self.headers)


def read_files(folder: Path) -> dict[str, PageFile]:
    """Read the files of a page, by their names."""
    return {path.name: _read(path) for path in folder.iterdir() if path.suffix in TYPES}


def add_page(router: APIRouter, path: str, folder: str, files: Mapping[str, PageFile], missing: str) -> None:
    """Serve `page.html` at a path and every file in a folder; `missing` is what a 404 says."""

    @router.get(path, include_in_schema=False)
    async def page(request: Request) -> Response:
        return files["page.html"].answer(request)

    @router.get(f"{folder}/{{file}}", include_in_schema=False)
    async def part(request: Request, file: str) -> Response:
        if file not in files:
            raise HTTPException(404, missing)
        return files[file].answer(request)


def headers_of(path: Path, etag: str) -> dict[str, str]:
    """Say how a file is to be taken; `etag` without its quotes."""
    return {
        "content-type": TYPES[path.suffix],
        "content-security-policy": POLICY,
        "cache-control": "no-cache",  # may be kept, and is asked for each time: an upgrade shows at once
        "etag": f'"{etag}"',
    }


def _read(path: Path) -> PageFile:
    body = path.read_bytes()
    return PageFile(headers_of(path, blake2b(body, digest_size=8).hexdigest()), body)
