"""A server that is told to end waits for answers in hand, and for nobody who says nothing."""

import asyncio
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from tests.support.served import served

DRAIN = 5


async def app(_scope: Any, _receive: Any, _send: Any) -> None: ...


def connect_again_and_again(port: int, ended: threading.Event) -> list[socket.socket]:
    opened = []
    with suppress(OSError):
        while not ended.is_set():
            opened.append(socket.create_connection(("127.0.0.1", port), timeout=1))
            time.sleep(0.0005)
    return opened


async def test_who_connects_at_the_last_moment_and_says_nothing_is_not_waited_for() -> None:
    ended = threading.Event()
    opened: list[socket.socket] = []

    for _ in range(5):
        async with served(app, DRAIN) as port:
            crowd = threading.Thread(target=lambda port=port: opened.extend(connect_again_and_again(port, ended)))
            crowd.start()
            await asyncio.sleep(0.05)  # some are in the middle of being accepted when the server is told to end
            began = time.monotonic()
        took = time.monotonic() - began

        crowd.join()
        assert took < DRAIN / 2
    for one in opened:
        one.close()
