"""What the memory adapters share: a catalog as plain dicts."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from app.application.ports.catalog import LeaseLostError, LoggedChange, ProviderState
from app.application.ports.history import JournalEntry, LogPosition
from app.application.ports.system import Lease, LiveStateUnavailableError
from app.domain.feeds import Rejection
from app.domain.plans import Plan, PlanId, SearchablePlan
from app.domain.reconciliation import KnownPlan
from app.domain.sync_runs import SyncReport


class Logged(NamedTuple):
    """One change as the log has it, for those who follow it and for the journal."""

    told: LoggedChange
    entry: JournalEntry


@dataclass(slots=True, eq=False)
class Shelf:
    """All that is kept of one provider."""

    epoch: int
    """The number of its log; another shelf has another one."""

    plans: dict[PlanId, Plan] = field(default_factory=dict)
    known: dict[PlanId, KnownPlan] = field(default_factory=dict)
    summaries: dict[PlanId, SearchablePlan] = field(default_factory=dict)
    log: deque[Logged] = field(default_factory=deque)
    sequence: int = 0
    """That of the newest log entry; 0 before the first."""
    consumers: dict[str, LogPosition] = field(default_factory=dict)
    """Up to where each of those has stored the log."""
    written: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with every commit, cleared by whoever waits for the next one."""
    state: ProviderState = field(default_factory=ProviderState)
    reports: deque[SyncReport] = field(default_factory=deque)
    rejections: list[Rejection] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)


class MemoryStore:
    """One process's stand-in for Redis."""

    def __init__(self) -> None:
        self.unavailable: str | None = None
        """Set it to a reason, and every port on this store raises LiveStateUnavailableError with it."""
        self.refusal: str | None = None
        """Set it to a reason, and the queue's figures say that no writes are taken."""
        self.leases: dict[Lease, float] = {}
        """Who holds what until when (`time.monotonic`, s)."""
        self._fences: dict[str, int] = {}
        self._numbers = count(1)
        self._shelves: dict[str, Shelf] = {}

    @property
    def providers(self) -> list[str]:
        """Who has a plan, sorted."""
        return sorted(name for name, shelf in self._shelves.items() if shelf.known)

    def shelf(self, provider: str) -> Shelf:
        """Look up a provider's shelf; an empty one for a provider never seen.

        Raises:
            LiveStateUnavailableError: see `unavailable`.
        """
        self.check()
        if provider not in self._shelves:
            self._shelves[provider] = Shelf(next(self._numbers))
        return self._shelves[provider]

    def fenced_shelf(self, lease: Lease) -> Shelf:
        """Look up the shelf to write to.

        Raises:
            LeaseLostError: the lease is not the newest of its provider.
            LiveStateUnavailableError: see `unavailable`.
        """
        shelf = self.shelf(lease.provider)
        if self._fences.get(lease.provider) != lease.fence:
            raise LeaseLostError(f"the lease on {lease.provider!r} (fence {lease.fence}) was taken by another process")
        return shelf

    def new_fence(self, provider: str) -> int:
        """Raise the fence: above all before, also those that were lost."""
        self._fences[provider] = next(self._numbers)
        return self._fences[provider]

    def check(self) -> None:
        """Refuse to serve while unavailable.

        Raises:
            LiveStateUnavailableError: see `unavailable`.
        """
        if self.unavailable is not None:
            raise LiveStateUnavailableError(self.unavailable)

    def lose_everything(self) -> None:
        """Become as empty as a server that was replaced."""
        self._shelves.clear()
        self.leases.clear()
        self._fences.clear()
