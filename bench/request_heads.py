"""Requests as clients of different kinds write them: the same windows with other headers.

A browser's are those of Chrome 142 that asks from a page of the same site, after a reverse proxy that ends TLS,
compresses by itself (so that it asks for no encoding) and adds its own.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from uuid import UUID

Fields = Sequence[tuple[str, str]]

PLAIN: Fields = (("User-Agent", "bench"), ("Accept", "*/*"))
ZSTD: Fields = (("Accept-Encoding", "zstd"),)
CHROME_ENCODINGS: Fields = (("Accept-Encoding", "gzip, deflate, br, zstd"),)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
CLIENTS = 1_000
"""Different browsers behind a proxy whose connections serve whoever asks."""


def chrome(client: int) -> Fields:
    """Write what a browser and the proxy before us say of each request of one visitor."""
    chance = Random(client)
    return (
        ("Host", "tickets.example.com"),
        ("X-Real-IP", address := f"203.0.113.{client % 250 + 1}"),
        ("X-Forwarded-For", address),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "tickets.example.com"),
        ("X-Forwarded-Port", "443"),
        ("Via", "2.0 edge-7.example.net"),
        ("sec-ch-ua-platform", '"Windows"'),
        ("User-Agent", CHROME),
        ("sec-ch-ua", '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'),
        ("sec-ch-ua-mobile", "?0"),
        ("Accept", "application/json, text/plain, */*"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Dest", "empty"),
        ("Referer", "https://tickets.example.com/agenda?city=madrid"),
        ("Accept-Language", "es-ES,es;q=0.9,en;q=0.8"),
        ("Cookie", f"_ga=GA1.1.{chance.randrange(10**9)}.1764500000; lang=es; session={chance.getrandbits(128):032x}"),
        ("priority", "u=1, i"),
    )


def fresh_id(number: int) -> Fields:
    """Write the id that a proxy gives to a request."""
    return (("X-Request-ID", str(UUID(int=Random(number).getrandbits(128), version=4))),)


HEADS: Mapping[str, Callable[[int, int], Fields]] = {
    "plain": lambda _number, _connection: PLAIN,
    "zstd": lambda _number, _connection: (*PLAIN, *ZSTD),
    "browser": lambda _number, connection: chrome(connection),
    "browser-ids": lambda number, connection: (*chrome(connection), *fresh_id(number)),
    "browsers-mixed": lambda number, _connection: (*chrome(number % CLIENTS), *fresh_id(number)),
    "browser-zstd": lambda _number, connection: (*chrome(connection), *CHROME_ENCODINGS),
}
"""By name: the headers of the request with a number on the connection with a number."""


def requests(queries: Sequence[bytes], head: str, port: int, connections: int) -> list[list[bytes]]:
    """Write a request for each query string; a list for each connection."""
    fields_of = HEADS[head]
    written: list[list[bytes]] = [[] for _ in range(connections)]
    for number, query in enumerate(queries):
        connection = number % connections
        fields = fields_of(number, connection)
        if fields[0][0] != "Host":
            fields = (("Host", f"127.0.0.1:{port}"), *fields)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        written[connection].append(b"GET /search?%s HTTP/1.1\r\n%s\r\n" % (query, lines.encode()))
    return written
