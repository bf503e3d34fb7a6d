"""What one run of a provider's sync did: kept, and shown to people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.feeds import RejectionReason
from app.domain.gate import HoldReason
from app.domain.proposed_changes import ProposedChange
from app.domain.reconciliation import ChangeKind


class SyncOutcome(StrEnum):
    """How a run ended."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """The feed said the same as before: nothing parsed, or nothing to write."""
    HELD = "held"
    """New plans were applied; the rest waits for a second agreeing run or an approval."""
    INCOMPLETE = "incomplete"
    """The feed broke in the middle, or exceeds its limit: what was read was applied, nothing was withdrawn."""
    UNUSABLE = "unusable"
    """The feed was read, and nothing of it could be used: nothing was withdrawn, the next run reads it again."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Another process was syncing the provider, or its circuit was open."""

    @property
    def is_good(self) -> bool:
        """Whether the catalog now says what the provider says."""
        return self in (SyncOutcome.APPLIED, SyncOutcome.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """One run, from lease to report. `took` is in seconds, `fetched_bytes` counts the bytes on the wire."""

    run_id: str
    provider: str
    started_at: datetime
    took: float
    outcome: SyncOutcome
    dry_run: bool = False
    fetched_bytes: int = 0
    records: int = 0
    changes: Mapping[ChangeKind, int] = field(default_factory=dict)
    """Plans per kind of change: what was written, or in a dry run what would be."""
    waiting: Mapping[ChangeKind, int] = field(default_factory=dict)
    """What the gate holds back, by kind."""
    settling: int = 0
    """Plans that are absent, and wait until that counts as a withdrawal."""
    held_for: tuple[HoldReason, ...] = ()
    rejected_for: Mapping[RejectionReason, int] = field(default_factory=dict)
    """Records that could not be used, by reason; all of them, also those that were too many to be kept."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """Unknown elements and attributes of the feed and how often they stood there."""
    passed_over: int = 0
    """Records that the configuration asked not to read."""
    reason: str | None = None
    """Why it failed, was held, was skipped, is incomplete or of no use: words that a person can act on."""
    plans: tuple[ProposedChange, ...] = ()
    """Of a dry run: what would change, plan by plan, the first MOST_SHOWN."""
    more: bool = False
    """The source has a further snapshot ready; the schedule need not wait an interval for it."""
    retry_after: float | None = None
    """Seconds that the provider asked to wait, when it did."""

    @property
    def rejected(self) -> int:
        """How many records could not be used."""
        return sum(self.rejected_for.values())
