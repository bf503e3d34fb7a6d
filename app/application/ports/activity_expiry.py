"""The port through which raw activities leave, while what was counted of them stays."""

from abc import abstractmethod
from datetime import date
from typing import Protocol


class ActivityExpiry(Protocol):
    """Removes raw activities by age, in steps of which each is one transaction and short: nobody is held up for long.

    All methods raise HistoryUnavailableError; then the step has done nothing, and the next one may go on.
    """

    @abstractmethod
    async def remove_some(self, before: date) -> int | None:
        """Remove some of the raw activities of the days before a date; return how many, None when none is left.

        With the first of them all that was counted of their days is frozen. Ids stay known. Days are those of the
        stats; what can only be removed together (a month, where each has a table of its own) stays until all of it is
        of days before the date.

        Raises:
            FiguresIncompleteError: the figures do not count them, and nobody could make them anew afterwards.
        """

    @abstractmethod
    async def give_back(self) -> bool:
        """Give some of the room on the disk back that removed activities have left; tell whether there is more."""
