"""What the memory adapters share: a catalog as plain dicts."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from app.application.ports.catalog import Behind, LeaseLostError, LoggedChange, LogPosition, ProviderState
from app.application.ports.history import JournalEntry
from app.application.ports.system import Lease, LiveStateUnavailableError
from app.domain.plans import Plan, PlanId, SearchablePlan
from app.domain.proposed_changes import HeldChanges
from app.domain.reconciliation import KnownPlan
from app.domain.rejection_list import StandingRejection
from app.domain.settling import Absence
from app.domain.sync_runs import SyncReport
from app.domain.sync_transitions import SyncTransition


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
    state: ProviderState = field(default_factory=ProviderState)
    reports: deque[SyncReport] = field(default_factory=deque)
    standing: list[StandingRejection] = field(default_factory=list)
    mended: list[StandingRejection] = field(default_factory=list)
    held: HeldChanges | None = None
    absences: dict[PlanId, Absence] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def head(self) -> LogPosition:
        """Where its log ends."""
        return self.position(self.sequence)

    def position(self, sequence: int) -> LogPosition:
        """Name the entry that stands at a place, if one does."""
        found = (
            f"{logged.told.run_id} {logged.told.plan_id}" for logged in self.log if logged.told.sequence == sequence
        )
        return LogPosition(self.epoch, sequence, next(found, ""))

    def behind(self, provider: str, after: LogPosition) -> Behind | None:
        """Say why the log does not lead on from a position; None when it does."""
        there = self.position(after.sequence).entry
        is_this_log = after.epoch == self.epoch and after.sequence <= self.sequence
        following = [logged.told.sequence for logged in self.log if logged.told.sequence > after.sequence]
        whole = following == list(range(after.sequence + 1, self.sequence + 1))
        if self.sequence and is_this_log and whole and after.entry in ("", there):
            return None
        oldest = LogPosition(self.epoch, self.log[0].told.sequence - 1) if self.log else None
        trimmed = is_this_log and (not after.entry or there in ("", after.entry))
        return Behind(provider, self.head if self.sequence else None, oldest, trimmed)


class MemoryStore:
    """One process's stand-in for Redis."""

    def __init__(self) -> None:
        self.unavailable: str | None = None
        """Set it to a reason, and every port on this store raises LiveStateUnavailableError with it."""
        self.refusal: str | None = None
        """Set it to a reason, and the queue's figures say that no writes are taken."""
        self.transitions: list[tuple[str, SyncTransition]] = []
        """Of the syncs of all providers."""
        self.leases: dict[Lease, float] = {}
        """Who holds what until when (`time.monotonic`, s)."""
        self.written = asyncio.Event()
        """Set with every commit, cleared by whoever waits for the next one."""
        self._fences: dict[str, int] = {}
        self._numbers = count(1)
        self._shelves: dict[str, Shelf] = {}

    @property
    def providers(self) -> list[str]:
        """Who has a plan, sorted."""
        return sorted(name for name, shelf in self._shelves.items() if shelf.known)

    @property
    def heads(self) -> dict[str, LogPosition]:
        """Where the logs of those end.

        Raises:
            LiveStateUnavailableError: see `unavailable`.
        """
        self.check()
        return {name: self._shelves[name].head for name in self.providers}

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
        self.transitions.clear()
        self._fences.clear()
