"""What a broker is to Marquee, whichever it is: messages that come again until they are settled."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class SubscriptionUnavailableError(Exception):
    """A broker cannot be reached, or does not let us read; the message says why, without secrets."""


class Fate(StrEnum):
    """What becomes of a message that was in hand."""

    TAKEN = "taken"
    """It is safe with us, and never comes again."""
    REFUSED = "refused"
    """It can never be taken: it goes where the broker has a place for such, and keeps nothing behind it waiting."""
    PUT_OFF = "put_off"
    """It met an error of ours: it comes again after a while."""
    GIVEN_BACK = "given_back"
    """It was not looked at: whoever asks next gets it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message in hand: nobody else gets it until it is settled, or was not held for too long."""

    body: bytes
    headers: Mapping[bytes, bytes]
    """By their names in small letters."""
    identity: str
    """The same whenever it is delivered, and whenever its publisher repeats it under an id of its own; else another."""
    sent_at: datetime
    """When the broker got it, by the broker's clock (aware, UTC)."""
    receipt: Any
    """What its adapter settles it by."""


class Subscription(Protocol):
    """One open subscription: every message of it comes at least once, in any order.

    Each method raises SubscriptionUnavailableError; what was in hand then comes again, and the subscription is to be
    opened anew.
    """

    ack_timeout: float
    """Seconds that a message may be in hand without a word; then it comes again, here or elsewhere."""

    @abstractmethod
    async def take(self) -> Sequence[Message]:
        """Wait some seconds for messages, and give all that are there, up to a bound; none is an answer, too."""

    @abstractmethod
    async def hold(self, messages: Sequence[Message]) -> None:
        """Say that they are still in hand, for another `ack_timeout`."""

    @abstractmethod
    async def settle(self, messages: Sequence[Message], fate: Fate) -> None:
        """Let go of them, all to one fate."""

    @abstractmethod
    async def backlog(self) -> int | None:
        """Count the messages that wait for us, roughly; None where that cannot be told."""


OpenSubscription = Callable[[], AbstractAsyncContextManager[Subscription]]
"""Opens it, and closes it at the end of the block; raises SubscriptionUnavailableError."""
