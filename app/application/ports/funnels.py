"""The port to the instants that funnels are asked of."""

from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from app.domain.errors import DomainError
from app.domain.funnels import FunnelEvidence


class ActivitiesGoneError(DomainError):
    """Activities that a question has to be answered from have left."""

    def __init__(self, types: Collection[str], since: date) -> None:
        """Say from which day on they are there, and of which types nothing but them is kept."""
        super().__init__(
            f"activities before {since} have left, and of {', '.join(types)} nothing else is kept: ask from {since} on"
        )


@dataclass(frozen=True, slots=True)
class WantedInstants:
    """Which instants a funnel is answered from."""

    first_type: str
    later_types: Collection[str]
    first: date
    """The first day of first steps, in the zone of the stats."""
    last: date
    """The last one, included."""
    reach: timedelta
    """How long later steps may follow a first one."""
    raw: Collection[str] = ()
    """The types whose instants are not kept: they are read from the activities, one by one."""


class FunnelInstants(Protocol):
    """When visitors did what. All methods raise HistoryUnavailableError when nobody can tell now."""

    @abstractmethod
    async def kept_types(self) -> Collection[str]:
        """Name the types whose instants are kept, all of them."""

    @abstractmethod
    async def evidence(self, wanted: WantedInstants, go_on: Callable[[], None]) -> FunnelEvidence:
        """Read what is wanted, and who is one person; it may have later steps that nobody can reach.

        Where it reads activities it calls `go_on` again and again, which raises what is to end it.

        Raises:
            ActivitiesGoneError: a type of `raw` is asked of days whose activities have left.
        """
