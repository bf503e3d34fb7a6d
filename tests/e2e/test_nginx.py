"""The recipe for nginx, in front of a real service: Debian's nginx with `deploy/nginx/marquee.conf` as it stands."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.support.decoded import decoded
from tests.support.ports import free_port
from tests.support.service import REPOSITORY, Answer, Installation, Service, ask
from tests.support.waiting import until

RECIPE = REPOSITORY / "deploy" / "nginx" / "marquee.conf"
NAME = "events.example.com"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx (Debian's package nginx-light)")

AROUND = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/marquee.conf;
    proxy_cache_path {folder}/cache keys_zone=answers:1m;
    server {{
        listen unix:{folder}/cache.sock;
        location / {{
            proxy_pass http://marquee;
            proxy_set_header Host $host;
            proxy_cache answers;
            proxy_cache_valid 200 1h;
            add_header X-Cache $upstream_cache_status;
        }}
    }}
}}
"""
"""Beside the recipe a server with a cache, which keeps answers by their Vary."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service on loopback, closed as the recipe says."""
    with Installation() as installation:
        installation.configure(
            {"name": "demo", "url": (REPOSITORY / "tests/data/dialect_a_1.xml").as_uri(), "timezone": "Europe/Madrid"},
            security={"anonymous": ["search", "health", "catalog"], "hosts": [NAME], "trusted_proxies": ["127.0.0.1"]},
            rate_limits={"reads": {"per_second": 0.01, "burst": 20}},
        )
        service = installation.run()
        until(lambda: service.finds(title="Pantomima Full"))
        yield service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where nginx has its files."""
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def proxy(service: Service, folder: Path) -> Iterator[int]:
    """The port on which nginx listens."""
    port = free_port()
    recipe = RECIPE.read_text(encoding="utf-8")
    assert service.url
    recipe = replaced(recipe, "server 127.0.0.1:8000;", f"server {service.url.removeprefix('http://')};")
    recipe = replaced(recipe, "listen 80;", f"listen 127.0.0.1:{port};")
    (folder / "marquee.conf").write_text(recipe)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    process = subprocess.Popen(
        [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")], stdin=subprocess.DEVNULL
    )
    try:
        until(lambda: answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"the recipe has no {old!r}"
    return text.replace(old, new)


def answers(port: int) -> bool:
    try:
        return through(port, "/health/live").status == 200
    except OSError:
        return False


def through(port: int, target: str, **headers: str) -> Answer:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest("GET", target, skip_host=True)
        for name, value in {"Host": NAME, **named}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())


def test_a_search_through_nginx_has_the_same_bytes(service: Service, proxy: int) -> None:
    direct, found = service.ask("/search"), through(proxy, "/search")

    assert found.status == 200
    assert found.body == direct.body
    assert found.headers["etag"] == direct.headers["etag"]
    assert through(proxy, "/search", If_None_Match=found.headers["etag"]).status == 304


def test_a_cache_keeps_a_search_for_each_encoding(proxy: int, folder: Path) -> None:
    plain = through(proxy, "/search")
    encodings = ("gzip, identity;q=0", "zstd, identity;q=0", "gzip;q=0.5, zstd, identity;q=0")

    asked = [from_cache(folder, encoding) for encoding in (*encodings, None, *encodings, None)]

    assert [answer.headers["x-cache"] for answer in asked] == ["MISS"] * 4 + ["HIT"] * 4
    for answer, coding in zip(asked, (b"gzip", b"zstd", b"zstd", None) * 2, strict=True):
        assert decoded(answer.body, coding) == plain.body
        assert answer.headers.get("content-encoding") == (coding and coding.decode())
        assert (answer.headers["etag"] == plain.headers["etag"]) == (coding is None)


def from_cache(folder: Path, encoding: str | None) -> Answer:
    with closing(socket.socket(socket.AF_UNIX)) as connected:
        connected.settimeout(30)
        connected.connect(str(folder / "cache.sock"))
        accepting = f"Accept-Encoding: {encoding}\r\n" if encoding else ""
        connected.sendall(f"GET /search HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n{accepting}\r\n".encode())
        response = HTTPResponse(connected)
        response.begin()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def test_what_is_closed_stays_closed_behind_nginx(proxy: int) -> None:
    assert through(proxy, "/stats").status == 401
    assert through(proxy, "/stats", X_Forwarded_For="127.0.0.1", Forwarded="for=127.0.0.1").status == 401


def test_a_stream_is_not_held_back(proxy: int) -> None:
    with closing(HTTPConnection("127.0.0.1", proxy, timeout=10)) as connection:
        connection.request("GET", "/catalog/changes", headers={"Host": NAME, "Accept": "text/event-stream"})
        response = connection.getresponse()
        first: Any = response.readline()

    assert response.status == 200
    assert re.match(rb"(id|event|data|retry):", first)


def test_the_client_that_nginx_sees_is_counted_whatever_it_says_of_itself(service: Service, proxy: int) -> None:
    statuses = [through(proxy, "/catalog/providers", X_Forwarded_For=f"203.0.113.{n}").status for n in range(25)]

    assert statuses.count(429) >= 4
    assert statuses[0] == 200
    with closing(service.connect()) as connection:
        other = ask(connection, "/catalog/providers", headers={"X-Forwarded-For": "198.51.100.7"})
    assert other.status == 200, "another client behind the proxy has a limit of its own"
