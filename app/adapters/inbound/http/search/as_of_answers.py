"""Answers of `/search` that are made whole: few at a time, kept small until they are read, and sent in pieces."""

import asyncio
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime
from weakref import WeakSet

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.http.describing.answers import JSON
from app.adapters.inbound.http.search.plan_json import SEARCH_HEAD, SEARCH_TAIL, render_plan
from app.adapters.inbound.http.search.search_app import PIECE
from app.adapters.inbound.http.search.search_errors import TooManyPastSearchesError
from app.application.read_history import SearchPast
from app.domain.plans import PlanSummary
from app.domain.time_window import TimeWindow

AT_ONCE = 4
"""Answers in the making: each holds its plans, some 600 bytes a plan, and keeps the interpreter from others."""
QUEUE_TIMEOUT = 10.0
"""Seconds that a question waits for its turn."""
MOST_KEPT = 64 * 1024 * 1024
"""Bytes of made answers that wait for their readers; a full one has about 0.4 MB."""


class PackedAnswer(Response):
    """Plans as `/search` answers them; of an answer that nobody reads yet, compressed pieces are all that is kept.

    Making one takes a while: do it in a thread.
    """

    def __init__(self, plans: Sequence[PlanSummary]) -> None:
        self._pieces: deque[bytes] = deque()
        length = 0
        for piece in _pieces(plans):
            length += len(piece)
            self._pieces.append(zlib.compress(piece, zlib.Z_BEST_SPEED))
        self.kept = sum(map(len, self._pieces))
        """Bytes that are still to be sent, as they are kept."""
        super().__init__(headers={"content-length": str(length)}, media_type=JSON)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as Starlette has it
        """Send a piece when the one before has left; nothing is kept of what was sent."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while self._pieces:
            packed = self._pieces.popleft()
            self.kept -= len(packed)
            body, more = zlib.decompress(packed), bool(self._pieces)
            await send({"type": "http.response.body", "body": body, "more_body": more})
            await asyncio.sleep(0)  # sending waits only for a full socket; this lets others in each time


class AsOfAnswers:
    """Answers searches of the past, `at_once` at a time; whoever reads such an answer has no such place any more."""

    def __init__(
        self, search: SearchPast, *, at_once: int = AT_ONCE, timeout: float = QUEUE_TIMEOUT, most_kept: int = MOST_KEPT
    ) -> None:
        self._search = search
        self._places = asyncio.Semaphore(at_once)
        self._timeout = timeout
        self._most_kept = most_kept
        self._made: WeakSet[PackedAnswer] = WeakSet()

    async def __call__(self, window: TimeWindow, as_of: datetime) -> Response:
        """Make an answer, when it is its turn.

        Raises:
            TooManyPastSearchesError: its turn did not come, or slow readers have too many answers before them.
            WindowTooWideError, HistoryUnavailableError: as in SearchPast.
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self._places.acquire()
        except TimeoutError:
            raise TooManyPastSearchesError from None
        try:
            if self.kept >= self._most_kept:
                raise TooManyPastSearchesError
            answer = await asyncio.to_thread(PackedAnswer, await self._search(window, as_of))
        finally:
            self._places.release()
        self._made.add(answer)
        return answer

    @property
    def kept(self) -> int:
        """Bytes of answers that were made and are not sent yet."""
        return sum(answer.kept for answer in self._made)


def _pieces(plans: Sequence[PlanSummary]) -> Iterator[bytes]:
    glue = SEARCH_HEAD
    for at in range(0, len(plans), PIECE):
        tail = SEARCH_TAIL if at + PIECE >= len(plans) else b""
        yield glue + b",".join(map(render_plan, plans[at : at + PIECE])) + tail
        glue = b","
    if not plans:
        yield SEARCH_HEAD + SEARCH_TAIL
