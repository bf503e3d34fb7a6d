"""The files of `/docs`: whole, under the dashboard's policy, and sent once to a browser that keeps them."""

import pytest
from fastapi import FastAPI

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.describing.page_files import POLICY
from app.adapters.inbound.http.operations.docs_router import docs_router
from tests.support.asgi import ask

FILES = {
    "/docs": "text/html; charset=utf-8",
    "/docs/docs.js": "text/javascript; charset=utf-8",
    "/docs/docs.css": "text/css; charset=utf-8",
    "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "/docs/swagger-ui.css": "text/css; charset=utf-8",
}


@pytest.fixture(scope="module")
def api() -> FastAPI:
    return create_api([docs_router()], "test")


@pytest.mark.parametrize(("path", "kind"), FILES.items())
async def test_each_file_is_there_under_the_policy_and_sent_once(api: FastAPI, path: str, kind: str) -> None:
    first = await ask(api, path)
    again = await ask(api, path, headers=((b"if-none-match", first.headers[b"etag"]),))

    assert (first.status, first.headers[b"content-type"].decode()) == (200, kind)
    assert first.headers[b"content-security-policy"].decode() == POLICY
    assert first.headers[b"cache-control"] == b"no-cache"
    assert int(first.headers[b"content-length"]) == len(first.body) > 0
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/nothing.js", "/docs/page.htm", "/docs/__init__.py", "/redoc"])
async def test_there_is_nothing_else(api: FastAPI, path: str) -> None:
    assert (await ask(api, path)).status == 404


async def test_the_page_names_no_other_host_and_has_nothing_inline(api: FastAPI) -> None:
    page = (await ask(api, "/docs")).body.decode()

    assert "//" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')
