"""Sync one provider: lease -> fetch -> parse -> reconcile -> gate -> commit -> report."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

from app.application.ports.catalog import CatalogUpdate, LeaseLostError, PlanCatalog, ProviderState, SyncJournal
from app.application.ports.providers import (
    CircuitOpenError,
    ConfiguredProvider,
    FeedError,
    FeedSnapshot,
    FeedUnavailableError,
    FeedWatcher,
)
from app.application.ports.system import Clock, Lease, Leases, LeaseTakenError, LiveStateUnavailableError
from app.application.read_snapshot import SnapshotReading
from app.application.retime_plans import RetimePlans
from app.domain.feeds import Rejection
from app.domain.gate import GatePolicy, Hold, SnapshotCounts, inspect, signature
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind, KnownPlan
from app.domain.sync_runs import SyncOutcome, SyncReport

EVERY_KIND = frozenset(ChangeKind)

UNPLACED = "nothing was withdrawn, because nobody can tell whose {} of the rejected records are"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """What is asked of one run."""

    run_id: str
    approve: bool = False
    """Apply what the gate would hold."""
    dry_run: bool = False
    """Say what would change and write nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProvider:
    """Bring the catalog to what a provider's feed says now.

    Never raises for what a provider, its feed or the catalog's store may do: the report says it. Any number of
    processes may call it at once; one of them syncs, the others report `skipped`.
    """

    catalog: PlanCatalog
    journal: SyncJournal
    leases: Leases
    clock: Clock
    retime: RetimePlans
    on_bug: Callable[[Exception], None] = lambda _: None
    """Told of errors that no port foresees, with their traceback; the report has only their words."""

    async def __call__(
        self, provider: ConfiguredProvider, order: SyncOrder, watcher: FeedWatcher | None = None
    ) -> SyncReport:
        """Run once and report; a run that is no dry run is kept in the journal when that can be reached."""
        run = _Run(self, provider, order, watcher, self.clock.now())
        try:
            report = await run.fetch(None) if order.dry_run else await run.leased()
        except LeaseTakenError as error:
            report = run.report(SyncOutcome.SKIPPED, error)
        except CircuitOpenError as error:
            report = run.report(SyncOutcome.FAILED if error.tried else SyncOutcome.SKIPPED, error)
        except (FeedError, LeaseLostError, LiveStateUnavailableError) as error:
            report = run.report(SyncOutcome.FAILED, error)
        except Exception as error:  # noqa: BLE001 - a kind from outside may raise anything; it must not stop the others
            self.on_bug(error)
            report = run.report(SyncOutcome.FAILED, f"unexpected {type(error).__name__}: {error}")
        report = replace(report, took=max(0.0, (self.clock.now() - run.at).total_seconds()))
        await self._keep(report, run.rejections)
        return report

    async def _keep(self, report: SyncReport, rejections: Sequence[Rejection]) -> None:
        if report.dry_run:
            return
        try:
            await self.journal.record(report, rejections)
        except LiveStateUnavailableError:
            return  # the run says so itself when it needed the store; an unchanged feed loses its line in the list


@dataclass(slots=True)
class _Run:
    """One run's state, so that the steps of the pipeline read as steps."""

    sync: SyncProvider
    provider: ConfiguredProvider
    order: SyncOrder
    watcher: FeedWatcher | None
    at: datetime
    rejections: Sequence[Rejection] = ()

    async def leased(self) -> SyncReport:
        async with self.sync.leases.hold(self.provider.name) as lease:
            await self.sync.retime.under(lease)
            return await self.fetch(lease)

    async def fetch(self, lease: Lease | None) -> SyncReport:
        state = await self.sync.catalog.state(self.provider.name)
        snapshot = await self.provider.source.fetch(state.mark, self.watcher)
        if snapshot is None:
            if lease:
                await self.sync.catalog.remember(lease, replace(state, snapshot_at=self.at))
            return self.report(SyncOutcome.UNCHANGED)
        async with aclosing(snapshot):
            return await self._read(lease, state, snapshot)

    async def _read(self, lease: Lease | None, state: ProviderState, snapshot: FeedSnapshot) -> SyncReport:
        known = await self.sync.catalog.known(self.provider.name)
        if lease is None:
            reading = self._reading(known, None)
            await reading.read(snapshot, state.snapshot_at)
            return self._judge(reading, state, snapshot)[0]
        async with aclosing(self.sync.catalog.update(lease, self.order.run_id, self.at)) as update:
            reading = self._reading(known, update)
            await reading.read(snapshot, state.snapshot_at)
            if reading.found_changes and state.settled_rules != self.sync.retime.rules:
                state = await self.sync.retime.unsettle(lease, state)
            report, next_state, kinds = self._judge(reading, state, snapshot)
            await update.commit(kinds)
            await self.sync.catalog.remember(lease, next_state)
            return report

    def _reading(self, known: Mapping[PlanId, KnownPlan], update: CatalogUpdate | None) -> SnapshotReading:
        provider = self.provider
        return SnapshotReading(provider.name, known, update, self.at, provider.max_plans, self.sync.retime.rules)

    def _judge(
        self, reading: SnapshotReading, state: ProviderState, snapshot: FeedSnapshot
    ) -> tuple[SyncReport, ProviderState, frozenset[ChangeKind]]:
        self.rejections = reading.rejections
        hold = _hold(self.provider.gate, reading)
        proposal = signature(hold.reasons, reading.withdrawn) if hold else None
        if self.order.approve or proposal == state.proposed:
            hold = None
        kinds = _let_through(hold)
        outcome, reason = _outcome(reading, hold)
        report = replace(
            self.report(outcome, reason),
            fetched_bytes=snapshot.fetched_bytes,
            records=reading.records,
            changes=reading.count(kinds, inside=True),
            waiting=reading.count(kinds, inside=False),
            held_for=hold.reasons if hold else (),
            rejected_for=dict(reading.rejected_for),
            ignored=dict(snapshot.ignored),
            more=snapshot.more,
        )
        if hold or reading.broken:
            again = state.mark.unsettled() if state.mark else None
            return report, replace(state, mark=again, proposed=proposal if hold else None), kinds
        return report, replace(state, mark=snapshot.mark, snapshot_at=self.at, proposed=None), kinds

    def report(self, outcome: SyncOutcome, reason: Exception | str | None = None) -> SyncReport:
        return SyncReport(
            run_id=self.order.run_id,
            provider=self.provider.name,
            started_at=self.at,
            took=0.0,
            outcome=outcome,
            dry_run=self.order.dry_run,
            reason=str(reason) if reason is not None else None,
            retry_after=reason.retry_after if isinstance(reason, FeedUnavailableError) else None,
        )


def _hold(policy: GatePolicy, reading: SnapshotReading) -> Hold | None:
    counts = SnapshotCounts(
        known=sum(plan.in_feed for plan in reading.known.values()),
        records=reading.records,
        withdrawn=len(reading.withdrawn),
        changed=reading.changed,
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


def _outcome(reading: SnapshotReading, hold: Hold | None) -> tuple[SyncOutcome, str | None]:
    if reading.broken:
        held = f"; held: {hold.explanation}" if hold else ""
        return SyncOutcome.INCOMPLETE, f"{reading.broken}; nothing was withdrawn{held}"
    if hold:
        return SyncOutcome.HELD, f"{hold.explanation}; waits for a second run that agrees, or for an approval"
    outcome = SyncOutcome.APPLIED if reading.found_changes else SyncOutcome.UNCHANGED
    return outcome, UNPLACED.format(reading.unplaced) if reading.unplaced else None
