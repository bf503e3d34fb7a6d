"""Exports that clients of this process are reading: few at a time, and no portion is read before the last has left."""

from collections.abc import AsyncGenerator, Callable

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.export_files.portions import Portion
from app.adapters.inbound.http.connection.stream_places import HEADERS, StreamPlaces
from app.application.ports.system import HistoryUnavailableError

MOST = 2
"""Exports at a time in one process: each has a thread of the database for as long as a portion takes to be made."""
SHARE = 1
"""Of them, one caller's."""
INSTEAD = "wait for the end of the other one"

log = structlog.get_logger()


class TooManyExportsError(Exception):
    """As many clients read exports from this process as it serves."""

    def __init__(self, most: int) -> None:
        """Say what else there is."""
        super().__init__(f"{most} exports are being read already: come again later, or use `marquee export`")


class ExportStreams:
    """Answers with exports, at most `most` at a time, `share` of them one caller's."""

    def __init__(self, most: int = MOST, share: int = SHARE) -> None:
        self._places = StreamPlaces(most, share, INSTEAD, TooManyExportsError)

    async def open(
        self, portions: AsyncGenerator[Portion, None], caller: str, media_type: str, goes_on: Callable[[], bool]
    ) -> StreamingResponse:
        """Begin an answer with the first portion; what keeps that from being read is raised, and answered.

        Raises:
            ShareTakenError: this caller reads as many as one may.
            TooManyExportsError: there is no place left.
            HistoryUnavailableError: nobody can tell now.
        """
        self._places.take(caller)
        try:
            first = await anext(portions, None)
        except BaseException:
            self._places.give_back(caller)
            raise
        return _Export(portions, first, media_type, goes_on, lambda: self._places.give_back(caller))


class _Export(StreamingResponse):
    """Ends its portions and gives its place back once it was sent, or the client has gone.

    One that is cut short has no end: the client sees that the connection was closed before it.
    """

    def __init__(
        self,
        portions: AsyncGenerator[Portion, None],
        first: Portion | None,
        media_type: str,
        goes_on: Callable[[], bool],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(self._content(portions, first, goes_on), headers=HEADERS, media_type=media_type)
        self._portions = portions
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()
            await self._portions.aclose()

    async def stream_response(self, send: Send) -> None:
        """Leave the last message out when the export was cut short."""
        try:
            await super().stream_response(send)
        except (HistoryUnavailableError, _NotAdmittedError) as error:
            log.warning("an export was cut short", reason=str(error))

    @staticmethod
    async def _content(
        portions: AsyncGenerator[Portion, None], first: Portion | None, goes_on: Callable[[], bool]
    ) -> AsyncGenerator[bytes, None]:
        if first is not None:
            yield first.content
        async for portion in portions:
            if not goes_on():
                raise _NotAdmittedError("its key is not good any more")
            yield portion.content


class _NotAdmittedError(Exception):
    """Whoever reads would not be let in any more."""
