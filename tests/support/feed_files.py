"""Feeds for the service as a process: documents, and a server whose document a test changes or withholds."""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from xml.sax.saxutils import quoteattr


def an_item(
    item: str | int,
    *,
    title: str = "Camela en concierto",
    starts: str = "2021-06-30T21:00:00",
    ends: str | None = None,
    price: str = "20.00",
    mode: str = "online",
) -> str:
    """Write one base with one item of the same id and one zone; the end defaults to an hour after the start."""
    ends = ends or (datetime.fromisoformat(starts) + timedelta(hours=1)).isoformat()
    return (
        f'<base_plan base_plan_id="{item}" sell_mode="{mode}" title={quoteattr(title)}>'
        f'<plan plan_id="{item}" plan_start_date="{starts}" plan_end_date="{ends}" '
        'sell_from="2020-07-01T00:00:00" sell_to="2021-06-30T20:00:00" sold_out="false">'
        f'<zone zone_id="1" capacity="5" price="{price}" name="Platea" numbered="true"/></plan></base_plan>'
    )


def a_feed(items: Iterable[str]) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<planList><output>{"".join(items)}</output></planList>\n'


def some_items(count: int, title: str = "Camela en concierto") -> list[str]:
    return [an_item(number, title=title) for number in range(1, count + 1)]


class FeedServer:
    """Serves `document` at `url`. While `withheld` is set, an answer stops in its middle until it is cleared."""

    def __init__(self, document: str = "") -> None:
        self.document = document
        self.halves_sent = 0
        self._go_on = threading.Event()
        self._go_on.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/feed.xml"

    def provider(self, name: str, **settings: object) -> dict[str, object]:
        """The settings of a provider that is this server."""
        return {"name": name, "url": self.url, "allow_private_networks": True, "interval": 3600, **settings}

    def withhold(self) -> None:
        """Send answers that begin from now on only by half, until `go_on`."""
        self._go_on.clear()

    def go_on(self) -> None:
        self._go_on.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        feed = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def do_GET(self) -> None:
                body = feed.document.encode()
                go_on, feed_is_whole = feed._go_on, feed._go_on.is_set()
                self.send_response(200)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if feed_is_whole:
                    self.wfile.write(body)
                    return
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                feed.halves_sent += 1
                go_on.wait(30)
                self.wfile.write(body[len(body) // 2 :])

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        return Handler
