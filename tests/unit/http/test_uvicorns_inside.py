"""What the protocol knows of uvicorn's inside. When the pin moves, this says what to look at before it may.

The protocols of `app/adapters/inbound/http/connection` stand on these. Read uvicorn's `httptools_impl.py`,
`flow_control.py` and `server.py` beside each test that fails here.
"""

import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

from app.infrastructure.roles.http_server import http_server

ROOT = Path(__file__).parents[3]
KNOWN = "0.54.0"


async def nothing(_scope: object, _receive: object, _send: object) -> None:
    raise AssertionError("nobody asks")


def source(of: object) -> str:
    return re.sub(r"\s+", " ", inspect.getsource(of))  # type: ignore[arg-type]  # a class or a function


def test_the_version_whose_inside_is_known_is_the_one_that_is_pinned() -> None:
    """Move all three together, once the tests below are looked through."""
    assert version("uvicorn") == KNOWN
    assert f'"uvicorn[standard]=={KNOWN}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"\nuvicorn=={KNOWN} " in (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("of", "said", "why"),
    [
        (
            HttpToolsProtocol.data_received,
            "self._unset_keepalive_if_required() try: self.parser.feed_data(data)",
            "a request that is answered quickly passes neither; it ends the wait for a next request itself",
        ),
        (
            HttpToolsProtocol.on_message_begin,
            "self.headers = [] self.scope = {",
            "a new scope at the first byte of a head tells that one is half read",
        ),
        (
            HttpToolsProtocol.on_headers_complete,
            "existing_cycle is None or existing_cycle.response_complete",
            "a request waits for the one before: a quick answer never overtakes",
        ),
        (
            HttpToolsProtocol.on_headers_complete,
            'keep_alive=http_version != "1.0" and self.parser.should_keep_alive()',
            "after such a request nothing is answered quickly",
        ),
        (
            HttpToolsProtocol.on_response_complete,
            "self.server_state.total_requests += 1 if self.transport.is_closing(): return",
            "a quick answer is counted alike",
        ),
        (
            HttpToolsProtocol.shutdown,
            "if self.cycle is None or self.cycle.response_complete: self.transport.close()",
            "a connection that was only answered quickly is closed when the server ends",
        ),
        (
            RequestResponseCycle.send,
            "content = [STATUS_LINE[status_code]]",
            "a quick answer begins alike, and its default fields come first",
        ),
        (
            RequestResponseCycle.send,
            'headers = self.default_headers + list(message.get("headers", []))',
            "the same, in the same order",
        ),
        (FlowControl.pause_writing, "self.write_paused = True", "then nothing is answered quickly"),
        (
            Server.on_tick,
            "self.server_state.default_headers = date_header + self.config.encoded_headers",
            "a new list when the date changes: rendered once, it is known again by being the same",
        ),
    ],
    ids=lambda given: given.__qualname__ if inspect.isfunction(given) else None,
)
def test_uvicorn_does_what_the_protocol_stands_on(of: object, said: str, why: str) -> None:
    assert said in source(of), f"{why}: read it anew"


async def test_what_is_configured_leaves_uvicorn_nothing_to_do_for_an_answer() -> None:
    """No line for each request, no limit on what goes on at once, no path in front: quick answers know none of them."""
    config: uvicorn.Config = http_server(nothing, 1).config
    config.load()
    protocol = HttpToolsProtocol(config=config, server_state=ServerState(), app_state={})

    assert not protocol.access_log
    assert protocol.limit_concurrency is None
    assert protocol.root_path == ""
    assert config.limit_max_requests is None


def test_a_status_line_is_whole() -> None:
    assert STATUS_LINE[200] == b"HTTP/1.1 200 OK\r\n"
