"""Which runs begin or end something, and which say nothing new."""

import pytest

from app.domain.gate import HoldReason
from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.sync_transitions import ProviderHealth, SyncHealth, TransitionKind, after_run
from tests.support.builders import NOW

GOOD, HELD, FAILING = SyncHealth.GOOD, SyncHealth.HELD, SyncHealth.FAILING


def a_report(outcome: SyncOutcome, *held_for: HoldReason) -> SyncReport:
    return SyncReport(run_id="run-1", provider="demo", started_at=NOW, took=0, outcome=outcome, held_for=held_for)


@pytest.mark.parametrize(
    ("report", "health"),
    [
        (a_report(SyncOutcome.APPLIED), GOOD),
        (a_report(SyncOutcome.UNCHANGED), GOOD),
        (a_report(SyncOutcome.HELD, HoldReason.EMPTY_FEED), HELD),
        (a_report(SyncOutcome.INCOMPLETE, HoldReason.MASS_CHANGE), HELD),
        (a_report(SyncOutcome.INCOMPLETE), FAILING),
        (a_report(SyncOutcome.UNUSABLE), FAILING),
        (a_report(SyncOutcome.FAILED), FAILING),
    ],
)
@pytest.mark.parametrize("before", SyncHealth)
def test_a_run_is_news_when_syncs_fare_otherwise_than_before(
    before: SyncHealth, report: SyncReport, health: SyncHealth
) -> None:
    kinds = {GOOD: TransitionKind.RECOVERED, HELD: TransitionKind.HELD, FAILING: TransitionKind.FAILED}

    after, news = after_run(ProviderHealth(before), report, circuit_open=False)

    assert after == ProviderHealth(health)
    assert [one.kind for one in news] == ([] if before is health else [kinds[health]])


@pytest.mark.parametrize("before", [ProviderHealth(), ProviderHealth(FAILING, circuit_open=True)])
def test_a_run_that_was_skipped_for_another_reason_than_the_circuit_says_nothing(before: ProviderHealth) -> None:
    assert after_run(before, a_report(SyncOutcome.SKIPPED), circuit_open=False) == (before, ())


def test_a_circuit_is_news_when_it_opens_and_not_while_it_is_open() -> None:
    skipped = a_report(SyncOutcome.SKIPPED)

    after, [news] = after_run(ProviderHealth(FAILING), skipped, circuit_open=True)

    assert (after, news.kind) == (ProviderHealth(FAILING, circuit_open=True), TransitionKind.CIRCUIT_OPENED)
    assert after_run(after, skipped, circuit_open=True) == (after, ())
