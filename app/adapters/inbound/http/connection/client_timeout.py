"""The timeout of one connection, counted from look to look of a sweep."""

from enum import Enum

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits

PROGRESS = 16 * 1024
"""Bytes of an answer that a client must take within `write_timeout`: about 0.5 KB/s. Of a body, they are progress."""


class Stage(Enum):
    """What a client is waited for, each with a timeout of its own: the one of ConnectionLimits that it names."""

    HEAD = "header_timeout"
    BODY = "body_timeout"
    WRITE = "write_timeout"
    """It has yet to take what was written."""
    LINGER = "linger"
    """It was refused, and may take in why."""


class ClientTimeout:
    """Of one connection. A stage begins when a look finds it first."""

    __slots__ = ("_limits", "_received", "_request", "_stage", "_untaken", "_waited", "stalled_seconds")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._stage: Stage | None = None
        self._request: object = None
        self._waited = 0.0
        self._untaken = 0
        self._received = 0
        self.stalled_seconds = 0.0
        """Seconds for which the client has been waited for and made no progress, with an answer or with a body."""

    def restart(self) -> None:
        """Note that the client took most of what was written."""
        self._waited = self.stalled_seconds = 0.0

    def note_idle(self) -> None:
        """Note that the connection is idle: what comes next has all its time."""
        self._stage = self._request = None
        self.stalled_seconds = 0.0

    def is_over(self, stage: Stage | None, request: object, untaken: int, seconds: float, received: int = 0) -> bool:
        """Note what a look found, `seconds` after the one before; True when the client has had its time."""
        if stage is None:
            self._stage = self._stage if self._stage is Stage.BODY else None  # its time goes on where it stopped
            self.stalled_seconds = 0.0
            return False
        if stage is not self._stage or request is not self._request or untaken <= self._untaken - PROGRESS:
            self._stage, self._request, self._waited, self._untaken = stage, request, 0.0, untaken
            self._received, self.stalled_seconds = received, 0.0
            return False
        self._waited += seconds
        self._untaken = max(self._untaken, untaken)
        self.stalled_seconds += seconds
        if received >= self._received + PROGRESS:
            self._received, self.stalled_seconds = received, 0.0
        return self._waited >= float(getattr(self._limits, stage.value))
