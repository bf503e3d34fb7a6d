"""Bring plans back into the catalog that only the journal still knows: what a lost Redis costs is nothing."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from app.application.ports.catalog import CatalogPlan, LeaseLostError, PlanCatalog
from app.application.ports.history import PlanJournal
from app.application.ports.system import Clock, Leases, LeaseTakenError
from app.application.retime_plans import RetimePlans
from app.domain.errors import DomainError
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
    """Write what the journal knows and the catalog does not. Safe to repeat, safe to run beside everything else.

    All of it may raise LiveStateUnavailableError and HistoryUnavailableError; the same call again goes on from there.
    """

    catalog: PlanCatalog
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
        """Restore the providers of which the catalog knows fewer plans than the journal.

        One that is synced now, or lost again meanwhile, is left out: the journal's writer sees that its log is another.
        """
        done = []
        for name, size in sorted((await self.journal.sizes()).items()):
            if await self.catalog.count(name) < size:
                try:
                    done.append(await self.provider(name))
                except (LeaseTakenError, LeaseLostError):
                    continue
        return done

    async def provider(self, name: str) -> Restoration:
        """Restore one provider under its lease. API processes hear of it through the change log.

        Raises:
            LeaseTakenError: somebody syncs it now.
            LeaseLostError: as in `CatalogUpdate.commit`.
        """
        restored = seen = 0
        async with self.leases.hold(name) as lease:
            known = await self.catalog.known(name)
            async with aclosing(self.catalog.update(lease, self.new_run_id(), self.clock.now())) as update:
                async for plans in self.journal.latest(name):
                    proposed = [await self._change(plan, known.get(plan.plan.key.plan_id)) for plan in plans]
                    changes = [change for change in proposed if change]
                    await update.stage(changes)
                    restored += len(changes)
                    seen += len(plans)
                if restored:
                    await self.retime.unsettle(lease, await self.catalog.state(name))
                await update.commit(RESTORED)
        return Restoration(name, restored, seen - restored)

    async def _change(self, past: CatalogPlan, known: KnownPlan | None) -> PlanChange | None:
        """Decide what to write of a plan; a sync that came first may have listed it as if for the first time.

        Of such a plan the values are newer than ours. That search may find it is sticky (ADR 0007): that is put right.
        """
        plan_id = past.plan.key.plan_id
        if known is None:
            return PlanChange(plan_id, RESTORED, past.known, past.plan)
        if known.seen_online or not past.known.seen_online:
            return None
        found = await self.catalog.find(plan_id) or past
        first_seen_at = min(past.known.first_seen_at, found.known.first_seen_at)
        mended = replace(found.known, seen_online=True, first_seen_at=first_seen_at)
        return PlanChange(plan_id, RESTORED, mended, found.plan)
