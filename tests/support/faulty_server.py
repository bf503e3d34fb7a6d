"""Answers for a FeedServer that are no proper HTTP, or are proper and still do harm: every byte is the test's."""

import asyncio
import socket
import struct

from tests.support.feed_server import Answer, Request

ENDLESS_PIECE = b"<!-- more and more -->" * 1_000
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def raw(sent: bytes) -> Answer:
    """Send these bytes and close."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)

    return send


def chunked(body: bytes, *, size: int = 100, end: bytes = b"0\r\n\r\n") -> Answer:
    """Send a body in chunks; `end` is what follows the last of them."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return raw(head("Transfer-Encoding: chunked") + chunks + end)


def reset(body: bytes) -> Answer:
    """Announce twice the body, send it once, and reset the connection."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head(f"Content-Length: {2 * len(body)}") + body)
        await writer.drain()
        await asyncio.sleep(0.05)  # the body arrives before the reset, which would overtake it
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        writer.transport.abort()

    return send


def trickled(sent: bytes, *, every: float, first: bytes = b"") -> Answer:
    """Send these bytes one at a time, with a pause in seconds after each; `first` is sent at once before them."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for at in range(len(sent)):
            writer.write(sent[at : at + 1])
            await writer.drain()
            await asyncio.sleep(every)

    return send


def endless(*fields: str, status: int = 200, piece: bytes = ENDLESS_PIECE) -> Answer:
    """Send the head, and then the same bytes again and again."""
    return flood(head(*fields, status=status), piece)


def flood(first: bytes, then: bytes) -> Answer:
    """Send the first bytes once and the others for as long as anybody takes them."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(0)

    return send


def after(seconds: float, then: Answer) -> Answer:
    """Wait before another answer."""

    async def send(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(request, writer)

    return send


def head(*fields: str, status: int = 200) -> bytes:
    """Write a status line and the fields, such as `Content-Length: 5`."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"HTTP/1.1 {status} As Told\r\n{lines}\r\n".encode("latin-1")
