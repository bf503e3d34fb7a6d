"""How long a client is waited for, counted in the looks of a sweep."""

from enum import Enum, auto

from app.adapters.inbound.http.connection.edge_limits import EdgeLimits

PROGRESS = 16 * 1024
"""Bytes of an answer that a client must take within `write_timeout`: about 0.5 KB/s. Of a body, they are progress."""


class Stage(Enum):
    """What a client is waited for."""

    HEAD = auto()
    BODY = auto()
    TAKING = auto()
    """It has yet to take what was written."""
    LEAVING = auto()
    """It was refused, and may take in why."""


class ClientTimeout:
    """With one connection. A stage begins when a look finds it first."""

    __slots__ = ("_limits", "_received", "_request", "_stage", "_untaken", "_waited", "slowness")

    def __init__(self, limits: EdgeLimits) -> None:
        self._limits = limits
        self._stage: Stage | None = None
        self._request: object = None
        self._waited = 0.0
        self._untaken = 0
        self._received = 0
        self.slowness = 0.0
        """Seconds for which the client has been waited for and made no progress, with an answer or with a body."""

    def begin_anew(self) -> None:
        """Note that the client took most of what was written."""
        self._waited = self.slowness = 0.0

    def rest(self) -> None:
        """Note that the connection is idle: what comes next has all its time."""
        self._stage = self._request = None
        self.slowness = 0.0

    def ends(self, stage: Stage | None, request: object, untaken: int, seconds: float, received: int = 0) -> bool:
        """Note what a look found, `seconds` after the one before; True when the client has had its time."""
        if stage is None:
            self._stage = self._stage if self._stage is Stage.BODY else None  # its time goes on where it stopped
            self.slowness = 0.0
            return False
        if stage is not self._stage or request is not self._request or untaken <= self._untaken - PROGRESS:
            self._stage, self._request, self._waited, self._untaken = stage, request, 0.0, untaken
            self._received, self.slowness = received, 0.0
            return False
        self._waited += seconds
        self._untaken = max(self._untaken, untaken)
        self.slowness += seconds
        if received >= self._received + PROGRESS:
            self._received, self.slowness = received, 0.0
        return self._waited >= self._longest(stage)

    def _longest(self, stage: Stage) -> float:
        limits = self._limits
        return {
            Stage.HEAD: limits.header_timeout,
            Stage.BODY: limits.body_timeout,
            Stage.TAKING: limits.write_timeout,
            Stage.LEAVING: limits.linger,
        }[stage]
