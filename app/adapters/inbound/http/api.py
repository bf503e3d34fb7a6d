"""The HTTP application, put together: bare search in front, request context around FastAPI behind it."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.adapters.inbound.http.access.access_in_openapi import describe_access
from app.adapters.inbound.http.access.areas import RULES
from app.adapters.inbound.http.describing.answers import error_reply
from app.adapters.inbound.http.error_table import ERRORS
from app.domain.access import Area

HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
SUBJECTS = {
    "search": "Plans in a range of time, by the contract of others",
    "catalog": "What is known of plans and providers, and every change of it",
    "activities": "What visitors did, on its way in",
    "stats": "What visitors did, counted",
    "users": "Who may do what, and their keys",
    "webhooks": "Who is told what changes, and what visitors do",
    "dashboard": "What the dashboard shows",
    "operations": "How the service fares",
}


def create_api(routers: Iterable[APIRouter], version: str, anonymous: frozenset[Area] = frozenset()) -> FastAPI:
    """Make the documented API of some routers, of which those of `anonymous` need no key.

    It lets everybody in: whoever wires it puts GuardedApp, RequestContext, IngestApp and SearchApp around it.
    """
    api = FastAPI(
        title="Marquee",
        version=version,
        description='The events backend of a marketplace. `GET /search` is the "Fever Providers API" 1.0.0.',
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/", "description": "Where this document came from"}],
        openapi_tags=[{"name": name, "description": text} for name, text in SUBJECTS.items()],
        redirect_slashes=False,
        docs_url=None,  # docs_router.py: FastAPI's page takes its scripts from a network
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in routers:
        api.include_router(router)
    _handle_errors(api)
    document = api.openapi()
    for operation in _operations(document):
        operation["responses"].pop("422", None)  # FastAPI's own 422 never leaves the service
    describe_access(document, RULES, anonymous)
    for schema in document["components"]["schemas"].values():
        _say_null_as_a_constant(schema)
    return api


def _say_null_as_a_constant(schema: dict[str, Any]) -> None:
    """Generators of clients know no fields that are of the type null alone; the constant means the same."""
    for field in schema.get("properties", {}).values():
        if field.get("type") == "null":
            del field["type"]
            field["const"] = None


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    document.get("components", {}).get("schemas", {}).pop("HTTPValidationError", None)
    document.get("components", {}).get("schemas", {}).pop("ValidationError", None)
    return (operation for path in document["paths"].values() for operation in path.values())


def _handle_errors(api: FastAPI) -> None:
    """Give every error of every route the contract's shape."""

    async def known(_request: Request, error: Exception) -> Response:
        return ERRORS.reply(error).response()

    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        words = "; ".join(f"{'.'.join(map(str, p['loc'][1:]))}: {p['msg']}" for p in error.errors())
        return error_reply(400, "invalid_request", words).response()

    async def plain(_request: Request, error: HTTPException) -> Response:
        code = HTTP_CODES.get(error.status_code, f"http_{error.status_code}")
        response = error_reply(error.status_code, code, error.detail).response()
        response.headers.update(error.headers or {})
        return response

    for kind in (*ERRORS, Exception):
        api.add_exception_handler(kind, known)
    api.exception_handler(RequestValidationError)(invalid)
    api.exception_handler(HTTPException)(plain)
