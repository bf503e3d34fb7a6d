"""The port through which activities are taken out for good, with all that was counted of them."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from app.domain.activities import ActivityId
from app.domain.activity_spans import ActivitySpan


@dataclass(frozen=True, slots=True)
class ToRemove:
    """Which activities are to go: those of which one of these is true. None, or an empty set: nobody by that."""

    import_id: int | None = None
    """An import brought them."""
    users: frozenset[str] = frozenset()
    """User ids; statements go as well that say something of them."""
    anonymous: frozenset[str] = frozenset()
    """Anonymous ids. What they did as a user is the user's."""
    source: str | None = None
    ids: frozenset[ActivityId] = frozenset()
    span: ActivitySpan = field(default_factory=ActivitySpan)
    """None of them lies outside; the smaller it is, the less is read."""


class RemovalStep(NamedTuple):
    """What one step has removed."""

    ids: Sequence[ActivityId]
    place: str | None
    """Where the next step goes on; it means something to the store alone. None: nothing follows."""


class FiguresIncompleteError(Exception):
    """The figures do not count what is to be taken out; the message says what to do."""

    def __init__(self, figure: str) -> None:
        """Name one of them."""
        super().__init__(
            f"{figure}: less is counted than is to be taken out, for the figures were reset or are younger than the "
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
    async def forget_frozen_days(self, wanted: ToRemove) -> bool:
        """Take from these visitors the days whose activities have left; tell whether there were any.

        What was counted by type on these days stays.
        """
