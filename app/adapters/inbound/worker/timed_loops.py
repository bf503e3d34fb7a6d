"""What a worker process does every so many seconds, beside its other work."""

import asyncio
from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from app.adapters.inbound.worker.leased_loop import LeasedLoop
from app.application.expire_activities import ExpireActivities
from app.application.note_types import NoteTypes
from app.application.ports.removal import FiguresIncompleteError
from app.application.ports.system import HistoryUnavailableError
from app.application.verify_stats import VerifyStats


@dataclass(slots=True, kw_only=True)
class TimedLoop(LeasedLoop):
    """Do one thing, and rest, for ever."""

    every: float
    """Seconds."""

    async def work(self, until: float) -> None:
        """Do it whenever it is time."""
        while self.now() < until:
            await self.act()
            self.tell(None)
            await asyncio.sleep(self.every)

    @abstractmethod
    async def act(self) -> None:
        """Do it once; raises as `work` does."""


@dataclass(slots=True, kw_only=True)
class TypeLoop(TimedLoop):
    """Tell the doors what imports brought past them. Two at a time would do no harm: a set has each type once."""

    lease: ClassVar[str] = ":types"
    waits: ClassVar[str] = "types of imported activities are not told to the doors for now"
    goes_on: ClassVar[str] = "types of imported activities are told to the doors again"

    note: NoteTypes
    every: float = 30.0

    async def act(self) -> None:
        """Note them."""
        await self.note()


@dataclass(slots=True, kw_only=True)
class VerifyLoop(TimedLoop):
    """Compare the figures with the activities once a day. Two at a time would do no harm but read everything twice."""

    lease: ClassVar[str] = ":verify"
    waits: ClassVar[str] = "the figures cannot be compared with the activities for now"
    goes_on: ClassVar[str] = "the figures can be compared with the activities again"

    verify: VerifyStats
    every: float = 10.0
    _since: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Leave out what was due before this process began, when there never was a verification."""
        LeasedLoop.__post_init__(self)  # slots and dataclass make a new class, which super() does not know
        self._since = self.verify.clock.now()

    async def act(self) -> None:
        """Verify when it is due."""
        await self.verify(self._since)


@dataclass(slots=True, kw_only=True)
class ExpiryLoop(TimedLoop):
    """Let old activities leave, at the start and then every hour. Two at a time do no harm: each step is whole."""

    lease: ClassVar[str] = ":expiry"
    waits: ClassVar[str] = "old activities do not leave for now"
    goes_on: ClassVar[str] = "old activities leave again"

    expire: ExpireActivities
    every: float = 3600.0

    async def act(self) -> None:
        """Let them leave; figures that are to be made anew first are waited for."""
        try:
            await self.expire()
        except FiguresIncompleteError as error:
            raise HistoryUnavailableError(str(error)) from None
