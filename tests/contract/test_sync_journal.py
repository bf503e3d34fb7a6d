"""What SyncJournal promises."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.application.ports.system import LiveStateUnavailableError
from app.domain.feeds import RejectionReason
from app.domain.gate import HoldReason
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome, SyncReport
from tests.contract.conftest import Backend, RedisBackend
from tests.support.builders import NOW
from tests.support.redis_server import RedisServer


def a_report(number: int = 1, *, provider: str = "demo", outcome: SyncOutcome = SyncOutcome.APPLIED) -> SyncReport:
    return SyncReport(run_id=f"run-{number}", provider=provider, started_at=NOW, took=1.25, outcome=outcome)


async def test_nothing_happened_at_a_provider_never_seen(backend: Backend):
    journal = backend.sync_journal()

    assert list(await journal.runs("demo", 10)) == []
    assert (await journal.totals(["demo"]))[0] == {}


async def test_a_report_reads_back_as_it_was(backend: Backend):
    report = replace(
        a_report(outcome=SyncOutcome.HELD),
        fetched_bytes=84_000_000,
        records=5000,
        changes={ChangeKind.LISTED: 3, ChangeKind.WENT_ONLINE: 1},
        waiting={ChangeKind.WITHDRAWN: 40},
        held_for=(HoldReason.MASS_WITHDRAWAL,),
        rejected_for={RejectionReason.INVALID_DATE: 1},
        ignored={"zone@colour": 7},
        reason="40 of 50 plans are gone",
        more=True,
        retry_after=2.5,
    )

    await backend.sync_journal().record(report)

    assert list(await backend.sync_journal().runs("demo", 10)) == [report]


async def test_the_newest_runs_come_first(backend: Backend):
    journal = backend.sync_journal()
    for number in range(5):
        await journal.record(a_report(number))

    assert [report.run_id for report in await journal.runs("demo", 3)] == ["run-4", "run-3", "run-2"]
    assert list(await journal.runs("demo", 0)) == []


async def test_old_entries_make_room_but_are_still_counted(backend: Backend):
    journal = backend.sync_journal(runs_kept=2)
    for number in range(4):
        report = replace(a_report(number), rejected_for={RejectionReason.INVALID_DATE: 2})
        await journal.record(report)
    await journal.record(a_report(4, outcome=SyncOutcome.FAILED))
    report = replace(a_report(5), rejected_for={RejectionReason.DUPLICATE: 9})
    await journal.record(report)

    assert [report.run_id for report in await journal.runs("demo", 10)] == ["run-5", "run-4"]
    assert (await journal.totals(["demo"]))[0] == {
        "runs.applied": 5,
        "runs.failed": 1,
        "rejections.invalid_date": 8,
        "rejections.duplicate": 9,
    }


async def test_providers_have_journals_of_their_own(backend: Backend):
    journal = backend.sync_journal()
    await journal.record(a_report(1))
    await journal.record(a_report(2, provider="other"))

    assert [report.run_id for report in await journal.runs("other", 10)] == ["run-2"]
    assert (await journal.totals(["other"]))[0] == {"runs.applied": 1}


@pytest.mark.redis_server
@pytest.mark.parametrize("break_it", [RedisServer.kill, RedisServer.pause])
async def test_without_a_server_nothing_is_recorded_or_read(
    server: RedisServer, redis: RedisBackend, break_it: Callable[[RedisServer], None]
):
    journal = redis.sync_journal()
    break_it(server)
    begun = time.monotonic()

    with pytest.raises(LiveStateUnavailableError):
        await journal.record(a_report())
    with pytest.raises(LiveStateUnavailableError):
        await journal.runs("demo", 1)
    with pytest.raises(LiveStateUnavailableError):
        await journal.totals(["demo"])
    assert time.monotonic() - begun < 9
