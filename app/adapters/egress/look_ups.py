"""Names looked up in threads of their own, so that one that nobody knows the addresses of holds up nothing else."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from ipaddress import ip_address
from threading import Lock, Thread

MOST = 32
"""Look-ups at a time. One has no limit of time: the system gives up after 10 to 30 seconds when nobody answers it."""


def _asked_of_the_system(host: str) -> Sequence[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(slots=True)
class _LookUp:
    host: str
    found: "Future[Sequence[str]]" = field(default_factory=Future)
    waiting: int = 0
    """For how many; those who leave do not end it."""
    has_begun: bool = False

    def __post_init__(self) -> None:
        self.found.set_running_or_notify_cancel()  # from now on nobody can cancel it


@dataclass(slots=True, eq=False)
class LookUps:
    """A Resolver that looks each name up once for all who ask for it at a time, from whatever event loop.

    Its threads are daemons and not the event loop's: of those there are few (uvloop looks two names up at a time),
    others need them, and the loop waits for them at its end. When all are busy, a name waits for the first that is not.
    """

    ask: Callable[[str], Sequence[str]] = _asked_of_the_system
    """Blocks for as long as it likes; raises OSError."""
    most: int = MOST
    _lock: Lock = field(default_factory=Lock, init=False)
    _open: dict[str, _LookUp] = field(default_factory=dict, init=False)

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        """Give the addresses; an address has itself."""
        if _is_address(host):
            return [host]
        look_up = self._joined(host)
        try:
            return await asyncio.wrap_future(look_up.found)
        except asyncio.CancelledError as error:
            if not look_up.has_begun:
                error.add_note(f"{self.most} other look-ups go on")
            raise
        finally:
            self._leave(look_up)

    def _joined(self, host: str) -> _LookUp:
        with self._lock:
            look_up = self._open.setdefault(host, _LookUp(host))
            look_up.waiting += 1
            begins = not look_up.has_begun and sum(one.has_begun for one in self._open.values()) < self.most
            look_up.has_begun |= begins
        if begins:
            self._begin(look_up)
        return look_up

    def _leave(self, look_up: _LookUp) -> None:
        with self._lock:
            look_up.waiting -= 1
            if not look_up.waiting and not look_up.has_begun:
                del self._open[look_up.host]

    def _begin(self, look_up: _LookUp) -> None:
        try:
            Thread(target=self._work, args=(look_up,), name=f"look-up of {look_up.host}", daemon=True).start()
        except RuntimeError as error:  # the system has no thread left
            with self._lock:
                del self._open[look_up.host]
            look_up.found.set_exception(OSError(str(error)))

    def _work(self, look_up: _LookUp | None) -> None:
        while look_up:
            try:
                addresses = self.ask(look_up.host)
            except BaseException as error:  # noqa: BLE001 - theirs who wait
                following = self._next_after(look_up)
                look_up.found.set_exception(error)
            else:
                following = self._next_after(look_up)
                look_up.found.set_result(addresses)
            look_up = following

    def _next_after(self, look_up: _LookUp) -> _LookUp | None:
        """End one, and begin the one that has waited longest."""
        with self._lock:
            del self._open[look_up.host]
            following = next((one for one in self._open.values() if not one.has_begun), None)
            if following:
                following.has_begun = True
            return following


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
