"""The dashboard's state as server-sent events: whole at first, then each second the sections that have changed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from app.adapters.inbound.http.connection.stream_places import PlacedStream, StreamPlaces
from app.adapters.inbound.http.dashboard.dashboard_answer import joined, sections
from app.application.watch_dashboard import INTERVAL, DashboardState, WatchDashboard

MOST_VIEWERS = 100
"""Of one process; whoever comes then polls."""
SHARE = 12
"""Of them, one caller's."""
INSTEAD = "ask GET /dashboard/state every few seconds instead"


class TooManyViewersError(Exception):
    """As many look on at this process as it serves, or it is about to end."""

    def __init__(self, most: int) -> None:
        """Say what else there is."""
        super().__init__(f"{most} viewers look on already; {INSTEAD}")


class Viewers:
    """Those who look on in this process: told the same, rendered once. `interval` is in seconds."""

    def __init__(
        self,
        watch: WatchDashboard,
        *,
        most: int = MOST_VIEWERS,
        share: int = SHARE,
        interval: float = INTERVAL,
    ) -> None:
        self._watch = watch
        self._most = most
        self.places = StreamPlaces(most, share, INSTEAD, TooManyViewersError)
        self._interval = interval
        self._seen: DashboardState | None = None
        self._sections: Mapping[str, bytes] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let every stream end now, and new ones at once: for a process that is told to end."""
        self._stopping.set()

    async def look(self) -> Mapping[str, bytes]:
        """See how things stand, by section."""
        state = await self._watch.look()
        if state is not self._seen:
            self._seen, self._sections = state, sections(state)
        return self._sections

    def stream(self, caller: str, goes_on: Callable[[], bool] = lambda: True) -> PlacedStream:
        """Answer with a stream that lasts until `goes_on` says no; it has its place from now on until it was sent.

        Raises:
            ShareTakenError: this caller has as many as one may have.
            TooManyViewersError: there is no place left, or the process ends.
        """
        if self._stopping.is_set():
            raise TooManyViewersError(self._most)
        self.places.take(caller)
        return PlacedStream(self.places, caller, self._told(goes_on))

    async def _told(self, goes_on: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Tell one viewer, until its key is not good any more or the process ends."""
        told: dict[str, bytes] = {}
        over = False
        while not over:
            current = await self.look()
            changed = {name: value for name, value in current.items() if told.get(name) != value}
            told.update(changed)
            yield b"event: state\ndata: " + joined(changed) + b"\n\n"
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval)
            over = self._stopping.is_set() or not goes_on()
