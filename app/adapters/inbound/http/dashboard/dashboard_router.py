"""The dashboard: a page of plain files without any figure in them, and the state that its script asks for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.adapters.inbound.http.access.guarded_app import still_admitted
from app.adapters.inbound.http.access.stream_urls import StreamUrl, stream_url
from app.adapters.inbound.http.connection.client_address import Network, caller_of
from app.adapters.inbound.http.dashboard.dashboard_answer import DashboardAnswer, joined
from app.adapters.inbound.http.dashboard.dashboard_stream import Viewers
from app.adapters.inbound.http.describing.answers import JSON
from app.adapters.inbound.http.describing.page_files import add_page, read_files

FILES = Path(__file__).parent / "page"


def dashboard_router(viewers: Viewers, trusted_proxies: Sequence[Network] = ()) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["dashboard"])

    @router.get(
        "/dashboard/state",
        response_model=DashboardAnswer,
        summary="Everything on the dashboard that is of now",
        description=(
            "`GET /dashboard/stream` tells the same as server-sent events named `state`: the first has all of it, the "
            "ones after, one a second, have `at` and the sections that have changed."
        ),
    )
    async def get_dashboard_state() -> Response:
        return Response(joined(await viewers.look()), media_type=JSON, headers={"cache-control": "no-store"})

    @router.get("/dashboard/stream", include_in_schema=False)  # without an end, which no client of a document expects
    async def stream(
        request: Request,
        _url: Annotated[StreamUrl, Depends(stream_url)],  # no last id counts: all is told anew
    ) -> Response:
        return viewers.stream(
            caller_of(request.scope.get("principal"), request.scope, trusted_proxies), still_admitted(request.scope)
        )

    add_page(router, "/", "/dashboard", read_files(FILES), "the dashboard has no such file")
    return router
