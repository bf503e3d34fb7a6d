"""uvicorn's server, with what every answer says and with word for those who stream that it ends."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

SECURITY_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),  # of what a page embeds; what it asks by CORS is not held back
]
"""Of every answer: `uvicorn.Config(headers=SECURITY_HEADERS)`."""
EMBEDDED_PATHS = frozenset({"/marquee.js", "/marquee.d.ts"})
"""What pages of other origins embed: their answers say themselves that they may."""
MADE_KNOWN = 0.05
"""Seconds within which a connection that was accepted last is made known: a turn or two of the loop."""


class EdgeServer(uvicorn.Server):
    """A server that calls `on_shutdown` once it takes no more connections: what streams must end now, or is cut."""

    def __init__(self, config: uvicorn.Config, on_shutdown: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell those who stream, and wait for every answer in hand."""
        self._on_shutdown()
        ending = asyncio.create_task(self._end_newcomers())
        await super().shutdown(sockets)
        await ending

    async def _end_newcomers(self) -> None:
        """Tell those to end as well that were accepted, but not known yet, when uvicorn (0.54) told all the others.

        One that says nothing would else be waited for as long as answers in hand are.
        """
        await asyncio.sleep(MADE_KNOWN)
        for connection in list(self.server_state.connections):
            connection.shutdown()
