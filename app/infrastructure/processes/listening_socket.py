"""The service's address."""

import asyncio
import errno
import socket
import time

import structlog

from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import EX_TEMPFAIL, ConfigurationError, StartError

log = structlog.get_logger()

ADDRESS_TIMEOUT = 5.0
"""Seconds that an address in use is tried for: processes of a supervisor that was killed may hold it for a moment."""
_POLL = 0.1
BACKLOG = 2048
"""Connections that wait in the socket's queue, for instance while a process is started again."""


class AddressTakenError(StartError):
    """Somebody else listens on the service's address, and goes on doing so; the message says what to do."""

    exit_code = EX_TEMPFAIL


async def listen(settings: Settings) -> socket.socket:
    """Bind the service's address; one that is in use is tried for ADDRESS_TIMEOUT.

    Raises:
        ConfigurationError: it cannot be had.
        AddressTakenError: it stays in use.
    """
    deadline = time.monotonic() + ADDRESS_TIMEOUT
    told = False
    while True:
        try:
            return bind(settings)
        except AddressTakenError:
            if time.monotonic() > deadline:
                raise
        if not told:
            log.warning("the address is in use; it is tried again for a while", seconds=ADDRESS_TIMEOUT)
        told = True
        await asyncio.sleep(_POLL)


def bind(settings: Settings) -> socket.socket:
    """Bind the service's address, at once or not at all.

    Raises:
        ConfigurationError: it cannot be had.
        AddressTakenError: it is in use.
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
        if error.errno == errno.EADDRINUSE:
            raise AddressTakenError(mistake) from None
        raise ConfigurationError([mistake]) from None


def address(listening: socket.socket) -> str:
    """Say where a socket listens, as a URL."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
