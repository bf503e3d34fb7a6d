"""Bring back into the catalog what only the journal still knows: a Redis that is lost or set back costs nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from app.application.ports.catalog import Behind, CatalogPlan, LeaseLostError, LogPosition, PlanCatalog
from app.application.ports.history import JournalEntry, JournalSource, PlanJournal
from app.application.ports.system import Clock, Lease, Leases, LeaseTakenError
from app.application.retime_plans import RetimePlans
from app.application.unjournaled_changes import UnjournaledChanges
from app.domain.errors import DomainError
from app.domain.plans import PlanId
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange

RESTORED = (ChangeKind.RESTORED,)


class NotJournaledError(DomainError):
    """The journal knows no plan of a provider."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name those of whom it knows some."""
        super().__init__(f"the journal knows no plan of {name!r}, but of: {', '.join(known) or 'nobody yet'}")


@dataclass(frozen=True, slots=True)
class Restoration:
    """What was done for one provider, in plans."""

    provider: str
    restored: int
    """Written from the journal."""
    present: int
    """The catalog knew them already: left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreCatalog:
    """Write what the journal knows and the catalog does not, or does not any more.

    Safe to repeat, safe to run beside everything else: it holds the lease of the provider that it works on.

    All of it may raise LiveStateUnavailableError and HistoryUnavailableError; the same call again goes on from there.
    """

    catalog: PlanCatalog
    source: JournalSource
    journal: PlanJournal
    leases: Leases
    clock: Clock
    retime: RetimePlans
    new_run_id: Callable[[], str]

    async def __call__(self, providers: Sequence[str] = ()) -> Sequence[Restoration]:
        """Restore some providers, all of the journal when none is named; configured still or not.

        Raises:
            NotJournaledError: the journal knows no plan of one of them; nothing was done.
            LeaseTakenError: one of them is being synced; those before it are done.
            LeaseLostError: as in `CatalogUpdate.commit`.
        """
        known = sorted(await self.journal.sizes())
        for name in providers:
            if name not in known:
                raise NotJournaledError(name, known)
        chosen = list(dict.fromkeys(providers)) or known
        return [await self.provider(name) for name in chosen]

    async def if_lost(self) -> Sequence[Restoration]:
        """Restore the providers whose log was set back, or of which the catalog knows fewer plans than the journal.

        Those of which something was written are told. One that is synced now, or lost again meanwhile, is left out: the
        journal's writer sees that its log is another.
        """
        done = []
        positions, sizes = await self.journal.positions(), await self.journal.sizes()
        names = sorted(sizes)
        for name, count in zip(names, await self.catalog.counts(names), strict=True):
            if count < sizes[name] or await self._is_set_back(name, positions.get(name)):
                with suppress(LeaseTakenError, LeaseLostError):
                    done.append(await self.set_back(name))
        return [restoration for restoration in done if restoration.restored]

    async def _is_set_back(self, name: str, stands: LogPosition | None) -> bool:
        if stands is None or stands == await self.source.head(name):
            return False
        page = (await self.source.read({name: stands}))[name]
        return isinstance(page, Behind) and not page.trimmed

    async def provider(self, name: str) -> Restoration:
        """Write the plans of one provider that the catalog does not know. API processes hear of it by the change log.

        Raises:
            LeaseTakenError: somebody syncs it now.
            LeaseLostError: as in `CatalogUpdate.commit`.
        """
        async with self.leases.hold(name) as lease:
            return await self._restore(lease, None)

    async def set_back(self, name: str) -> Restoration:
        """Do so for a provider whose log was lost or set back: also the plans of which the journal knows a later state.

        That is every plan that differs, but for those that were written since: what only the catalog knows is the
        journal's to learn.

        Raises:
            LeaseTakenError: somebody syncs it now.
            LeaseLostError: as in `CatalogUpdate.commit`.
        """
        async with self.leases.hold(name) as lease:
            unjournaled = UnjournaledChanges(self.source, self.journal)
            return await self._restore(lease, {e.plan_id async for entries in unjournaled(name) for e in entries})

    async def _restore(self, lease: Lease, newer: Collection[PlanId] | None) -> Restoration:
        """Write what is missing; and, when told which plans are newer in the catalog, what is older there."""
        name = lease.provider
        restored = seen = 0
        known = await self.catalog.known(name)
        async with aclosing(self.catalog.update(lease, self.new_run_id(), self.clock.now())) as update:
            async for plans in self.journal.latest(name):
                older = set() if newer is None else await self._older(name, plans, known, newer)
                proposed = [await self._change(plan, known.get(plan.plan.plan_id), older) for plan in plans]
                changes = [change for change in proposed if change]
                await update.stage(changes)
                restored += len(changes)
                seen += len(plans)
            if restored:
                await self.retime.unsettle(lease, await self.catalog.state(name))
            await update.commit(RESTORED)
        if restored:
            await self._read_the_feed_again(lease)
        return Restoration(name, restored, seen - restored)

    async def _older(
        self, name: str, plans: Sequence[CatalogPlan], known: Mapping[PlanId, KnownPlan], newer: Collection[PlanId]
    ) -> set[PlanId]:
        """Choose the plans whose state in the catalog is one that the journal knows, but not its newest."""
        now = self.clock.now()
        differing = [
            JournalEntry(name, plan_id, RESTORED, "", now, found, None)
            for plan in plans
            if (plan_id := plan.plan.plan_id) not in newer
            and (found := known.get(plan_id)) is not None
            and not found.is_as(plan.known)
        ]
        unknown = {entry.plan_id for entry in await self.journal.lacking(differing)}
        return {entry.plan_id for entry in differing} - unknown

    async def _change(self, past: CatalogPlan, known: KnownPlan | None, older: Collection[PlanId]) -> PlanChange | None:
        """Decide what to write of a plan; a sync that came first may have listed it as if for the first time.

        Of such a plan the values are newer than ours. That search may find it is sticky (ADR 0007): that is put right.
        """
        plan_id = past.plan.plan_id
        if known is None or plan_id in older:
            return PlanChange(plan_id, RESTORED, past.known, past.plan)
        if known.seen_online or not past.known.seen_online:
            return None
        found = await self.catalog.find(plan_id) or past
        first_seen_at = min(past.known.first_seen_at, found.known.first_seen_at)
        mended = replace(found.known, seen_online=True, first_seen_at=first_seen_at)
        return PlanChange(plan_id, RESTORED, mended, found.plan)

    async def _read_the_feed_again(self, lease: Lease) -> None:
        """Forget by what the last snapshot is recognised: the catalog does not say any more what that one said."""
        state = await self.catalog.state(lease.provider)
        if state.mark is not None and state.mark != state.mark.unsettled():
            await self.catalog.remember(lease, replace(state, mark=state.mark.unsettled()))
