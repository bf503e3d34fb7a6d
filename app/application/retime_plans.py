"""Mend the instants of plans that say what they said, but whose time zone has newer rules (ADR 0053)."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from app.application.ports.catalog import LeaseLostError, PlanCatalog, ProviderState
from app.application.ports.system import Clock, Lease, Leases, LeaseTakenError
from app.domain.reconciliation import ChangeKind, retimed

RETIMED = (ChangeKind.RETIMED,)


@dataclass(frozen=True, slots=True)
class Retiming:
    """What was found of one provider."""

    provider: str
    rules: str
    """The version of this process."""
    retimed: int
    """Plans that have other instants from now on."""
    newer: str | None = None
    """The version by which its plans were reckoned, when that is newer than ours: then nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetimePlans:
    """Bring the instants of plans to what the newest time zone rules say. Safe to repeat, and beside everything else.

    Of a provider whose plans are settled it costs one read; else each plan is read once, a batch at a time. What a
    process that ends in the middle has not written, the next one finds.
    """

    catalog: PlanCatalog
    leases: Leases
    clock: Clock
    new_run_id: Callable[[], str]
    rules: str
    """The version of the rules of this process."""
    on_retimed: Callable[[Retiming], None] = lambda _: None
    """Told of each provider of which plans were mended."""

    async def __call__(self) -> Sequence[Retiming]:
        """See to every provider that has plans, configured still or not.

        One that is synced now is left out, for its sync does the same first.

        Raises:
            LiveStateUnavailableError: those before are done; the same call again goes on from there.
        """
        done = []
        for name in await self.catalog.providers():
            try:
                done.append(await self._provider(name))
            except (LeaseTakenError, LeaseLostError):
                continue
        return done

    async def _provider(self, name: str) -> Retiming:
        state = await self.catalog.state(name)
        if state.settled_rules == self.rules or _is_newer(state, self.rules):
            return self._found(name, 0, state.newest_rules)
        async with self.leases.hold(name) as lease:
            return await self.under(lease)

    async def under(self, lease: Lease) -> Retiming:
        """See to the provider of a lease that is held already.

        Raises:
            LeaseLostError: as in `CatalogUpdate.commit`.
            LiveStateUnavailableError: likewise.
        """
        state = await self.catalog.state(lease.provider)
        if state.settled_rules == self.rules or _is_newer(state, self.rules):
            return self._found(lease.provider, 0, state.newest_rules)
        found = await self._mend(lease)
        settled = None if found.newer else self.rules
        newest = max(self.rules, found.newer or "")
        await self.catalog.remember(lease, replace(state, newest_rules=newest, settled_rules=settled))
        if found.retimed:
            self.on_retimed(found)
        return found

    async def _mend(self, lease: Lease) -> Retiming:
        """Look at every plan; when one was reckoned by newer rules, as after a loss of the state, leave all alone."""
        count, newest = 0, self.rules
        async with aclosing(self.catalog.update(lease, self.new_run_id(), self.clock.now())) as update:
            async for plans in self.catalog.everything(lease.provider):
                newest = max(newest, *(found.known.offsets.rules for found in plans if found.known.offsets), "")
                changes = [change for found in plans if (change := retimed(found.plan, found.known, self.rules))]
                await update.stage(changes)
                count += len(changes)
            if newest == self.rules:
                await update.commit(RETIMED)
        return self._found(lease.provider, count, newest)

    async def unsettle(self, lease: Lease, state: ProviderState) -> ProviderState:
        """Note before a commit that it may bring plans with other instants than those by which all others are settled.

        Raises:
            LeaseLostError: as in `CatalogUpdate.commit`.
            LiveStateUnavailableError: likewise.
        """
        if state.settled_rules is None:
            return state
        state = replace(state, settled_rules=None)
        await self.catalog.remember(lease, state)
        return state

    def _found(self, provider: str, count: int, newest: str | None) -> Retiming:
        newer = newest if newest is not None and newest > self.rules else None
        return Retiming(provider, self.rules, 0 if newer else count, newer)


def _is_newer(state: ProviderState, rules: str) -> bool:
    return state.newest_rules is not None and state.newest_rules > rules
