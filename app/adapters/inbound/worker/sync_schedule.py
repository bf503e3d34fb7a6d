"""The schedule: every provider in its own rhythm, and at once when somebody asks."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from app.application.ports.catalog import PlanCatalog
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import Clock, LiveStateUnavailableError, SyncRequest, SyncRequests
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.errors import UnknownProviderError
from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.sync_schedule import count_failures, first_wait, is_due, is_slow, next_wait

log = structlog.get_logger()

AT_ONCE = nullcontext()

CONCURRENT_SYNCS = 32
"""One scheduler's syncs at a time, and as many again of those that somebody asks for."""

SLOW_SHARE = 4
"""One part in so many is for providers whose last run was slow or failed: they keep nobody else waiting."""

LEVELS = {SyncOutcome.UNCHANGED: logging.DEBUG}
LEVELS |= dict.fromkeys(
    (SyncOutcome.FAILED, SyncOutcome.UNUSABLE, SyncOutcome.HELD, SyncOutcome.INCOMPLETE), logging.WARNING
)
"""Of the line about a run; of other outcomes it is INFO."""

RETRY_STORE = 1.0
"""Seconds before a store that was away is asked again."""


@dataclass(slots=True, kw_only=True)
class SyncSchedule:
    """Sync every enabled provider when it is due, for ever. Any number of processes may run one.

    When more are due than may run at a time (`concurrent_syncs`), they take turns in the order in which they came to be
    due.
    """

    sync: SyncProvider
    directory: ProviderDirectory
    catalog: PlanCatalog
    requests: SyncRequests
    clock: Clock
    new_run_id: Callable[[], str]
    concurrent_syncs: int = CONCURRENT_SYNCS
    chance: Callable[[], float] = random.random
    _running: set[asyncio.Task[SyncReport]] = field(default_factory=set)
    _turns: asyncio.Semaphore = field(init=False)
    _slow_turns: asyncio.Semaphore = field(init=False)
    _asked_turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.concurrent_syncs)
        self._slow_turns = asyncio.Semaphore(max(1, self.concurrent_syncs // SLOW_SHARE))
        self._asked_turns = asyncio.Semaphore(self.concurrent_syncs)

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
        failures, again, slow = 0, True, False
        async with self._turns:
            snapshot_at = await self._snapshot_at(provider)
        await asyncio.sleep(first_wait(provider.interval, snapshot_at, self.clock.now()))
        while True:
            async with self._slow_turns if slow else AT_ONCE, self._turns:  # so that quick ones find room
                report = await self._run_if_due(provider, again=again)
            if report is None:
                await asyncio.sleep(provider.interval)
                continue
            failures = count_failures(failures, report)
            slow = is_slow(report, failures)
            wait = next_wait(provider.interval, report, failures, self.chance())
            again = wait < provider.interval / 2
            await asyncio.sleep(wait)

    async def _run_if_due(self, provider: ConfiguredProvider, *, again: bool) -> SyncReport | None:
        """Run, unless another process has just done it; `again` when this process has more to read at once."""
        if not again and not is_due(provider.interval, await self._snapshot_at(provider), self.clock.now()):
            return None
        order = SyncOrder(run_id=self.new_run_id())
        return await asyncio.shield(self._spawn(provider, order))  # ending the schedule does not cut it off

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
        order = SyncOrder(run_id=request.run_id, approve=request.approve, full=request.full)
        self._spawn(provider, order, self._asked_turns)

    def _spawn(
        self, provider: ConfiguredProvider, order: SyncOrder, turns: AbstractAsyncContextManager[None] = AT_ONCE
    ) -> asyncio.Task[SyncReport]:
        task = asyncio.create_task(self._sync(provider, order, turns), name=f"sync {provider.name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _sync(
        self, provider: ConfiguredProvider, order: SyncOrder, turns: AbstractAsyncContextManager[None]
    ) -> SyncReport:
        async with turns:
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
    details: dict[str, object] = {f"{kind}": plans for kind, plans in report.changes.items()}
    optional = {"rejected": report.rejected, "settling": report.settling, "reason": report.reason}
    details |= {key: value for key, value in optional.items() if value}
    write = partial(log.log, LEVELS.get(report.outcome, logging.INFO), f"sync {report.outcome}")
    write(provider=report.provider, run=report.run_id, took=round(report.took, 3), **details)
