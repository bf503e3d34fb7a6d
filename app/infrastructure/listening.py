"""The service's address."""

import socket

from app.infrastructure.configuration import ConfigurationError
from app.infrastructure.settings import Settings

BACKLOG = 2048
"""Connections that wait in the socket's queue, for instance while a process is started again."""


def listen(settings: Settings) -> socket.socket:
    """Bind the service's address.

    Raises:
        ConfigurationError: it cannot be had.
    """
    service = settings.service
    family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
    try:
        return socket.create_server((service.host, service.port), family=family, backlog=BACKLOG)
    except OSError as error:
        if (error.errno or 0) < 0:  # of the resolver, not of the socket
            raise ConfigurationError([f"service.host: {service.host!r} is no address of this machine"]) from None
        mistake = (
            f"service.host, service.port: {service.host}:{service.port} cannot be listened on ({error.strerror}); "
            "end what uses it, or choose another port: MARQUEE__SERVICE__PORT=8001"
        )
        raise ConfigurationError([mistake]) from None


def address(listening: socket.socket) -> str:
    """Say where a socket listens, as a URL."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
