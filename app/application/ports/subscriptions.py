"""The port of what readers of brokers say of themselves, so that any process can tell how a subscription fares."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SubscriptionReader:
    """How a process fares that reads a subscription."""

    subscription: str
    process_id: str
    trouble: str | None
    """Why nothing comes in now; None while it reads."""
    last_trouble: str | None
    """The trouble before, if there was one."""
    last_trouble_at: datetime | None
    backlog: int | None
    """Messages that wait at the broker, roughly; None where that cannot be told."""


class SubscriptionReaders(Protocol):
    """What the readers of all processes say of themselves.

    All methods raise LiveStateUnavailableError.
    """

    @abstractmethod
    async def note(self, reader: SubscriptionReader) -> None:
        """Put it in the place of what the same process said of the same subscription; a sign of life, too."""

    @abstractmethod
    async def leave(self, reader: SubscriptionReader) -> None:
        """Say that the process reads this subscription no more."""

    @abstractmethod
    async def reading(self) -> Sequence[SubscriptionReader]:
        """List those that gave a sign of life in the last seconds, by subscription and process."""
