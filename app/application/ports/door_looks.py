"""The port of the looks at the door's counter: so that the curve of the last hour outlives the process that drew it."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from app.domain.activity_curve import CounterLook


class DoorLooks(Protocol):
    """The first look of every step of the last hour at how many activities were received, by whichever process."""

    @abstractmethod
    async def note(self, look: CounterLook) -> None:
        """Keep a look, unless there is one of its step already; those of more than an hour before it may go.

        Raises:
            LiveStateUnavailableError: as in every method here.
        """

    @abstractmethod
    async def recent(self) -> Sequence[CounterLook]:
        """List those that are kept, in no order: those of the last hour, and perhaps older ones."""
