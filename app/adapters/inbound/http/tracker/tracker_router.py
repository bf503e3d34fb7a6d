"""`GET /marquee.js`: the script by which pages of shops tell what their visitors do (ADR 0094), and its types."""

from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.adapters.inbound.http.tracker.script_files import ScriptFile

FILES = Path(__file__).parent / "script"
SCRIPT, TYPES = "/marquee.js", "/marquee.d.ts"


def tracker_router() -> APIRouter:
    """Make the routes."""
    script = ScriptFile.of((FILES / "marquee.js").read_bytes(), "text/javascript; charset=utf-8")
    types = ScriptFile.of((FILES / "marquee.d.ts").read_bytes(), "text/plain; charset=utf-8")
    router = APIRouter(include_in_schema=False)

    @router.get(SCRIPT)
    async def get_tracker(request: Request) -> Response:
        return script.answer(request)

    @router.get(TYPES)
    async def get_tracker_types(request: Request) -> Response:
        return types.answer(request)

    return router
