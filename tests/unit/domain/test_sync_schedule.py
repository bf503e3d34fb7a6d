from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.sync_schedule import (
    LONGEST_BACKOFF,
    SLOW,
    count_failures,
    first_wait,
    full_is_due,
    is_due,
    is_slow,
    next_wait,
)
from tests.support.builders import NOW


def a_report(outcome: SyncOutcome, *, more: bool = False, retry_after: float | None = None) -> SyncReport:
    return SyncReport(
        run_id="1", provider="demo", started_at=NOW, took=0, outcome=outcome, more=more, retry_after=retry_after
    )


APPLIED, FAILED = a_report(SyncOutcome.APPLIED), a_report(SyncOutcome.FAILED)


def test_a_provider_never_synced_is_synced_at_once() -> None:
    assert first_wait(60, None, NOW) == 0


def test_a_restart_waits_for_the_rest_of_the_interval() -> None:
    assert first_wait(60, NOW - timedelta(seconds=20), NOW) == 40
    assert first_wait(60, NOW - timedelta(seconds=90), NOW) == 0


def test_a_good_run_is_followed_by_the_next_after_an_interval_and_some_jitter() -> None:
    assert [next_wait(100, APPLIED, 0, chance) for chance in (0, 0.5, 1)] == pytest.approx([90, 100, 110])


def test_a_failing_provider_is_asked_less_and_less_often_and_never_given_up() -> None:
    waits = [next_wait(60, FAILED, failures, 0.5) for failures in (1, 2, 3, 10, 10_000)]

    assert waits == pytest.approx([60, 120, 240, LONGEST_BACKOFF, LONGEST_BACKOFF])


def test_a_circuit_that_opens_does_not_end_the_backing_off() -> None:
    skipped = a_report(SyncOutcome.SKIPPED, retry_after=30)

    assert next_wait(60, skipped, 3, 0.5) == pytest.approx(240)
    assert next_wait(60, skipped, 0, 0.5) == pytest.approx(60)
    assert [count_failures(2, report) for report in (FAILED, skipped, APPLIED)] == [3, 2, 0]


def test_backing_off_never_asks_more_often_than_the_interval() -> None:
    assert next_wait(7200, FAILED, 5, 0.5) == pytest.approx(7200)


def test_a_provider_that_asks_for_a_pause_gets_it_within_reason() -> None:
    assert next_wait(60, a_report(SyncOutcome.FAILED, retry_after=300), 1, 0.5) == 300
    assert next_wait(60, a_report(SyncOutcome.FAILED, retry_after=10**9), 1, 0.5) == LONGEST_BACKOFF
    assert next_wait(60, a_report(SyncOutcome.FAILED, retry_after=1), 1, 0.5) == pytest.approx(60)


def test_a_source_with_more_snapshots_is_read_on_without_waiting() -> None:
    assert next_wait(60, a_report(SyncOutcome.APPLIED, more=True), 0, 0.5) < 1
    assert next_wait(60, a_report(SyncOutcome.HELD, more=True), 0, 0.5) == pytest.approx(60)


def test_a_sync_that_another_process_has_just_done_is_not_due() -> None:
    assert is_due(60, None, NOW)
    assert is_due(60, NOW - timedelta(seconds=30), NOW)
    assert not is_due(60, NOW - timedelta(seconds=29), NOW)


@pytest.mark.parametrize("ahead", [0.001, 60, 7200, 10**9])
def test_a_snapshot_from_the_future_is_due_at_once(ahead: float) -> None:
    at = NOW + timedelta(seconds=ahead)

    assert first_wait(60, at, NOW) == 0
    assert is_due(60, at, NOW)
    assert not is_due(60, NOW, NOW)


def test_a_provider_that_fails_or_took_long_is_slow() -> None:
    assert not is_slow(replace(APPLIED, took=SLOW), 0)
    assert is_slow(replace(APPLIED, took=SLOW + 1), 0)
    assert is_slow(FAILED, 1)


def test_a_whole_feed_is_due_after_its_time_and_when_nobody_knows_how_long_ago_it_was() -> None:
    assert full_is_due(60, NOW - timedelta(seconds=60), NOW)
    assert not full_is_due(60, NOW - timedelta(seconds=59), NOW)
    assert full_is_due(60, None, NOW)
    assert full_is_due(60, NOW + timedelta(seconds=1), NOW)


def test_a_whole_feed_is_never_due_when_that_is_switched_off() -> None:
    assert not full_is_due(0, None, NOW)
