"""Domain events: facts about our own model that are told to others. Past-tense sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import ClassVar

from app.domain.gate import HoldReason
from app.domain.plans import PlanId, SearchablePlan
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from app.domain.sync_transitions import SyncTransition, TransitionKind
from app.domain.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """A fact. `name` is its kind as subscribers choose it: `plan.changed`, `user.created`."""

    name: ClassVar[str]
    event_id: str
    """One fact has one id for ever: who hears of it twice can tell."""
    occurred_at: datetime

    @property
    def subject(self) -> str:
        """What it is about: `plans/UUID`, `users/UUID`. Facts about one subject are told in their order."""
        raise NotImplementedError

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a subscriber may have chosen to hear of it; the first is `name`."""
        return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFact(DomainEvent):
    """What became of a plan in one sync."""

    provider: str
    plan_id: PlanId
    kinds: tuple[ChangeKind, ...]
    run_id: str
    in_feed: bool
    """Whether the provider sells it still."""
    is_searchable: bool
    """Whether a search may find it: it was online at least once (ADR 0007)."""
    state: SearchablePlan
    """As it is known from then on; a withdrawn plan keeps its last state."""

    @property
    def subject(self) -> str:
        """The plan."""
        return f"plans/{self.plan_id}"

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each thing that happened."""
        return (self.name, *(f"plan.{kind}" for kind in self.kinds if f"plan.{kind}" != self.name))


class PlanListed(PlanFact):
    """It is sold for the first time."""

    name = "plan.listed"


class PlanChanged(PlanFact):
    """It is sold otherwise than before."""

    name = "plan.changed"


class PlanWithdrawn(PlanFact):
    """It left the feed."""

    name = "plan.withdrawn"


class PlanReturned(PlanFact):
    """It is sold again."""

    name = "plan.returned"


class PlanWentOnline(PlanFact):
    """It was offline before."""

    name = "plan.went_online"


class PlanWentOffline(PlanFact):
    """It was online before."""

    name = "plan.went_offline"


class PlanRetimed(PlanFact):
    """Its provider's clock shows what it showed; newer time zone rules make it another instant."""

    name = "plan.retimed"


class PlanSuperseded(PlanFact):
    """It is over, and its provider uses its ids for another plan."""

    name = "plan.superseded"


class PlanRestored(PlanFact):
    """Its state was taken over from elsewhere than a feed: the way from the state before is not known."""

    name = "plan.restored"


PLAN_FACTS: dict[ChangeKind, type[PlanFact]] = {
    ChangeKind.LISTED: PlanListed,
    ChangeKind.WITHDRAWN: PlanWithdrawn,
    ChangeKind.RETURNED: PlanReturned,
    ChangeKind.CHANGED: PlanChanged,
    ChangeKind.WENT_ONLINE: PlanWentOnline,
    ChangeKind.WENT_OFFLINE: PlanWentOffline,
    ChangeKind.RETIMED: PlanRetimed,
    ChangeKind.SUPERSEDED: PlanSuperseded,
    ChangeKind.RESTORED: PlanRestored,
}
"""The first of these kinds among those of a change gives the domain event its name."""


def plan_fact_of(kinds: tuple[ChangeKind, ...]) -> type[PlanFact]:
    """Choose the class that tells of a change."""
    return next(kind for which, kind in PLAN_FACTS.items() if which in kinds)


def plan_event_id(number: int, plan_id: PlanId, occurred_at: datetime, run_id: str) -> str:
    """Make the id of what became of a plan: its number in the journal, and 16 hexadecimal digits over what it is.

    Numbers alone come back: a database that was restored from a backup gives them to other facts, and so do others'.
    """
    fact = f"{plan_id}\n{occurred_at.isoformat()}\n{run_id}"
    return f"plan-{number}-{blake2b(fact.encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFact(DomainEvent):
    """What became of a user."""

    user: User
    """As it is from then on."""

    @property
    def subject(self) -> str:
        """The user."""
        return f"users/{self.user.user_id}"


class UserCreated(UserFact):
    """There is a new user."""

    name = "user.created"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdated(UserFact):
    """A user was changed."""

    name = "user.updated"
    fields: tuple[str, ...]
    """What was changed."""


class UserDeleted(UserFact):
    """A user was deleted: it is inactive, its keys are revoked, its row stays."""

    name = "user.deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFact(DomainEvent):
    """What began or ended with a run of a provider's sync."""

    provider: str
    run_id: str
    outcome: SyncOutcome
    reason: str | None
    held_for: tuple[HoldReason, ...]
    waiting: Mapping[ChangeKind, int]
    """Plans that the gate holds, by kind of change."""

    @property
    def subject(self) -> str:
        """The provider."""
        return f"providers/{self.provider}"


class SyncHeld(SyncFact):
    """The gate holds something from now on."""

    name = "sync.held"


class SyncFailed(SyncFact):
    """The catalog does not say from now on what the feed says."""

    name = "sync.failed"


class SyncRecovered(SyncFact):
    """A sync was good, after some that were not."""

    name = "sync.recovered"


class CircuitOpened(SyncFact):
    """The provider failed too often in a row, and is left alone."""

    name = "circuit.opened"


SYNC_FACTS: dict[TransitionKind, type[SyncFact]] = {
    TransitionKind.HELD: SyncHeld,
    TransitionKind.FAILED: SyncFailed,
    TransitionKind.RECOVERED: SyncRecovered,
    TransitionKind.CIRCUIT_OPENED: CircuitOpened,
}


def sync_fact_of(provider: str, transition: SyncTransition) -> SyncFact:
    """Make the domain event of a transition; a run has one of each kind at the most, which gives it its id."""
    return SYNC_FACTS[transition.kind](
        event_id=f"sync-{transition.run_id}-{transition.kind}",
        occurred_at=transition.at,
        provider=provider,
        run_id=transition.run_id,
        outcome=transition.outcome,
        reason=transition.reason,
        held_for=transition.held_for,
        waiting=transition.waiting,
    )


USER_FACTS: tuple[type[UserFact], ...] = (UserCreated, UserUpdated, UserDeleted)
NAMES = tuple(kind.name for kind in (*PLAN_FACTS.values(), *USER_FACTS, *SYNC_FACTS.values()))
"""Everything that can be subscribed to."""
