"""The HTTP application, put together: bare search in front, request context around FastAPI behind it."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI

from app.adapters.inbound.http.access.access_in_openapi import describe_access
from app.adapters.inbound.http.access.areas import RULES
from app.adapters.inbound.http.describing.errors import handle_errors
from app.domain.access import Area


def create_api(routers: Iterable[APIRouter], version: str, anonymous: frozenset[Area] = frozenset()) -> FastAPI:
    """Make the documented API of some routers, of which those of `anonymous` need no key.

    It lets everybody in: whoever wires it puts GuardedApp, RequestContext, IngestApp and SearchApp around it.
    """
    api = FastAPI(
        title="Marquee",
        version=version,
        description='The events backend of a marketplace. `GET /search` is the "Fever Providers API" 1.0.0.',
        redirect_slashes=False,
        docs_url=None,  # docs_router.py: FastAPI's page takes its scripts from a network
        redoc_url=None,
    )
    for router in routers:
        api.include_router(router)
    handle_errors(api)
    document = api.openapi()
    for operation in _operations(document):
        operation["responses"].pop("422", None)  # FastAPI's own 422 never leaves the service
    describe_access(document, RULES, anonymous)
    return api


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    document.get("components", {}).get("schemas", {}).pop("HTTPValidationError", None)
    document.get("components", {}).get("schemas", {}).pop("ValidationError", None)
    return (operation for path in document["paths"].values() for operation in path.values())
