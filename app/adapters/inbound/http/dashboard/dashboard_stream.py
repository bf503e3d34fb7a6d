"""The dashboard's state as server-sent events: whole at first, then each second the sections that have changed."""

import asyncio
from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.http.connection.stream_places import StreamPlaces
from app.adapters.inbound.http.dashboard.dashboard_answer import joined, sections
from app.application.watch_dashboard import INTERVAL, DashboardState, WatchDashboard

MOST_VIEWERS = 100
"""Of one process; whoever comes then polls."""
SHARE = 12
"""Of them, one caller's."""
INSTEAD = "ask GET /dashboard/state every few seconds instead"
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # a proxy that holds it back would make it useless
}


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

    def stream(self, caller: str, goes_on: Callable[[], bool] = lambda: True) -> Response:
        """Answer with a stream that lasts until `goes_on` says no.

        Raises:
            ShareTakenError: this caller has as many as one may have.
            TooManyViewersError: there is no place left, or the process ends.
        """
        self.places.check(caller)
        if self._stopping.is_set():
            raise TooManyViewersError(self._most)
        return _Stream(self, caller, goes_on)

    async def over(self, gone: "asyncio.Task[None]") -> bool:
        """Wait until the next look is due; tell whether this viewer has gone, or all have to."""
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({gone, stopping}, timeout=self._interval, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        return bool(done)


class _Stream(Response):
    """One viewer's stream, until it leaves, its key is not good any more, or the process ends."""

    def __init__(self, viewers: Viewers, caller: str, goes_on: Callable[[], bool]) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(HEADERS)
        self._viewers = viewers
        self._caller = caller
        self._goes_on = goes_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        gone = asyncio.create_task(_departure(receive))
        try:
            with self._viewers.places.taken(self._caller):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._tell(send, gone)
        finally:
            gone.cancel()

    async def _tell(self, send: Send, gone: "asyncio.Task[None]") -> None:
        told: dict[str, bytes] = {}
        over = False
        while not over:
            current = await self._viewers.look()
            changed = {name: value for name, value in current.items() if told.get(name) != value}
            told.update(changed)
            body = b"event: state\ndata: " + joined(changed) + b"\n\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})
            over = await self._viewers.over(gone) or not self._goes_on()
        await send({"type": "http.response.body", "body": b""})


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
