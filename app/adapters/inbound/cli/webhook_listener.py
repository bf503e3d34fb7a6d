"""A receiver to try webhooks out with: it verifies what comes, prints a line for each message, and answers."""

import json
import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from app.adapters.formats.webhook_signature import is_signed
from app.adapters.inbound.cli.running import TroubleError
from app.domain.webhook_errors import InvalidWebhookError
from app.domain.webhooks import Endpoint

LARGEST = 1024 * 1024
"""Bytes of a message."""
SILENCE = 10.0
"""Seconds that a sender may take."""


def address_of(endpoint: Endpoint) -> tuple[str, int]:
    """Say where to listen for a webhook's messages: on this machine only.

    Raises:
        InvalidWebhookError: its URL is not one of this machine, or wants TLS.
    """
    parts = urlsplit(endpoint.url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        is_here = parts.scheme == "http" and ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise InvalidWebhookError("url", "`listen` is for webhooks at http://127.0.0.1:PORT/ or http://localhost:PORT/")
    return host, parts.port or 80


def listen(endpoint: Endpoint, count: int | None, now: Callable[[], datetime], say: Callable[[str], None]) -> None:
    """Receive messages until there were `count` good ones (None: for ever).

    Raises:
        InvalidWebhookError: as in `address_of`.
        TroubleError: the address cannot be had.
    """
    heard = 0

    class Receiver(BaseHTTPRequestHandler):
        timeout = SILENCE

        def do_POST(self) -> None:
            nonlocal heard
            length = self.headers.get("content-length", "")
            body = self.rfile.read(int(length)) if length.isdigit() and int(length) <= LARGEST else b""
            headers = {name.lower(): value for name, value in self.headers.items()}
            good = is_signed(headers, body, endpoint.signing(now()), now())
            heard += good
            for line in _told(body) if good else [f"SIGNATURE WRONG, from {self.client_address[0]}"]:
                say(line)
            self.send_response(204 if good else 401)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the library's own lines to itself."""

    host, port = address_of(endpoint)

    class Server(HTTPServer):
        address_family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6

    try:
        bound = Server((host, port), Receiver)
    except OSError as error:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        advice = "end what uses it, or add a webhook with another port"
        raise TroubleError(f"{address} cannot be listened on ({error.strerror}); {advice}") from None
    with bound as server:
        say(f"listening for {endpoint.name} at {endpoint.url}; Ctrl-C ends it")
        while count is None or heard < count:
            server.handle_request()


def _told(body: bytes) -> Sequence[str]:
    envelope = json.loads(body)
    return (
        f"signature verified  {envelope['type']}  {envelope['subject']}",
        f"  {json.dumps(envelope['data'], ensure_ascii=False)}",
    )
