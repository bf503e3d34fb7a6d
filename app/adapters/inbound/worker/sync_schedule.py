"""The schedule: every provider in its own rhythm, and at once when somebody asks."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from app.application.ports.catalog import PlanCatalog
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import Clock, LiveStateUnavailableError, SyncRequest, SyncRequests
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.errors import UnknownProviderError
from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.sync_schedule import count_failures, first_wait, is_due, next_wait

log = structlog.get_logger()

RETRY_STORE = 1.0
"""Seconds before a store that was away is asked again."""


@dataclass(slots=True, kw_only=True)
class SyncSchedule:
    """Sync every enabled provider when it is due, for ever. Any number of processes may run one."""

    sync: SyncProvider
    directory: ProviderDirectory
    catalog: PlanCatalog
    requests: SyncRequests
    clock: Clock
    new_run_id: Callable[[], str]
    chance: Callable[[], float] = random.random
    _running: set[asyncio.Task[SyncReport]] = field(default_factory=set)

    async def __call__(self, drain: float) -> None:
        """Run until cancelled; then let the syncs in hand finish for up to `drain` seconds."""
        rhythms = [self._rhythm(provider) for provider in self.directory.all() if provider.enabled]
        try:
            async with asyncio.TaskGroup() as group:
                for work in (*rhythms, self._listen()):
                    group.create_task(work)
        finally:
            await self._drain(drain)

    async def _rhythm(self, provider: ConfiguredProvider) -> None:
        failures = 0
        await asyncio.sleep(first_wait(provider.interval, await self._snapshot_at(provider), self.clock.now()))
        again = True
        while True:
            if not again and not is_due(provider.interval, await self._snapshot_at(provider), self.clock.now()):
                await asyncio.sleep(provider.interval)
                continue
            report = await self._run(provider, SyncOrder(run_id=self.new_run_id()))
            failures = count_failures(failures, report)
            wait = next_wait(provider.interval, report, failures, self.chance())
            again = wait < provider.interval / 2
            await asyncio.sleep(wait)

    async def _snapshot_at(self, provider: ConfiguredProvider) -> datetime | None:
        while True:
            try:
                return (await self.catalog.state(provider.name)).snapshot_at
            except LiveStateUnavailableError:
                await asyncio.sleep(RETRY_STORE)

    async def _listen(self) -> None:
        while True:
            try:
                for request in await self.requests.take():
                    self._start(request)
            except LiveStateUnavailableError:
                await asyncio.sleep(RETRY_STORE)

    def _start(self, request: SyncRequest) -> None:
        try:
            provider = self.directory.get(request.provider)
        except UnknownProviderError as error:
            log.warning("a sync was asked for that this scheduler cannot do", reason=str(error))
            return
        self._spawn(provider, SyncOrder(run_id=request.run_id, approve=request.approve))

    async def _run(self, provider: ConfiguredProvider, order: SyncOrder) -> SyncReport:
        """Run a sync in a task of its own, so that ending the schedule does not cut it off."""
        return await asyncio.shield(self._spawn(provider, order))

    def _spawn(self, provider: ConfiguredProvider, order: SyncOrder) -> asyncio.Task[SyncReport]:
        task = asyncio.create_task(self._sync(provider, order), name=f"sync {provider.name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _sync(self, provider: ConfiguredProvider, order: SyncOrder) -> SyncReport:
        report = await self.sync(provider, order)
        log_report(report)
        return report

    async def _drain(self, seconds: float) -> None:
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def log_report(report: SyncReport) -> None:
    """Say in one line how a run went."""
    write = (
        log.warning if report.outcome in (SyncOutcome.FAILED, SyncOutcome.HELD, SyncOutcome.INCOMPLETE) else log.info
    )
    if report.outcome is SyncOutcome.UNCHANGED:
        write = log.debug
    details = {f"{kind}": plans for kind, plans in report.changes.items()}
    optional = {"rejected": report.rejected, "reason": report.reason}
    write(
        f"sync {report.outcome}",
        provider=report.provider,
        run=report.run_id,
        took=round(report.took, 3),
        **details,
        **{key: value for key, value in optional.items() if value},
    )
