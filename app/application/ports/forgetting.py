"""The ports through which somebody is forgotten, wherever something is kept of them, and stays forgotten."""

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.domain.activities import ActivityId
from app.domain.removal import ToRemove


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is remembered of having forgotten: nothing by which anybody could be named."""

    forgetting_id: UUID
    at: datetime
    digests: frozenset[str]
    """Of users, anonymous ids and sources (app.domain.removal.digests_of)."""
    ids: frozenset[ActivityId] = frozenset()
    """Of the activities that are gone: none of them may count again."""


class ForgetListError(Exception):
    """The list cannot be read or written; the message says where it is, and why."""


class ForgetList(Protocol):
    """All that was ever forgotten, kept outside the database: one that is set back does not lose it.

    All methods raise ForgetListError. What was written is safe from the end of the machine.
    """

    @abstractmethod
    def begin(self, forgetting: Forgetting) -> None:
        """Add an entry."""

    @abstractmethod
    def add_ids(self, forgetting_id: UUID, ids: Collection[ActivityId]) -> None:
        """Add ids to an entry."""

    @abstractmethod
    def entries(self) -> Sequence[Forgetting]:
        """List them, in the order in which they were begun."""


class ForgottenNames(Protocol):
    """What the database knows of names, and of what was forgotten in it. All raise HistoryUnavailableError."""

    @abstractmethod
    async def anonymous_of(self, users: Collection[str]) -> frozenset[str]:
        """Find the anonymous ids that belong to users."""

    @abstractmethod
    async def matching(self, digests: Collection[str]) -> ToRemove:
        """Find the users, anonymous ids and sources of activities that have these digests."""

    @abstractmethod
    async def note(self, forgetting: Forgetting) -> None:
        """Note that this database has forgotten; again is safe."""

    @abstractmethod
    async def noted(self) -> frozenset[UUID]:
        """List what was noted."""


class QueuedActivities(Protocol):
    """What waits in the queue, and what was buried. Both methods raise LiveStateUnavailableError."""

    @abstractmethod
    async def ids_of(self, wanted: ToRemove) -> Sequence[ActivityId]:
        """Find those that wait and are wanted; they stay there, and must not be stored."""

    @abstractmethod
    async def forget_letters(self, wanted: ToRemove) -> Sequence[ActivityId]:
        """Take those that are wanted out of the dead letters, and return their ids; the others of a letter stay."""


class ToldActivities(Protocol):
    """What was told, or is to be told, of activities to webhooks."""

    @abstractmethod
    async def forget(self, wanted: ToRemove) -> int:
        """Delete the deliveries that tell of those wanted, with their attempts; return how many.

        Raises:
            HistoryUnavailableError: none was deleted.
        """
