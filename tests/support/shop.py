"""A shop: pages on an origin of its own that have the tracker, and nothing else to do with Marquee."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Shop:
    """Answers every path with a page; `head` and `fields` are what the next page has."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.head = ""
        self.html = ""
        """The whole page, if it is to be another one."""
        self.fields: dict[str, str] = {}
        """Header fields."""

    def page(self, path: str) -> bytes:
        if self.html:
            return self.html.encode()
        title = path.strip("/").title() or "Home"
        return f"<!doctype html><title>{title}</title><link rel=icon href='data:,'>{self.head}<h1>{title}</h1>".encode()


class _Handler(BaseHTTPRequestHandler):
    shop: ClassVar[Shop]

    def do_GET(self) -> None:
        body = self.shop.page(self.path.partition("?")[0])
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        for name, value in self.shop.fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Let go of browsers that leave in the midst of an answer."""


@contextmanager
def a_shop() -> Iterator[Shop]:
    """Open it on a free port of loopback."""

    class Handler(_Handler):
        """Of this shop."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        Handler.shop = shop = Shop(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join(10)
