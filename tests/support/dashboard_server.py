"""The dashboard over HTTP: a world of memory adapters behind its routes, in this process or behind a real server."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.adapters.inbound.http.access.areas import RULES
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.dashboard.dashboard_lists import dashboard_lists_router
from app.adapters.inbound.http.dashboard.dashboard_router import dashboard_router
from app.adapters.inbound.http.dashboard.dashboard_stream import Viewers
from app.adapters.inbound.http.describing.answers import error_reply
from app.domain.access import Area
from tests.support.dashboard_world import DashboardWorld

FIGURES = tuple(path for (_, path), area in RULES.items() if area is Area.DASHBOARD)


class Dashboard:
    """The routes over a world; `interval` is what the stream takes for a second."""

    def __init__(self, world: DashboardWorld, *, most_viewers: int = 100, interval: float = 0.02) -> None:
        self.world = world
        self.viewers = Viewers(world.watch, most=most_viewers, share=most_viewers, interval=interval)
        lists = dashboard_lists_router(world.days, world.types, world.what_sells, world.watch)
        self.gate = KeyGate(create_api([lists, dashboard_router(self.viewers)], "test"))


class KeyGate:
    """A stand-in for the access rules: figures need a key while there is one. It can cut the streams in hand."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._streams: set[asyncio.Event] = set()
        self.key: str | None = None

    def cut(self) -> None:
        for stream in self._streams:
            stream.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        figures = scope["path"] in FIGURES
        if self.key is None or not figures or given == f"Bearer {self.key}":
            scope["still_admitted"] = lambda: self.key is None or given == f"Bearer {self.key}"
            cut = asyncio.Event()
            self._streams.add(cut)
            await self._app(scope, _until(cut, receive), send)
            self._streams.discard(cut)
            return
        body = error_reply(401, "unauthenticated", "this needs a key of the role reader").body
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _until(cut: asyncio.Event, receive: Receive) -> Receive:
    """Receive, or hear that the client has gone."""

    async def either() -> Message:
        tasks = {asyncio.ensure_future(receive()), asyncio.ensure_future(cut.wait())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        found: Any = done.pop().result()
        return {"type": "http.disconnect"} if found is True else found

    return either


class Served:
    """A world behind a real server, in a thread of its own."""

    def __init__(self, dashboard: Dashboard, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.dashboard = dashboard
        self.url = url
        self._loop = loop

    def do(self, work: Callable[[DashboardWorld], Awaitable[object]]) -> None:
        """Change the world in its own thread."""

        async def working() -> None:
            await work(self.dashboard.world)
            await self.dashboard.world.catalog.look()

        asyncio.run_coroutine_threadsafe(working(), self._loop).result(10)

    def cut_streams(self) -> None:
        self._loop.call_soon_threadsafe(self.dashboard.gate.cut)


def _cut_connections(server: uvicorn.Server) -> None:
    """Close what uvicorn (0.54) leaves open: a connection that is made known after it told all the others to end."""
    for connection in list(server.server_state.connections):
        if connection.transport is not None:
            connection.transport.abort()


@contextmanager
def served(dashboard: Dashboard) -> Iterator[Served]:
    """Serve it on loopback until the block is left; its streams end with it."""
    world = dashboard.world
    config = uvicorn.Config(dashboard.gate, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    loops: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        background = [asyncio.create_task(world.catalog()), asyncio.create_task(world.watch())]
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.01)
        ready.set()
        await serving
        _cut_connections(server)
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert ready.wait(10)
        [socket] = server.servers[0].sockets
        yield Served(dashboard, f"http://127.0.0.1:{socket.getsockname()[1]}", loops[0])
    finally:
        server.should_exit = True
        if loops:
            loops[0].call_soon_threadsafe(dashboard.viewers.stop)
        thread.join(15)
    assert not thread.is_alive()
