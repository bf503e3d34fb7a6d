"""What a reading of a feed comes to: what is committed, what is held, how the run ended, what is remembered. Pure."""

from dataclasses import dataclass, replace

from app.application.ports.catalog import ProviderState
from app.application.read_snapshot import SnapshotReading
from app.domain.gate import GatePolicy, Hold, SnapshotCounts, inspect, signature
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome, SyncReport

EVERY_KIND = frozenset(ChangeKind)

UNPLACED = "nothing was withdrawn, because nobody can tell whose {} of the rejected records are"

USELESS = (
    "nothing of the feed could be used: {} records, all of them rejected, and {} unknown elements in the place of "
    "records; nothing was withdrawn, and the next run reads it again"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reading comes to."""

    report: SyncReport
    state: ProviderState
    kinds: frozenset[ChangeKind]
    """That are committed."""
    hold: Hold | None


def judge_reading(
    reading: SnapshotReading, state: ProviderState, run: SyncReport, policy: GatePolicy, *, approve: bool
) -> Verdict:
    """Judge what was read, when `state` was remembered; `run` is the report of the run so far."""
    hold = _hold(policy, reading)
    proposal = signature(hold.reasons, reading.withdrawn) if hold else None
    approved = hold is not None and approve
    if hold and (approved or (proposal == state.proposed and hold.may_agree(policy))):
        hold = None
    kinds = _let_through(hold)
    useless = reading.is_useless and not approved
    outcome, reason = _outcome(policy, reading, hold, useless=useless)
    report = replace(
        run,
        outcome=outcome,
        reason=reason,
        records=reading.records,
        changes=reading.count(kinds, inside=True),
        waiting=reading.count(kinds, inside=False),
        settling=len(reading.settling.waiting) if reading.settling else 0,
        held_for=hold.reasons if hold else (),
        rejected_for=dict(reading.rejected_for),
    )
    again = state.mark.unsettled() if state.mark else None
    if hold or useless:
        after = replace(state, mark=again, proposed=proposal if hold else None)
    elif reading.broken:
        after = replace(state, mark=reading.mark or again, proposed=None)
    else:
        after = replace(state, mark=reading.mark, snapshot_at=reading.at, proposed=None)
    return Verdict(report, after, kinds, hold)


def _hold(policy: GatePolicy, reading: SnapshotReading) -> Hold | None:
    counts = SnapshotCounts(
        known=reading.known.in_feed,
        records=reading.records + reading.assumed,
        withdrawn=len(reading.withdrawn),
        changed=reading.changed,
        unknown=reading.unknown,
    )
    return inspect(policy, counts)


def _let_through(hold: Hold | None) -> frozenset[ChangeKind]:
    """Choose the kinds of change to commit; new and returned plans always are."""
    kinds = EVERY_KIND
    if hold and hold.withdrawals:
        kinds -= {ChangeKind.WITHDRAWN}
    if hold and hold.changes:
        kinds -= {ChangeKind.CHANGED, ChangeKind.WENT_ONLINE, ChangeKind.WENT_OFFLINE}
    return kinds


def _outcome(
    policy: GatePolicy, reading: SnapshotReading, hold: Hold | None, *, useless: bool
) -> tuple[SyncOutcome, str | None]:
    if reading.broken:
        kept = "" if reading.withdrawn else "; nothing was withdrawn"
        held = f"; held: {hold.explanation}" if hold else ""
        return SyncOutcome.INCOMPLETE, f"{reading.broken}{kept}{held}"
    if hold:
        whom = "a second run that agrees, or for an approval" if hold.may_agree(policy) else "an approval"
        return SyncOutcome.HELD, f"{hold.explanation}; waits for {whom}"
    if useless:
        return SyncOutcome.UNUSABLE, USELESS.format(reading.records, reading.unknown)
    outcome = SyncOutcome.APPLIED if reading.found_changes else SyncOutcome.UNCHANGED
    return outcome, UNPLACED.format(reading.unplaced) if reading.unplaced else None
