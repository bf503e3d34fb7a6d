"""A real HTTP server on loopback that takes webhooks, as a test says: a FeedServer that reads bodies, too."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from tests.feed_server import Answer, FeedServer, Request, _parsed, answer


@dataclass(frozen=True)
class Received:
    request: Request
    body: bytes

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
    """Answers each message with what `choose` says, and 204 without one; `diary` has what came."""

    def __init__(self, *answers: Answer, choose: Callable[[Received], Answer] | None = None) -> None:
        super().__init__(*(answers or (answer(204),)))
        self._choose = choose
        self.diary = Diary()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            request = _parsed(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(request.headers.get("content-length", "0")))
            received = Received(request, body)
            self.diary.received.append(received)
            reaction = self._choose(received) if self._choose else self._next()
            await reaction(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, which is what many a test is about
        finally:
            writer.close()
            self._connections.discard(task)

    def _next(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
