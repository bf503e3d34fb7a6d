"""Pages of other origins: only those that the configuration names, and without credentials."""

import json
from typing import Any

from app.adapters.inbound.http.access.cors import with_cors
from tests.support.asgi import Sent, ask

PAGE = "https://app.example.com"


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def asked(origin: str | None, *origins: str) -> Sent:
    headers = ((b"origin", origin.encode()),) if origin else ()
    return await ask(with_cors(app, origins), "/search", headers=headers)


async def preflight(origin: str, *origins: str, method: str = "GET", headers: str = "authorization") -> Sent:
    fields = (
        (b"origin", origin.encode()),
        (b"access-control-request-method", method.encode()),
        (b"access-control-request-headers", headers.encode()),
    )
    return await ask(with_cors(app, origins), "/events", headers=fields, method="OPTIONS")


async def test_without_origins_nothing_stands_around_the_application() -> None:
    assert with_cors(app, ()) is app


async def test_a_page_of_a_named_origin_may_read_the_answer_and_the_fields_it_needs() -> None:
    sent = await asked(PAGE, PAGE)

    assert sent.body == b"hello"
    assert sent.headers[b"access-control-allow-origin"] == PAGE.encode()
    assert b"Origin" in sent.headers[b"vary"]
    exposed = sent.headers[b"access-control-expose-headers"].decode().split(", ")
    assert {"X-Request-ID", "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "Link"} == set(exposed)


async def test_a_page_of_another_origin_may_not() -> None:
    sent = await asked("https://evil.example.com", PAGE)

    assert b"access-control-allow-origin" not in sent.headers


async def test_who_is_no_page_gets_what_there_is_and_caches_keep_it_apart() -> None:
    sent = await asked(None, PAGE)

    assert (sent.status, sent.body, sent.headers[b"vary"]) == (200, b"hello", b"Origin")
    assert b"access-control-allow-origin" not in sent.headers


async def test_any_origin_may_when_the_configuration_says_so_but_never_with_credentials() -> None:
    for sent in (await asked(PAGE, "*"), await preflight(PAGE, "*")):
        assert sent.headers[b"access-control-allow-origin"] == b"*"
        assert b"access-control-allow-credentials" not in sent.headers


async def test_a_browser_that_asks_first_is_told_what_it_may_send() -> None:
    wanted = "authorization, x-api-key, x-request-id, content-type, if-none-match, last-event-id"
    for method in ("GET", "POST", "PATCH", "DELETE"):
        sent = await preflight(PAGE, PAGE, method=method, headers=wanted)

        assert sent.status == 200
        assert sent.headers[b"access-control-allow-origin"] == PAGE.encode()
        assert method in sent.headers[b"access-control-allow-methods"].decode()


async def test_a_browser_that_asks_first_for_what_may_not_be_is_refused_in_the_shape_of_every_error() -> None:
    for sent in (
        await preflight("https://evil.example.com", PAGE),
        await preflight(PAGE, PAGE, method="TRACE"),
        await preflight(PAGE, PAGE, headers="x-anything"),
    ):
        assert (sent.status, sent.headers[b"content-type"]) == (400, b"application/json")
        told = json.loads(sent.body)
        assert (told["error"]["code"], told["data"]) == ("cross_origin_refused", None)
        assert sent.headers[b"content-length"] == b"%d" % len(sent.body)
