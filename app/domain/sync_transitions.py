"""When a provider's syncs begin to fail or to be held, and when they are good again: told once, not by each run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.gate import HoldReason
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome, SyncReport


class SyncHealth(StrEnum):
    """How a provider's syncs fare."""

    GOOD = "good"
    HELD = "held"
    """The gate holds something."""
    FAILING = "failing"
    """The catalog does not say what the feed says."""


class TransitionKind(StrEnum):
    """What has begun, or ended."""

    HELD = "held"
    FAILED = "failed"
    RECOVERED = "recovered"
    CIRCUIT_OPENED = "circuit_opened"


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """What was told of a provider's syncs last."""

    syncs: SyncHealth = SyncHealth.GOOD
    circuit_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTransition:
    """One change of that, and the run that brought it."""

    kind: TransitionKind
    run_id: str
    at: datetime
    outcome: SyncOutcome
    reason: str | None = None
    held_for: tuple[HoldReason, ...] = ()
    waiting: Mapping[ChangeKind, int] = field(default_factory=dict)
    """Plans that the gate holds, by kind of change."""


def after_run(
    before: ProviderHealth, report: SyncReport, *, circuit_open: bool
) -> tuple[ProviderHealth, tuple[SyncTransition, ...]]:
    """Say how syncs fare after a run, and what of that is new."""
    if report.outcome is SyncOutcome.SKIPPED and not circuit_open:
        return before, ()
    after = ProviderHealth(_health(report) or before.syncs, circuit_open)
    return after, tuple(_transition(kind, report) for kind in _news(before, after))


def _health(report: SyncReport) -> SyncHealth | None:
    """Tell it of a run; None of one that was skipped."""
    if report.outcome is SyncOutcome.SKIPPED:
        return None
    if report.outcome.is_good:
        return SyncHealth.GOOD
    return SyncHealth.HELD if report.held_for else SyncHealth.FAILING


def _news(before: ProviderHealth, after: ProviderHealth) -> Iterator[TransitionKind]:
    if after.syncs is not before.syncs:
        yield _KINDS[after.syncs]
    if after.circuit_open and not before.circuit_open:
        yield TransitionKind.CIRCUIT_OPENED


_KINDS = {
    SyncHealth.GOOD: TransitionKind.RECOVERED,
    SyncHealth.HELD: TransitionKind.HELD,
    SyncHealth.FAILING: TransitionKind.FAILED,
}


def _transition(kind: TransitionKind, report: SyncReport) -> SyncTransition:
    return SyncTransition(
        kind=kind,
        run_id=report.run_id,
        at=report.started_at,
        outcome=report.outcome,
        reason=report.reason,
        held_for=report.held_for,
        waiting=report.waiting,
    )
