"""The ports of the figures that several processes make together: who runs, what they have counted and verified."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process of the service."""

    process_id: str
    """Unique in the whole installation."""
    role: str
    """`api`, `worker` or `scheduler`."""
    started_at: datetime


class Presence(Protocol):
    """Which processes run, on whatever machine."""

    @abstractmethod
    async def announce(self, process: RunningProcess) -> None:
        """Give a sign of life; a process that gives none for some seconds is taken for ended.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def leave(self, process: RunningProcess) -> None:
        """Say that the process ends."""

    @abstractmethod
    async def running(self) -> Sequence[RunningProcess]:
        """List those that run, by role and start."""


class Figure(NamedTuple):
    """The name of a count: a word from `app.application.figures`, and the values of its labels."""

    name: str
    labels: tuple[str, ...] = ()


class Tally(Protocol):
    """Counts that processes without an HTTP port add to; they lie where every API process can read them."""

    @abstractmethod
    def add(self, figure: Figure, amount: float = 1) -> None:
        """Count. Never waits, never fails; what a killed process had not handed over is lost (about a second)."""


class SharedFigures(Protocol):
    """What all processes have counted together."""

    @abstractmethod
    async def read(self) -> Mapping[Figure, float]:
        """Read every count since the first one ever.

        Raises:
            LiveStateUnavailableError: nobody can tell now.
        """


@dataclass(frozen=True, slots=True)
class Verification:
    """A comparison of all figures with the activities."""

    begun_at: datetime
    differs: bool


class Verifications(Protocol):
    """What came of the last verification, whichever process made it.

    All methods raise LiveStateUnavailableError.
    """

    @abstractmethod
    async def note(self, verification: Verification) -> None:
        """Put it in the place of the one before."""

    @abstractmethod
    async def last(self) -> Verification | None:
        """Give the one that was noted last; None before the first."""
