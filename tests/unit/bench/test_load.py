"""The load generators: what they send, and that they read an answer to its end however it is cut."""

import asyncio
from collections import deque
from typing import Any, cast

import pytest

from bench.connections import Connection, PacedConnection, Tally
from bench.request_heads import HEADS, requests

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789"
HEAD = ANSWER.index(b"\r\n\r\n") + 4


class Sent:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.write = self.requests.append


def connected(connection: Connection) -> Sent:
    sent = Sent()
    connection.connection_made(cast("asyncio.Transport", sent))
    return sent


@pytest.mark.parametrize("cut", range(HEAD, len(ANSWER)))
def test_the_next_request_is_sent_when_the_answer_has_ended(cut: int) -> None:
    tally = Tally()
    connection = Connection(tally, [b"first", b"second"])
    sent = connected(connection)

    connection.data_received(ANSWER[:cut])
    asked_early = len(sent.requests) > 1
    connection.data_received(ANSWER[cut:])

    assert not asked_early
    assert sent.requests == [b"first", b"second"]
    assert (tally.failure, len(tally.latencies), tally.bytes - tally.heads) == (None, 1, 10)


def test_an_answer_that_is_no_200_is_a_failure() -> None:
    tally = Tally()
    connection = Connection(tally, [b"first"])
    connected(connection)

    connection.data_received(ANSWER.replace(b"200", b"503"))

    assert "503" in str(tally.failure)


def test_a_paced_connection_asks_when_it_is_told_to() -> None:
    idle: deque[PacedConnection] = deque()
    sent = connected(PacedConnection(Tally(), [b"first"], idle))
    before = list(sent.requests)

    connection = idle.popleft()
    connection.ask(0.0)
    connection.data_received(ANSWER)

    assert (before, sent.requests, list(idle)) == ([], [b"first"], [connection])


@pytest.mark.parametrize(
    ("head", "blocks"),
    [("plain", 1), ("zstd", 1), ("browser", 2), ("browser-zstd", 2), ("browser-ids", 6), ("browsers-mixed", 6)],
)
def test_each_kind_of_client_has_as_many_blocks_of_headers_as_it_is_meant_to(head: str, blocks: int) -> None:
    written = requests([b"n=%d" % number for number in range(6)], head, 80, connections=2)

    assert [len(own) for own in written] == [3, 3]
    assert len({request.partition(b"\r\n")[2] for own in written for request in own}) == blocks


@pytest.mark.parametrize("head", HEADS)
def test_a_request_has_one_host_and_ends(head: str) -> None:
    [[request]] = requests([b"n=1"], head, 80, connections=1)

    lines: list[Any] = request.split(b"\r\n")
    assert lines[0] == b"GET /search?n=1 HTTP/1.1"
    assert len([line for line in lines if line.startswith(b"Host: ")]) == 1
    assert lines[-2:] == [b"", b""]
