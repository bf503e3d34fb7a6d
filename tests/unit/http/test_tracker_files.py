"""The tracker's files: as small as promised, cached, and free to be loaded by pages of other origins."""

import gzip
import sys

import pytest
from fastapi import FastAPI

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.describing.content_codings import CODINGS
from app.adapters.inbound.http.tracker.tracker_router import FILES, tracker_router
from tests.support.asgi import ask

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST = 2000
"""Bytes on the wire: 2 kB."""
DECODED = {b"gzip": gzip.decompress, b"zstd": zstd.decompress}


@pytest.fixture(scope="module")
def api() -> FastAPI:
    return create_api([tracker_router()], "test")


def test_the_script_has_at_most_2_kb_by_gzip() -> None:
    assert len(gzip.compress((FILES / "marquee.js").read_bytes(), 9)) <= MOST


@pytest.mark.parametrize("coding", [coding.name for coding in CODINGS])
async def test_the_script_has_at_most_2_kb_in_each_coding_as_it_is_sent(api: FastAPI, coding: bytes) -> None:
    sent = await ask(api, "/marquee.js", headers=((b"accept-encoding", coding),))

    assert sent.headers[b"content-encoding"] == coding
    assert int(sent.headers[b"content-length"]) == len(sent.body) <= MOST
    assert DECODED[coding](sent.body) == (FILES / "marquee.js").read_bytes()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/marquee.js", b"text/javascript; charset=utf-8"), ("/marquee.d.ts", b"text/plain; charset=utf-8")],
)
async def test_each_file_is_kept_for_an_hour_and_embedded_by_whoever_wants_to(
    api: FastAPI, path: str, kind: bytes
) -> None:
    sent = await ask(api, path)

    assert (sent.status, sent.headers[b"content-type"]) == (200, kind)
    assert sent.body == (FILES / path[1:]).read_bytes()
    assert sent.headers[b"cache-control"] == b"public, max-age=3600"
    assert sent.headers[b"vary"] == b"accept-encoding"
    assert sent.headers[b"access-control-allow-origin"] == b"*"
    assert sent.headers[b"cross-origin-resource-policy"] == b"cross-origin"


@pytest.mark.parametrize("coding", [b"identity", b"zstd", b"gzip"])
async def test_a_browser_that_has_the_file_in_its_coding_does_not_get_it_again(api: FastAPI, coding: bytes) -> None:
    accepting = (b"accept-encoding", coding)
    tag = (await ask(api, "/marquee.js", headers=(accepting,))).headers[b"etag"]

    again = await ask(api, "/marquee.js", headers=(accepting, (b"if-none-match", tag)))
    other = await ask(api, "/marquee.js", headers=(accepting, (b"if-none-match", b'"other"')))

    assert (again.status, again.body, again.headers[b"etag"]) == (304, b"", tag)
    assert again.headers[b"cache-control"] == b"public, max-age=3600"
    assert (other.status, other.headers[b"etag"]) == (200, tag)


async def test_each_coding_has_a_tag_of_its_own(api: FastAPI) -> None:
    sent = [await ask(api, "/marquee.js", headers=((b"accept-encoding", c),)) for c in (b"identity", b"zstd", b"gzip")]

    assert len({answer.headers[b"etag"] for answer in sent}) == 3
