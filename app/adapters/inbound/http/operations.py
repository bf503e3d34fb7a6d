"""Who may use the routes of operators."""

from collections.abc import Callable
from typing import Any

from fastapi import Request

from app.adapters.inbound.http.errors import ForeignPageError, OperationsClosedError
from app.adapters.inbound.http.search_router import ErrorAnswer

CLOSED: dict[int | str, dict[str, Any]] = {403: {"model": ErrorAnswer, "description": "Operations are closed"}}


def require_open(operations_open: Callable[[], bool]) -> None:
    """Let a request pass where operators' routes are open.

    Raises:
        OperationsClosedError: they are not.
    """
    if not operations_open():
        raise OperationsClosedError


def refuse_foreign_pages(request: Request) -> None:
    """Refuse what a browser sends for a page of somebody else: being on loopback is no consent (Fetch Metadata).

    Raises:
        ForeignPageError: a browser says so.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ForeignPageError
