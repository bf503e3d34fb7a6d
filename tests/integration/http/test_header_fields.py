"""What is made of the fields of a head: white space around values, transfer codings, what a proxy has added."""

import json
from typing import Any

import pytest

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from tests.support.raw_client import connected, on_uvloop, refusal, served

LIMITS = ConnectionLimits(linger=0.3)
CLOSE = b"connection: close\r\n\r\n"


class Site:
    """Answers with the fields and the body that came."""

    def __init__(self) -> None:
        self.forwarded: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        fields = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        body = json.dumps({"fields": fields, "body": message["body"].decode()}).encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def answers(self, *requests: bytes) -> list[bytes]:
        """Send each on a connection of its own, and read until the server closes."""
        answers = []
        async with served(self, timeout_protocol(LIMITS, on_forwarded=self.forwarded.append)) as port:
            for request in requests:
                async with connected(port) as client:
                    await client.send(request)
                    answers.append(await client.rest())
        return answers


def sent(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\nhost: x\r\n" + fields + CLOSE + body


def told(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize("before", [b"", b" ", b"\t", b" \t "])
@pytest.mark.parametrize("behind", [b"", b" ", b"\t", b" \t \t"])
def test_white_space_around_a_value_is_no_part_of_it(before: bytes, behind: bytes) -> None:
    async def check() -> None:
        values = [b"a", b"a \t b", b"", b'"a "', b"\xa0a\xa0"]
        fields = b"".join(b"x-%d:%b%b%b\r\n" % (n, before, value, behind) for n, value in enumerate(values))

        (answer,) = await Site().answers(sent(fields))

        found = dict(told(answer)["fields"])
        assert [found[f"x-{number}"] for number in range(len(values))] == [value.decode("latin-1") for value in values]

    on_uvloop(check)


def test_white_space_around_what_frames_a_request_changes_nothing() -> None:
    async def check() -> None:
        length = sent(b"content-length:\t 2 \t\r\n", b"ab")
        chunks = sent(b"transfer-encoding: \tchunked\r\n", b"2\r\nab\r\n0\r\n\r\n")
        key = sent(b"x-api-key: mq_1 \t\r\n")
        host = b"GET / HTTP/1.1\r\nhost: \t x \t\r\n" + CLOSE

        answers = [told(answer) for answer in await Site().answers(length, chunks, key, host)]

        assert [answer["body"] for answer in answers] == ["ab", "ab", "", ""]
        assert ["x-api-key", "mq_1"] in answers[2]["fields"]
        assert answers[3]["fields"][0] == ["host", "x"]

    on_uvloop(check)


@pytest.mark.parametrize(
    "codings",
    [
        b"transfer-encoding: gzip, chunked\r\n",
        b"transfer-encoding: GZIP ,\tCHUNKED\r\n",
        b"transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: identity, chunked\r\n",
        b"transfer-encoding: x, y, chunked\r\n",
        b"transfer-encoding: , chunked\r\n",
    ],
)
def test_a_coding_that_nobody_undoes_is_refused_before_anything_is_read(codings: bytes) -> None:
    async def check() -> None:
        (answer,) = await Site().answers(sent(codings, b"2\r\nab\r\n0\r\n\r\n"))

        assert refusal(answer) == (501, "unsupported_transfer_coding")

    on_uvloop(check)


@pytest.mark.parametrize(
    "coding", [b"gzip", b"identity", b"xchunked", b"chunked;q=1", b"chunked, gzip", b"", b"chunked \t"]
)
def test_a_body_whose_end_cannot_be_known_is_refused(coding: bytes) -> None:
    async def check() -> None:
        (answer,) = await Site().answers(sent(b"transfer-encoding: %b\r\n" % coding, b"2\r\nab\r\n0\r\n\r\n"))

        assert refusal(answer) == (400, "malformed_request")

    on_uvloop(check)


def test_chunked_is_read_in_any_case() -> None:
    async def check() -> None:
        (answer,) = await Site().answers(sent(b"transfer-encoding: Chunked\r\n", b"2\r\nab\r\n0\r\n\r\n"))

        assert told(answer)["body"] == "ab"

    on_uvloop(check)


@pytest.mark.parametrize(
    "field", ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"]
)
def test_what_only_a_proxy_adds_is_heard_of_once(field: str) -> None:
    async def check() -> None:
        site = Site()
        by_proxy = sent(field.encode() + b": 192.0.2.1\r\nx-forwarded-for: 192.0.2.1\r\n")

        await site.answers(sent(b"x: y\r\n"), by_proxy, by_proxy)

        assert site.forwarded == [field.lower()]

    on_uvloop(check)
