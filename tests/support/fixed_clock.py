"""A clock that a test moves."""

from datetime import datetime, timedelta

from app.application.ports.system import Clock
from tests.support.builders import NOW


class FixedClock(Clock):
    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
