"""The timeouts of all connections of a server, checked at once now and then: no request pays for its own timer."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

LOOKS = 5
"""Looks within the shortest time that is looked after: a client is cut at most a fifth of it too late."""
LONGEST_INTERVAL = 1.0
AT_ONCE = 500
"""Connections that are looked at in one turn of the event loop: about a millisecond."""
SHARES = 8
"""An address with more than one of so many equal shares of all connections has too many."""


class WatchedConnection(Protocol):
    """What a sweep looks after."""

    address: str
    """Whom it comes from."""

    @property
    def has_asked_nothing(self) -> bool:
        """Whether it never brought a whole head of a request; once false, always false."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it is in hand: it could be closed without anybody missing an answer that they take."""

    @property
    def is_waited_for(self) -> bool:
        """Whether its client is to take an answer or to send a body: nobody here works for it."""

    @property
    def stalled_seconds(self) -> float:
        """Seconds without progress for which it had been waited for at the last look."""

    def check_timeout(self, seconds: float) -> None:
        """Count that much time, and end the connection if a timeout is over."""

    def evict(self) -> None:
        """End at once."""


class ConnectionSweep:
    """The connections of one server, oldest first. Costs nothing while there is none.

    Time is counted from look to look and never more than two intervals of it: what a process missed while it was
    stopped is nobody's fault.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, shortest: float, most: int, slow: float = 5.0) -> None:
        self._loop = loop
        self._interval = min(LONGEST_INTERVAL, shortest / LOOKS)
        self._most = most
        self._slow = slow
        self._connections: dict[WatchedConnection, None] = {}
        self._silent: OrderedDict[WatchedConnection, None] = OrderedDict()
        """Oldest first; some may have asked something since the last look."""
        self._idle: OrderedDict[WatchedConnection, None] = OrderedDict()
        """Some may be busy again; those that are idle since the last look are missing."""
        self._counts: dict[str, int] = {}
        self._over_share: set[str] = set()
        """Addresses with more than their share: never more than SHARES, so that to look at all of them costs little."""
        self._slowest: dict[str, list[tuple[float, WatchedConnection]]] = {}
        """Of addresses over their share, the slowest last, as the last look found them; made when one is evicted."""
        self._timer: asyncio.TimerHandle | None = None
        self._looked_at = 0.0

    def __len__(self) -> int:
        return len(self._connections)

    def join(self, connection: WatchedConnection) -> None:
        """Look after a new connection.

        If there are too many, one is evicted: a silent or an idle one, else a slow one of an address that has too many,
        else the new one.
        """
        self._connections[connection] = None
        self._count(connection)
        if len(self._connections) > self._most and not (self._evict_unused() or self._evict_slow(connection)):
            connection.evict()
        else:
            self._silent[connection] = None
        if self._timer is None:
            self._arm()

    def leave(self, connection: WatchedConnection) -> None:
        """Forget a connection that has ended."""
        if connection in self._connections:
            self._discount(connection)
        for connections in (self._connections, self._silent, self._idle):
            connections.pop(connection, None)

    def _count(self, connection: WatchedConnection) -> None:
        count = self._counts[connection.address] = self._counts.get(connection.address, 0) + 1
        if count * SHARES > self._most:
            self._over_share.add(connection.address)

    def _discount(self, connection: WatchedConnection) -> None:
        count = self._counts.pop(connection.address) - 1
        if count:
            self._counts[connection.address] = count
        if count * SHARES <= self._most:
            self._over_share.discard(connection.address)

    def _evict_unused(self) -> bool:
        """Evict the oldest silent one, else an idle one; False when there is neither.

        Whoever is examined here leaves the place it was found in: over time, a new connection costs the same however
        many there are.
        """
        while self._silent:
            connection, _ = self._silent.popitem(last=False)
            if connection.has_asked_nothing:
                connection.evict()
                return True
            self._idle[connection] = None
        while self._idle:
            connection, _ = self._idle.popitem(last=False)
            if connection.is_idle:
                connection.evict()
                return True
        return False

    def _evict_slow(self, new: WatchedConnection) -> bool:
        """Evict the slowest client of the address with most connections; False when there is none.

        Where the new one's own address has too many it may be a proxy's: then slow is who makes no progress for long.
        """
        if not self._over_share:
            return False
        most_first = sorted(self._over_share, key=self._counts.__getitem__, reverse=True)
        found = self._waited_for(most_first, self._slow)
        if found is None and new.address not in self._over_share:
            found = self._waited_for(most_first, 0.0)
        if found is not None:
            found.evict()
        return found is not None

    def _waited_for(self, addresses: Sequence[str], least: float) -> WatchedConnection | None:
        """Find the slowest, who has got on neither since the look nor for `least` seconds before it."""
        for address in addresses:
            slowest = self._slowest_of(address)
            while slowest and slowest[-1][0] >= least:
                stalled_seconds, connection = slowest.pop()
                if (
                    connection in self._connections
                    and connection.is_waited_for
                    and connection.stalled_seconds >= stalled_seconds
                ):
                    return connection
        return None

    def _slowest_of(self, address: str) -> list[tuple[float, WatchedConnection]]:
        """Find them once a look, however many new ones there are."""
        if address not in self._slowest:
            found = [(one.stalled_seconds, one) for one in self._connections if one.address == address]
            self._slowest[address] = sorted(found, key=lambda pair: pair[0])
        return self._slowest[address]

    def _arm(self) -> None:
        self._looked_at = self._loop.time()
        self._timer = self._loop.call_later(self._interval, self._look)

    def _look(self) -> None:
        seconds = min(self._loop.time() - self._looked_at, 2 * self._interval)
        self._timer = None
        self._slowest.clear()
        if not self._connections:
            return
        self._arm()
        self._look_at(list(self._connections), seconds)

    def _look_at(self, connections: Sequence[WatchedConnection], seconds: float) -> None:
        for connection in connections[:AT_ONCE]:
            if connection in self._connections:  # it may have ended since
                connection.check_timeout(seconds)
                self._note_idle(connection)
        if rest := connections[AT_ONCE:]:
            self._loop.call_soon(self._look_at, rest, seconds)

    def _note_idle(self, connection: WatchedConnection) -> None:
        if not connection.has_asked_nothing:
            self._silent.pop(connection, None)
            if connection.is_idle:
                self._idle[connection] = None
