"""The dashboard: a page of plain files without any figure in them, and the state that its script asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from app.adapters.inbound.http.client_address import Network, caller_of
from app.adapters.inbound.http.dashboard_answer import DashboardAnswer, joined
from app.adapters.inbound.http.dashboard_stream import Viewers
from app.adapters.inbound.http.errors import JSON
from app.adapters.inbound.http.guarded_app import still_admitted

FILES = Path(__file__).parent / "dashboard"
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
    """A file of the page."""

    body: bytes
    headers: dict[str, str]


def dashboard_router(viewers: Viewers, trusted_proxies: Sequence[Network] = ()) -> APIRouter:
    """Make the routes."""
    files = {path.name: _read(path) for path in FILES.iterdir() if path.suffix in TYPES}
    router = APIRouter(tags=["dashboard"])

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return _answer(request, files["page.html"])

    @router.get(
        "/dashboard/state",
        response_model=DashboardAnswer,
        summary="Everything that the dashboard shows",
        description=(
            "`GET /dashboard/stream` tells the same as server-sent events named `state`: the first has all of it, the "
            "ones after, one a second, have `at` and the sections that have changed."
        ),
    )
    async def state() -> Response:
        return Response(joined(await viewers.look()), media_type=JSON, headers={"cache-control": "no-store"})

    @router.get("/dashboard/stream", include_in_schema=False)  # without an end, which no client of a document expects
    async def stream(request: Request) -> Response:
        return viewers.stream(
            caller_of(request.scope.get("principal"), request.scope, trusted_proxies), still_admitted(request.scope)
        )

    @router.get("/dashboard/{file}", include_in_schema=False)
    async def part(request: Request, file: str) -> Response:
        found = files.get(file)
        if found is None:
            raise HTTPException(404, "the dashboard has no such file")
        return _answer(request, found)

    return router


def _read(path: Path) -> PageFile:
    body = path.read_bytes()
    headers = {
        "content-type": TYPES[path.suffix],
        "content-security-policy": POLICY,
        "cache-control": "no-cache",  # may be kept, and is asked for each time: an upgrade shows at once
        "etag": f'"{blake2b(body, digest_size=8).hexdigest()}"',
    }
    return PageFile(body, headers)


def _answer(request: Request, file: PageFile) -> Response:
    if file.headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(None, 304, {name: file.headers[name] for name in ("etag", "cache-control")})
    return Response(file.body, 200, file.headers)
