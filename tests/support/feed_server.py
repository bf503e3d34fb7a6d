"""A real HTTP server on loopback that answers as a test says, well or badly."""

import asyncio
import gzip
import ssl
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

MIB = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What a client asked; the names of headers are in lower case."""

    target: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""
    certificate: Mapping[str, object] | None = None
    """The client's, when the server asks for one."""


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class FeedServer:
    """Answers one request after the other with `answers`, and from then on with the last of them.

    It runs in a thread of its own, so that a test may be of any kind and may call another process.
    """

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.requests: list[Request] = []
        self.port = 0

    @property
    def url(self) -> str:
        return self.url_of("127.0.0.1")

    def url_of(self, host: str) -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/feed.xml"

    def answers(self, *answers: Answer) -> None:
        """Forget the answers so far."""
        self._answers[:] = answers

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop, once or again; from then on connections are refused."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)

    async def _stop(self) -> None:
        for socket in self._server.sockets:  # none: it was stopped before
            self._loop.remove_reader(socket.fileno())
        for _ in range(5):  # whoever was accepted a moment ago begins: a server that is closed meanwhile leaves it open
            await asyncio.sleep(0)
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()  # what nobody took is not waited for
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        self._writers.append(writer)
        try:
            request = _parsed(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(request.headers.get("content-length", "0")))
            request = replace(request, body=body, certificate=writer.get_extra_info("peercert") or None)
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            await answer(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, which is what many a test is about
        finally:
            writer.close()
            self._connections.discard(task)


def answer(status: int = 200, body: bytes | str = b"", **headers: str) -> Answer:
    """Answer at once; `Content_Encoding="gzip"` sends that header."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        encoded = body.encode() if isinstance(body, str) else body
        writer.write(_head(status, {"Content_Length": str(len(encoded)), **headers}) + encoded)

    return send


def redirect(to: str, status: int = 302) -> Answer:
    return answer(status, Location=to)


def validating(body: bytes | str, etag: str) -> Answer:
    """Answer with an ETag, and 304 to whoever has it."""

    async def send(request: Request, writer: asyncio.StreamWriter) -> None:
        known = request.headers.get("if-none-match") == etag
        await (answer(304, ETag=etag) if known else answer(200, body, ETag=etag))(request, writer)

    return send


def cut(body: bytes, *, announce: int | None) -> Answer:
    """Send a body and close; `announce` is the Content-Length, None for none."""
    length = {} if announce is None else {"Content_Length": str(announce)}
    return _streamed(length, lambda: _pieces(body, len(body) or 1, 0.0))


def trickle(body: bytes, *, piece: int, every: float, **headers: str) -> Answer:
    """Send some bytes at a time, with a pause in seconds after each."""
    return _streamed({"Content_Length": str(len(body)), **headers}, lambda: _pieces(body, piece, every))


def silence() -> Answer:
    """Accept the request and say nothing."""

    async def send(_: Request, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    return send


def falling_silent(body: bytes) -> Answer:
    """Say the headers and half of the body."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content_Length": str(len(body))}) + body[: len(body) // 2])
        await writer.drain()
        await asyncio.sleep(3600)

    return send


def packed_blanks(size: int) -> Answer:
    """Send gzip that stands for `size` bytes, a thousand times what is sent."""
    return _streamed({"Content_Encoding": "gzip"}, lambda: _compressed_blanks(size))


def zipped(body: bytes) -> Answer:
    return answer(200, gzip.compress(body), Content_Encoding="gzip")


def deflated(body: bytes, *, raw: bool = False) -> Answer:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    return answer(200, compressor.compress(body) + compressor.flush(), Content_Encoding="deflate")


def _streamed(headers: Mapping[str, str], pieces: Callable[[], AsyncIterator[bytes]]) -> Answer:
    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, headers))
        async for piece in pieces():
            writer.write(piece)
            await writer.drain()

    return send


async def _pieces(body: bytes, size: int, every: float) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]
        await asyncio.sleep(every)


async def _compressed_blanks(size: int) -> AsyncIterator[bytes]:
    for piece in _zipped_blanks(size):
        yield piece


def _zipped_blanks(size: int) -> Iterator[bytes]:
    compressor = zlib.compressobj(level=9, wbits=16 + zlib.MAX_WBITS)
    blanks = b" " * MIB
    for _ in range(size // MIB):
        yield compressor.compress(blanks)
    yield compressor.flush()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} As Told\r\nConnection: close\r\n{fields}\r\n".encode("latin-1")


def _parsed(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines if line)
    method, target, _ = first.split(" ")
    return Request(target, {name.strip().lower(): value.strip() for name, _, value in fields}, method)
