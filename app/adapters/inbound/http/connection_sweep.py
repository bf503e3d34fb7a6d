"""Look after all connections of a server at once, now and then: no request pays for a timer of its own."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

LOOKS = 5
"""Looks within the shortest time that is looked after: a client is cut at most a fifth of it too late."""
LONGEST_INTERVAL = 1.0
AT_ONCE = 500
"""Connections that are looked at in one turn of the event loop: about a millisecond."""


class WatchedConnection(Protocol):
    """What a sweep looks after."""

    @property
    def has_asked_nothing(self) -> bool:
        """Whether it never brought a whole head of a request; once false, always false."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it is in hand: it could be closed without anybody missing an answer."""

    def grow_older(self, seconds: float) -> None:
        """Count that much time, and end what has taken too long."""

    def give_way(self) -> None:
        """End at once."""


class ConnectionSweep:
    """The connections of one server, oldest first. Costs nothing while there is none.

    Time is counted from look to look and never more than two intervals of it: what a process missed while it was
    stopped is nobody's fault.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, shortest: float, most: int) -> None:
        self._loop = loop
        self._interval = min(LONGEST_INTERVAL, shortest / LOOKS)
        self._most = most
        self._connections: dict[WatchedConnection, None] = {}
        self._silent: OrderedDict[WatchedConnection, None] = OrderedDict()
        """Oldest first; some may have asked something since the last look."""
        self._idle: OrderedDict[WatchedConnection, None] = OrderedDict()
        """Some may be busy again; those that are idle since the last look are missing."""
        self._timer: asyncio.TimerHandle | None = None
        self._looked_at = 0.0

    def __len__(self) -> int:
        return len(self._connections)

    def join(self, connection: WatchedConnection) -> None:
        """Look after a new connection; if there are too many, one gives way: an idle one, else the new one."""
        self._connections[connection] = None
        if len(self._connections) > self._most and not self._one_gives_way():
            connection.give_way()
        else:
            self._silent[connection] = None
        if self._timer is None:
            self._arm()

    def leave(self, connection: WatchedConnection) -> None:
        """Forget a connection that has ended."""
        for connections in (self._connections, self._silent, self._idle):
            connections.pop(connection, None)

    def _one_gives_way(self) -> bool:
        """Let the oldest silent one give way, else an idle one; False when there is neither.

        Whoever is examined here leaves the place it was found in: over time, a new connection costs the same however
        many there are.
        """
        while self._silent:
            connection, _ = self._silent.popitem(last=False)
            if connection.has_asked_nothing:
                connection.give_way()
                return True
            self._idle[connection] = None
        while self._idle:
            connection, _ = self._idle.popitem(last=False)
            if connection.is_idle:
                connection.give_way()
                return True
        return False

    def _arm(self) -> None:
        self._looked_at = self._loop.time()
        self._timer = self._loop.call_later(self._interval, self._look)

    def _look(self) -> None:
        seconds = min(self._loop.time() - self._looked_at, 2 * self._interval)
        self._timer = None
        if not self._connections:
            return
        self._arm()
        self._look_at(list(self._connections), seconds)

    def _look_at(self, connections: Sequence[WatchedConnection], seconds: float) -> None:
        for connection in connections[:AT_ONCE]:
            if connection in self._connections:  # it may have ended since
                connection.grow_older(seconds)
                self._note_idle(connection)
        if rest := connections[AT_ONCE:]:
            self._loop.call_soon(self._look_at, rest, seconds)

    def _note_idle(self, connection: WatchedConnection) -> None:
        if not connection.has_asked_nothing:
            self._silent.pop(connection, None)
            if connection.is_idle:
                self._idle[connection] = None
