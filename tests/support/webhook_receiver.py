"""A real HTTP server on loopback that takes webhooks, as a test says: a FeedServer that reads bodies, too."""

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.faulty_server import _RESET_ON_CLOSE, head, raw
from tests.support.feed_server import Answer, FeedServer, Request, _parsed, answer


@dataclass(frozen=True)
class Received:
    request: Request
    body: bytes
    connection: int = 1
    """Which of the receiver's connections it came over."""

    @property
    def message_id(self) -> str:
        return self.request.headers["webhook-id"]

    @property
    def envelope(self) -> Any:
        return msgspec.json.decode(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Ask the library that receivers use."""
        try:
            Webhook(secret).verify(self.body, dict(self.request.headers))
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Diary:
    """What was received and answered, in order."""

    received: list[Received] = field(default_factory=list)
    connections: int = 0
    """How many were made."""

    @property
    def ids(self) -> list[str]:
        return [one.message_id for one in self.received]

    def by_subject(self) -> dict[str, list[str]]:
        """List the ids of each subject in the order in which they came first."""
        found: dict[str, list[str]] = defaultdict(list)
        for one in self.received:
            if one.message_id not in found[one.envelope["subject"]]:
                found[one.envelope["subject"]].append(one.message_id)
        return dict(found)


class Receiver(FeedServer):
    """Answers each message with what `choose` says, and 204 without one; `diary` has what came.

    One that `keeps` connections takes message after message over each; the others close them after an answer.
    """

    def __init__(
        self,
        *answers: Answer,
        choose: Callable[[Received], Answer] | None = None,
        keeps: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(*(answers or (kept() if keeps else answer(204),)), tls=tls)
        self._choose = choose
        self._keeps = keeps
        self.diary = Diary()
        self._readers: set[asyncio.StreamReader] = set()

    @property
    def open_connections(self) -> int:
        """Count those that neither side has closed, whatever is under way over them."""
        return sum(not reader.at_eof() and reader.exception() is None for reader in list(self._readers))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        self._readers.add(reader)
        self.diary.connections += 1
        number = self.diary.connections
        try:
            await self._take(reader, writer, number)
            while self._keeps:
                await self._take(reader, writer, number)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, which is what many a test is about
        finally:
            writer.close()
            self._connections.discard(task)
            self._readers.discard(reader)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        request = _parsed(await reader.readuntil(b"\r\n\r\n"))
        body = await reader.readexactly(int(request.headers.get("content-length", "0")))
        received = Received(request, body, connection)
        self.diary.received.append(received)
        reaction = self._choose(received) if self._choose else self._next()
        await reaction(request, writer)
        await writer.drain()

    def _next(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def kept(status: int = 204, body: bytes = b"") -> Answer:
    """Answer, and do not say that the connection ends."""
    return raw(head(*([f"Content-Length: {len(body)}"] if body else ()), status=status) + body)


def hung_up(said: bytes = b"", *, reset: bool = False) -> Answer:
    """Close the connection after these bytes, or reset it."""

    async def send(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        if reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()
        raise ConnectionAbortedError

    return send
