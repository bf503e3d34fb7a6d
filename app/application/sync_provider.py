"""Sync one provider: lease -> fetch -> parse -> reconcile -> gate -> commit -> report."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from app.application.ports.catalog import CatalogUpdate, LeaseLostError, PlanCatalog, ProviderState, SyncJournal
from app.application.ports.providers import (
    CircuitOpenError,
    ConfiguredProvider,
    FeedError,
    FeedMark,
    FeedSnapshot,
    FeedUnavailableError,
    FeedUnchanged,
    FeedWatcher,
)
from app.application.ports.syncs import Absences, HeldPlans, RejectionLists, TransitionLog
from app.application.ports.system import Clock, Lease, Leases, LeaseTakenError, LiveStateUnavailableError
from app.application.read_snapshot import SnapshotReading
from app.application.retime_plans import RetimePlans
from app.application.sync_verdict import Verdict, judge_reading
from app.domain.known_plans import KnownPlans
from app.domain.plans import PlanId
from app.domain.proposed_changes import HeldChanges, ProposedChange
from app.domain.rejection_list import Finding, StandingRejection, stand
from app.domain.settling import Absence, SettlePolicy, Settling
from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.sync_schedule import full_is_due
from app.domain.sync_transitions import after_run

ALL = 1_000_000
"""Rejections: more than any list of them holds."""

MOST_UNTOLD = 100
"""Transitions that are remembered for as long as they cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """What is asked of one run."""

    run_id: str
    approve: bool = False
    """Apply what the gate would hold."""
    dry_run: bool = False
    """Say what would change and write nothing."""
    full: bool = False
    """Fetch the whole feed, whatever its server says of changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProvider:
    """Bring the catalog to what a provider's feed says now.

    Never raises for what a provider, its feed or the catalog's store may do: the report says it. Any number of
    processes may call it at once; one of them syncs, the others report `skipped`.
    """

    catalog: PlanCatalog
    journal: SyncJournal
    rejections: RejectionLists
    held: HeldPlans
    absences: Absences
    transitions: TransitionLog
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
        except Exception as error:  # noqa: BLE001 - a kind from outside may raise anything; it must not stop the others
            report = run.failure(error)
        report = replace(report, took=max(0.0, (self.clock.now() - run.at).total_seconds()))
        await self._keep(report)
        return report

    async def _keep(self, report: SyncReport) -> None:
        if report.dry_run:
            return
        try:
            await self.journal.record(report)
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

    async def leased(self) -> SyncReport:
        async with self.sync.leases.hold(self.provider.name) as lease:
            await self.sync.retime.under(lease)
            try:
                return await self.fetch(lease)
            except (LeaseLostError, LiveStateUnavailableError):
                raise
            except Exception as error:  # noqa: BLE001 - see SyncProvider
                return await self._fail(lease, error)

    def failure(self, error: Exception) -> SyncReport:
        """Report what the run met; an error that no port foresees is a bug."""
        match error:
            case LeaseTakenError():
                return self.report(SyncOutcome.SKIPPED, error)
            case CircuitOpenError():
                return self.report(SyncOutcome.FAILED if error.tried else SyncOutcome.SKIPPED, error)
            case FeedError() | LeaseLostError() | LiveStateUnavailableError():
                return self.report(SyncOutcome.FAILED, error)
            case _:
                self.sync.on_bug(error)
                return self.report(SyncOutcome.FAILED, f"unexpected {type(error).__name__}: {error}")

    async def _fail(self, lease: Lease, error: Exception) -> SyncReport:
        report, state = self.failure(error), await self.sync.catalog.state(self.provider.name)
        noted = self._noted(state, report, circuit_open=isinstance(error, CircuitOpenError))
        if noted != state or state.untold:
            await self._remember(lease, noted)
        return report

    def _noted(self, state: ProviderState, report: SyncReport, *, circuit_open: bool = False) -> ProviderState:
        """Note what is new of the provider's syncs, and is to be told."""
        health, news = after_run(state.health, report, circuit_open=circuit_open)
        return replace(state, health=health, untold=(*state.untold, *news)[-MOST_UNTOLD:])

    async def _remember(self, lease: Lease, state: ProviderState) -> None:
        """Remember the state, and tell what is to be told: again, when this process ends between the two."""
        await self.sync.catalog.remember(lease, state)
        if state.untold:
            with suppress(LiveStateUnavailableError):  # then the next run tells it
                await self.sync.transitions.append(self.provider.name, state.untold)
                await self.sync.catalog.remember(lease, replace(state, untold=()))

    async def fetch(self, lease: Lease | None) -> SyncReport:
        state = await self.sync.catalog.state(self.provider.name)
        since = state.mark
        if full := self.order.full or full_is_due(self.provider.full_every, state.full_at, self.at):
            since = since and since.without_validators()
        snapshot = await self.provider.source.fetch(since, self.watcher)
        if snapshot is None or isinstance(snapshot, FeedUnchanged):
            mark = snapshot.mark if snapshot else state.mark
            return await self._unchanged(lease, replace(state, full_at=self.at if full else state.full_at), mark)
        async with aclosing(snapshot):
            return await self._apply(lease, replace(state, full_at=self.at), partial(self._read, snapshot))

    async def _unchanged(self, lease: Lease | None, state: ProviderState, mark: FeedMark | None) -> SyncReport:
        """Note that the feed was seen; plans that are absent from it for long enough by now are withdrawn."""
        if state.settling:
            return await self._apply(lease, state, partial(self._go_on, mark))
        report = self.report(SyncOutcome.UNCHANGED)
        if lease:
            await self._remember(lease, self._noted(replace(state, mark=mark, snapshot_at=self.at), report))
        return report

    async def _read(self, snapshot: FeedSnapshot, reading: SnapshotReading) -> SyncReport:
        await reading.read(snapshot)
        return replace(
            self.report(SyncOutcome.UNCHANGED),
            fetched_bytes=snapshot.fetched_bytes,
            ignored=dict(snapshot.ignored),
            passed_over=snapshot.passed_over,
            more=snapshot.more,
        )

    async def _go_on(self, mark: FeedMark | None, reading: SnapshotReading) -> SyncReport:
        await reading.go_on(mark)
        return self.report(SyncOutcome.UNCHANGED)

    async def _apply(
        self, lease: Lease | None, state: ProviderState, read: Callable[[SnapshotReading], Awaitable[SyncReport]]
    ) -> SyncReport:
        known = await self.sync.catalog.known(self.provider.name)
        absences = await self.sync.absences.find(self.provider.name) if state.settling else {}
        if lease is None:
            reading = self._reading(known, state, absences)
            report = self._judge(reading, state, await read(reading)).report
            return replace(report, plans=tuple(await self._with_before(reading.proposed(frozenset()))))
        standing = await self.sync.rejections.standing(self.provider.name, ALL) if state.rejections else ()
        async with aclosing(self.sync.catalog.update(lease, self.order.run_id, self.at)) as update:
            reading = self._reading(known, state, absences, update)
            reading.watched = {key.plan_id: key for row in standing if (key := row.rejection.key)}
            run = await read(reading)
            if reading.found_changes and state.settled_rules != self.sync.retime.rules:
                state = await self.sync.retime.unsettle(lease, state)
            verdict = self._judge(reading, state, run)
            held = await self._held(reading, verdict)
            await update.commit(verdict.kinds)
        if held or state.proposed:
            await self.sync.held.keep(lease, held)
        settling = await self._keep_absences(lease, absences, reading, verdict)
        rejections = await self._note_rejections(lease, standing, reading)
        after = replace(verdict.state, rejections=rejections, settling=settling)
        await self._remember(lease, self._noted(after, verdict.report))
        return verdict.report

    async def _keep_absences(
        self, lease: Lease, before: Mapping[PlanId, Absence], reading: SnapshotReading, verdict: Verdict
    ) -> int:
        """Keep the absences that wait, and those that count but are held; return how many these are."""
        waiting: dict[PlanId, Absence] = {}
        if reading.settling:
            held = verdict.hold is not None and verdict.hold.withdrawals
            waiting = reading.settling.waiting | (reading.settling.settled if held else {})
        if waiting != before:
            await self.sync.absences.keep(lease, waiting)
        return len(waiting)

    def _reading(
        self,
        known: KnownPlans,
        state: ProviderState,
        absences: Mapping[PlanId, Absence],
        update: CatalogUpdate | None = None,
    ) -> SnapshotReading:
        settle = self.provider.settle
        return SnapshotReading(
            known=known,
            update=update,
            at=self.at,
            told=partial(self.sync.catalog.told, self.provider.name),
            max_plans=self.provider.max_plans,
            rules=self.sync.retime.rules,
            last_seen_at=state.snapshot_at,
            settling=Settling(settle or SettlePolicy(), absences) if settle or absences else None,
        )

    async def _held(self, reading: SnapshotReading, verdict: Verdict) -> HeldChanges | None:
        """Describe what is held, while the catalog still says what was before."""
        if verdict.hold is None:
            return None
        return HeldChanges(
            run_id=self.order.run_id,
            at=self.at,
            held_for=verdict.hold.reasons,
            reason=verdict.hold.explanation,
            total=reading.count_plans(verdict.kinds),
            plans=await self._with_before(reading.proposed(verdict.kinds)),
        )

    async def _with_before(self, proposed: Sequence[ProposedChange]) -> Sequence[ProposedChange]:
        before = await self.sync.catalog.told(self.provider.name, [change.plan_id for change in proposed])
        return [replace(change, before=before.get(change.plan_id)) for change in proposed]

    async def _note_rejections(
        self, lease: Lease, before: Sequence[StandingRejection], reading: SnapshotReading
    ) -> int:
        """Bring the list of rejections to what this run met; return how many stand."""
        found = Finding(self.order.run_id, self.at, reading.rejections, reading.read_well, reading.is_whole)
        standing, mended = stand(before, found)
        if reading.rejections or mended:
            await self.sync.rejections.note(lease, standing, mended)
        return len(standing)

    def _judge(self, reading: SnapshotReading, state: ProviderState, run: SyncReport) -> Verdict:
        return judge_reading(reading, state, run, self.provider.gate, approve=self.order.approve)

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
