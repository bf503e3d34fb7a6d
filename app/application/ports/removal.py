"""The port through which activities are taken out for good, with all that was counted of them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.domain.activities import ActivityId
from app.domain.removal import ToRemove
from app.domain.rollups import Day


class RemovalStep(NamedTuple):
    """What one step has removed."""

    ids: Sequence[ActivityId]
    place: str | None
    """Where the next step goes on; it means something to the store alone. None: nothing follows."""


class FiguresIncompleteError(Exception):
    """The figures do not count what is to leave; the message says what to do."""

    def __init__(self, figure: str) -> None:
        """Name one of them."""
        super().__init__(
            f"{figure}: less is counted than is to leave, for the figures were reset or are younger than the "
            "activities: run `marquee stats rebuild` first"
        )


class ActivityRemoval(Protocol):
    """The way out of the store. Figures agree with what is left after every step.

    All methods raise HistoryUnavailableError; whether the step was taken is then unknown, and taking it again is safe.
    """

    @abstractmethod
    async def remove(self, wanted: ToRemove, after: str = "", *, frees_ids: bool) -> RemovalStep:
        """Take out the next of those wanted, behind a place; some thousands, in one transaction.

        Nobody counts meanwhile. With `frees_ids` they count again when they come again, else never.

        Raises:
            FiguresIncompleteError: nothing was removed.
        """

    @abstractmethod
    async def have_left(self, day: Day) -> bool:
        """Tell whether activities of a day (UTC) may have left, so that what they were counted for stays for ever."""

    @abstractmethod
    async def forget_frozen_days(self, wanted: ToRemove) -> bool:
        """Take from these visitors the days whose activities have left; tell whether there were any.

        What was counted by type on these days stays.
        """

    @abstractmethod
    async def spend(self, ids: Sequence[ActivityId]) -> None:
        """See that activities with these ids never count, which are not stored yet."""


class RecentIds(Protocol):
    """What the door remembers of the ids that came in the last minutes."""

    @abstractmethod
    async def free(self, ids: Sequence[ActivityId]) -> None:
        """Forget ids, so that activities with these are taken again.

        Raises:
            LiveStateUnavailableError: they are remembered until the window of the deduplication ends.
        """
