"""The port to the lists of plans: what search finds, and what it has no words for."""

from abc import abstractmethod
from typing import Protocol

from app.domain.plan_listing import PlanPage, PlanQuestion


class PlansNotLoadedError(Exception):
    """This process knows no plans yet: it has just started, or the catalog's store has not answered since."""

    def __init__(self) -> None:
        """Say it to whoever asked."""
        super().__init__("the plans are not loaded yet: their store has not answered since this process began")


class PlanList(Protocol):
    """The plans that search may find, those that left their feed too, as they are known in one instant."""

    @abstractmethod
    async def page(self, question: PlanQuestion) -> PlanPage:
        """Find what follows a position, by start, then by id (as text), both the other way round when descending.

        Needs neither the live state nor the history. A page has `limit` plans at the most; it may have fewer, or none,
        before the end, when a filter leaves so little that it takes long to find: only `PlanPage.end` tells the end.
        Others are served meanwhile. Pages that are read one behind the other have each plan that does not move in
        between just once, whatever becomes of others.

        Raises:
            PlansNotLoadedError: ask again later.
        """
