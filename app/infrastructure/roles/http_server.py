"""The HTTP server of an ASGI application, as the API processes run it."""

from collections.abc import Callable
from typing import Any

import uvicorn

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits, room_for_connections
from app.adapters.inbound.http.connection.edge_server import SECURITY_HEADERS, EdgeServer
from app.adapters.inbound.http.connection.joined_writes import JoinedWritesProtocol
from app.adapters.inbound.http.connection.quick_answers import QuickAnswers
from app.adapters.inbound.http.connection.quick_protocol import quick_protocol
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.access_warnings import warn_of_proxy


def api_server(
    settings: Settings,
    app: Any,
    quick: QuickAnswers | None,
    on_cut: Callable[[str], None],
    on_shutdown: Callable[[], None],
) -> uvicorn.Server:
    """Make the server of the API, with the limits of the settings around it, and `quick` in front."""
    service = settings.service
    limits = ConnectionLimits(
        header_timeout=service.header_timeout,
        body_timeout=service.body_timeout,
        keep_alive_timeout=service.keep_alive_timeout,
        max_header_bytes=service.max_header_bytes,
        max_connections=room_for_connections(),
    )
    on_forwarded = warn_of_proxy(settings)
    if quick is None:
        protocol = timeout_protocol(limits, on_cut, on_forwarded)
    else:
        protocol = quick_protocol(quick, limits, on_cut, on_forwarded)
    return http_server(app, service.drain, protocol, on_shutdown)


def http_server(
    app: Any, drain: float, protocol: Any = JoinedWritesProtocol, on_shutdown: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """Make the server of an ASGI application; one that is told to end answers what is in hand for `drain` seconds."""
    config = uvicorn.Config(
        app,
        http=protocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        ws="none",
        headers=SECURITY_HEADERS,
        timeout_graceful_shutdown=max(1, int(drain)),
    )
    return EdgeServer(config, on_shutdown)
