"""The ports of publishing: where domain events come from, and to whom they are told."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.domain_events import DomainEvent


class PublisherUnavailableError(Exception):
    """A publisher cannot take what it was given now; the message says why. It is given the same again later."""


@dataclass(frozen=True, slots=True)
class LoggedFact:
    """A domain event and its place in its log."""

    position: int
    """Grows in a log, with gaps; 0 is before the first."""
    fact: DomainEvent


@dataclass(frozen=True, slots=True)
class ToldCounts:
    """How many domain events a publisher was told."""

    published: int = 0
    failed: int = 0
    """Not taken at an attempt; one that is not taken ten times counts ten."""


class DomainEventLog(Protocol):
    """What happened, in order: written with the change itself, or from the log that was.

    For ever, but for what syncs did: of that the newest are kept, far more than happens while nobody publishes.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What the log is called: `plans`, `users` or `syncs`."""

    @abstractmethod
    async def read(self, after: int, limit: int) -> Sequence[LoggedFact]:
        """Read the first `limit` that follow a position, in order.

        Nothing is ever written before a position that somebody has read: positions become visible in their order.

        Raises:
            HistoryUnavailableError: as in every method here; or, of a log that lies in the live state,
                LiveStateUnavailableError.
        """

    @abstractmethod
    async def head(self) -> int:
        """Say the position of the last one; 0 for an empty log. Costs next to nothing."""


class DomainEventPublisher(Protocol):
    """Somebody to whom domain events are told."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the publisher is called; its positions are kept under this name."""

    @abstractmethod
    async def publish(self, facts: Sequence[DomainEvent]) -> None:
        """Tell them, in order. At least once: after a failure or a crash the same come again, with the same ids.

        Raises:
            PublisherUnavailableError: the first of them may have been told.
        """


class PublishingPositions(Protocol):
    """Up to where each publisher has been told each log. All methods raise HistoryUnavailableError."""

    @abstractmethod
    async def of(self, publisher: str) -> Mapping[str, int]:
        """Say the position in each log; without those of which nothing was told yet."""

    @abstractmethod
    async def move(self, publisher: str, log: str, position: int, published: int) -> None:
        """Move on, and count how many were told. A position is never set back."""

    @abstractmethod
    async def note_failure(self, publisher: str, log: str, failed: int) -> None:
        """Count domain events that a publisher did not take at an attempt."""

    @abstractmethod
    async def counts(self) -> Mapping[str, ToldCounts]:
        """Count over all logs, by the publishers' names; without those of which nothing was ever counted."""
