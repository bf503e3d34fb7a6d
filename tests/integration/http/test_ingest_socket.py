"""The door on a real server: what clients do wrong on the wire."""

import asyncio

import pytest
import structlog
import uvloop

from tests.support.ingest_world import VIEW, World
from tests.support.served import served


@pytest.fixture
def world() -> World:
    return World()


async def exchanged(port: int, *pieces: bytes, patient: bool) -> bytes:
    """Send pieces, a moment apart, and read the answer (of at most one read, in these tests); or leave at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    async with asyncio.timeout(5):
        answer = await reader.read(64 * 1024) if patient else b""
    writer.close()
    return answer


def over_a_socket(world: World, *pieces: bytes, patient: bool = True) -> bytes:
    async def ask() -> bytes:
        async with served(world.app) as port:
            answer = await exchanged(port, *pieces, patient=patient)
            await asyncio.sleep(0.05)
            return answer

    return uvloop.run(ask())


HEAD = b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def test_a_real_server_takes_bodies_with_a_length_and_in_chunks(world: World) -> None:
    whole = over_a_socket(world, HEAD + b"content-length: 15\r\n\r\n" + VIEW)
    late = over_a_socket(world, HEAD + b"content-length: 15\r\n\r\n", VIEW[:4], VIEW[4:])
    chunked = over_a_socket(
        world,
        HEAD + b"transfer-encoding: chunked\r\n\r\n",
        b"5\r\n" + VIEW[:5],
        b"\r\na\r\n" + VIEW[5:],
        b"\r\n0\r\n\r\n",
    )

    for answer in (whole, late, chunked):
        assert answer.startswith(b"HTTP/1.1 202 ")
    assert world.taken == ["view"] * 3


@pytest.mark.parametrize("length", [b"abc", b"-1", b"1e3", b"15, 16", b"", b"99999999999999999999999"])
def test_a_length_that_is_no_number_is_400(world: World, length: bytes) -> None:
    answer = over_a_socket(world, HEAD + b"content-length: " + length + b"\r\n\r\n" + VIEW)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert world.taken == []


def test_two_lengths_or_a_length_beside_chunks_are_400(world: World) -> None:
    for more in (
        b"content-length: 15\r\ncontent-length: 16\r\n\r\n",
        b"content-length: 15\r\ntransfer-encoding: chunked\r\n\r\n",
    ):
        assert over_a_socket(world, HEAD + more + VIEW).startswith(b"HTTP/1.1 400 ")
    assert world.taken == []


def test_a_length_beyond_the_limit_is_413_before_the_body_comes(world: World) -> None:
    answer = over_a_socket(world, HEAD + b"expect: 100-continue\r\ncontent-length: 100000000\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_chunks_beyond_the_limit_are_413_while_they_come(world: World) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"

    answer = over_a_socket(world, HEAD + b"transfer-encoding: chunked\r\n\r\n", chunk * 8)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_more_than_announced_is_not_read_as_part_of_the_body(world: World) -> None:
    cut = over_a_socket(world, HEAD + b"content-length: 10\r\n\r\n" + VIEW)

    assert cut.startswith(b"HTTP/1.1 400 ")
    assert world.taken == []


def test_less_than_announced_is_waited_for_and_nothing_taken_when_the_client_leaves(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logged:
        over_a_socket(world, HEAD + b"content-length: 100\r\n\r\n" + VIEW, patient=False)

    assert (world.taken, logged, caplog.records) == ([], [], [])
    assert world.observed == [("/events", 499)]


def test_chunks_that_stop_in_the_midst_are_not_taken(world: World, caplog: pytest.LogCaptureFixture) -> None:
    over_a_socket(world, HEAD + b"transfer-encoding: chunked\r\n\r\nf\r\n" + VIEW + b"\r\n", patient=False)

    assert (world.taken, caplog.records) == ([], [])


def test_garbage_between_chunks_is_not_taken(world: World) -> None:
    answer = over_a_socket(world, HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n" + VIEW)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert world.taken == []
