"""uvicorn's server, with what every answer says and with word for those who stream that it ends."""

import socket
from collections.abc import Callable

import uvicorn

SECURITY_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),  # of what a page embeds; what it asks by CORS is not held back
]
"""Of every answer: `uvicorn.Config(headers=SECURITY_HEADERS)`."""


class EdgeServer(uvicorn.Server):
    """A server that calls `on_shutdown` once it takes no more connections: what streams must end now, or is cut."""

    def __init__(self, config: uvicorn.Config, on_shutdown: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell those who stream, and wait for every answer in hand."""
        self._on_shutdown()
        await super().shutdown(sockets)
