"""Streams of one process: how many it has, and one caller of it, so that nobody keeps out all others."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.http.connection.connection_errors import ShareTakenError

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}  # a proxy that holds it back would make it useless


class StreamPlaces:
    """At most `most` streams, `share` of them one caller's, who is told else what to do `instead`.

    When all places are taken, what `full` makes is raised.
    """

    def __init__(self, most: int, share: int, instead: str, full: Callable[[int], Exception]) -> None:
        self._most = most
        self._share = share
        self._instead = instead
        self._full = full
        self._taken: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many streams there are."""
        return self._taken.total()

    def take(self, caller: str) -> None:
        """Count one more.

        Raises:
            ShareTakenError: this caller has as many as one may have.
        """
        if self._taken[caller] >= self._share:
            raise ShareTakenError(self._share, self._instead)
        if self.count >= self._most:
            raise self._full(self._most)
        self._taken[caller] += 1

    def give_back(self, caller: str) -> None:
        """Count one less; nothing is kept of who has none."""
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]


class PlacedStream(StreamingResponse):
    """Server-sent events that keep a place that was taken until they were sent, or the client has gone."""

    media_type = "text/event-stream"

    def __init__(self, places: StreamPlaces, caller: str, told: AsyncIterator[bytes]) -> None:
        super().__init__(told, headers=HEADERS)
        self._give_back = partial(places.give_back, caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._give_back()
