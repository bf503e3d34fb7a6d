"""The ports to what syncs find out of a provider's feed beside its plans."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from app.application.ports.system import Lease
from app.domain.plans import PlanId
from app.domain.proposed_changes import HeldChanges
from app.domain.rejection_list import StandingRejection
from app.domain.settling import Absence
from app.domain.sync_transitions import SyncTransition


class RejectionLists(Protocol):
    """What of each provider's feed cannot be used now, and the newest of what has been mended. Both are bounded.

    All methods raise LiveStateUnavailableError.
    """

    @abstractmethod
    async def standing(self, provider: str, limit: int) -> Sequence[StandingRejection]:
        """List the first `limit` rejections that stand, in the order in which they were noted."""

    @abstractmethod
    async def mended(self, provider: str, limit: int) -> Sequence[StandingRejection]:
        """List the `limit` rejections that were mended last, the newest first."""

    @abstractmethod
    async def note(
        self, lease: Lease, standing: Sequence[StandingRejection], mended: Sequence[StandingRejection] = ()
    ) -> None:
        """Replace those that stand, and add to those that were mended, of the lease's provider.

        Raises:
            LeaseLostError: as in `CatalogUpdate.commit`.
        """


class HeldPlans(Protocol):
    """What the gate holds of each provider. All methods raise LiveStateUnavailableError."""

    @abstractmethod
    async def find(self, provider: str) -> HeldChanges | None:
        """Say what is held; None when nothing is."""

    @abstractmethod
    async def keep(self, lease: Lease, held: HeldChanges | None) -> None:
        """Replace what is held of the lease's provider; nothing is by None.

        Raises:
            LeaseLostError: as in `CatalogUpdate.commit`.
        """


class Absences(Protocol):
    """Which plans of each provider are absent from its feed, and wait until that counts (`settle`).

    All methods raise LiveStateUnavailableError.
    """

    @abstractmethod
    async def find(self, provider: str) -> Mapping[PlanId, Absence]:
        """Say which wait; empty when none does."""

    @abstractmethod
    async def keep(self, lease: Lease, absences: Mapping[PlanId, Absence]) -> None:
        """Replace those of the lease's provider.

        Raises:
            LeaseLostError: as in `CatalogUpdate.commit`.
        """


class TransitionLog(Protocol):
    """Where it is said that a provider's syncs have begun to fail, or are good again, for those who tell others."""

    @abstractmethod
    async def append(self, provider: str, transitions: Sequence[SyncTransition]) -> None:
        """Add them, in their order. Twice the same is one domain event, which is told twice.

        Raises:
            LiveStateUnavailableError: some of them may have been added.
        """
