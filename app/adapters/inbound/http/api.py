"""The HTTP application, put together: bare search in front, request context around FastAPI behind it."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI

from app.adapters.inbound.http.errors import handle_errors


def create_api(routers: Iterable[APIRouter], version: str) -> FastAPI:
    """Make the documented API of some routers; whoever wires it puts SearchApp and RequestContext around it."""
    api = FastAPI(
        title="Marquee",
        version=version,
        description='The events backend of a marketplace. `GET /search` is the "Fever Providers API" 1.0.0.',
        redirect_slashes=False,
    )
    for router in routers:
        api.include_router(router)
    handle_errors(api)
    for operation in _operations(api.openapi()):
        operation["responses"].pop("422", None)  # FastAPI's own 422 never leaves the service
    return api


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    document.get("components", {}).get("schemas", {}).pop("HTTPValidationError", None)
    document.get("components", {}).get("schemas", {}).pop("ValidationError", None)
    return (operation for path in document["paths"].values() for operation in path.values())
