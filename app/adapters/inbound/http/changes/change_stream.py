"""The change feed as server-sent events: what there is, then what comes, until somebody goes."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import NamedTuple

from app.adapters.formats.cloud_events import render_envelope, type_of
from app.adapters.inbound.http.changes.change_cursors import cursor_of
from app.adapters.inbound.http.connection.stream_places import PlacedStream, StreamPlaces
from app.application.ports.publishing import LoggedFact
from app.application.ports.system import HistoryUnavailableError
from app.application.read_changes import Bookmark, ReadChanges, UnknownCursorError, WatchLog, bookmark_of
from app.application.single_flight import SingleFlights

EVENT_STREAM = PlacedStream.media_type
RETRY = b"retry: 2000\n"
HEARTBEAT = b":\n"
"""Without an empty line, as the one before: many a client makes a message without data of it, which is none."""
PAGE = 100
"""Changes that are read and rendered at a time; other requests go on between."""
SHARED = 16
"""Pages that are kept for other streams that stand at the same place."""


class TooManyStreamsError(Exception):
    """As many clients stream changes from this process as it serves."""

    def __init__(self, most: int) -> None:
        """Say what else there is."""
        super().__init__(f"{most} clients stream changes already; come again later, or ask for pages of JSON")


class Piece(NamedTuple):
    """A page of the log, as it is streamed."""

    text: bytes
    end: Bookmark
    has_more: bool


class ChangeStreams:
    """The streams of one process, at most `most`, `share` of them one caller's.

    `source` is that of the CloudEvents, a heartbeat comes after so many seconds.
    """

    def __init__(  # noqa: PLR0913 - all but three have defaults
        self,
        read_changes: ReadChanges,
        watch: WatchLog,
        source: str,
        *,
        most: int = 200,
        share: int = 25,
        heartbeat: float = 15.0,
    ) -> None:
        self._read_changes = read_changes
        self._watch = watch
        self._source = source
        self.places = StreamPlaces(most, share, "ask for pages of JSON", TooManyStreamsError)
        """Taken also by streams that are about to begin."""
        self._heartbeat = heartbeat
        self._read_once = SingleFlights(self._read)
        self._kept: dict[Bookmark, Piece] = {}

    async def open(self, after: Bookmark, caller: str, goes_on: Callable[[], bool] = lambda: True) -> PlacedStream:
        """Begin a stream behind a bookmark; it has its place from now on until it was sent, or `goes_on` says no.

        Raises:
            ShareTakenError: this caller has as many as one may have.
            TooManyStreamsError: there is no place left.
            UnknownCursorError, HistoryUnavailableError: as in ReadChanges.
        """
        self.places.take(caller)  # before anything is waited for: others may come meanwhile
        try:
            return PlacedStream(self.places, caller, self._told(await self._piece(after), goes_on))
        except BaseException:
            self.places.give_back(caller)
            raise

    async def _told(self, begin: Piece, goes_on: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Tell changes; when the process ends or the history goes away, the client comes again with its last id."""
        yield RETRY
        piece: Piece | None = begin
        told_at = monotonic()
        with suppress(HistoryUnavailableError, UnknownCursorError):
            while piece is not None and goes_on():
                if piece.text or monotonic() - told_at >= self._heartbeat:
                    yield piece.text or HEARTBEAT
                    told_at = monotonic()
                piece = await self._next(piece)

    async def _next(self, piece: Piece) -> Piece | None:
        """Read on; at the log's end, after a look: there may be nothing new. None when the process ends."""
        if not piece.has_more:
            head = await self._watch.head()
            if head is not None and head <= piece.end.position:
                return Piece(b"", piece.end, has_more=False)
        return None if self._watch.stopped else await self._piece(piece.end)

    async def _piece(self, after: Bookmark) -> Piece:
        """Read and render what follows a bookmark, once for all streams that stand there."""
        return self._kept.get(after) or await self._read_once(after)

    async def _read(self, after: Bookmark) -> Piece:
        page = await self._read_changes(after, PAGE)
        piece = Piece(self._messages(page.changes), page.end, page.has_more)
        if piece.text:  # else it is the log's end, and there may be something the next time
            self._kept[after] = piece
            for oldest in list(self._kept)[:-SHARED]:
                del self._kept[oldest]
        return piece

    def _messages(self, changes: Sequence[LoggedFact]) -> bytes:
        return b"".join(
            b"id: %b\nevent: %b\ndata: %b\n\n"
            % (
                cursor_of(bookmark_of(change)).encode(),
                type_of(change.fact.name).encode(),
                render_envelope(change.fact, self._source),  # on one line: JSON escapes what ends one
            )
            for change in changes
        )
