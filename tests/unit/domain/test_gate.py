from uuid import UUID

import pytest

from app.domain.gate import GatePolicy, HoldReason, SnapshotCounts, inspect, signature

POLICY = GatePolicy()


@pytest.mark.parametrize(
    ("counts", "reasons"),
    [
        pytest.param(SnapshotCounts(100, 100, 0, 0), (), id="nothing changed"),
        pytest.param(SnapshotCounts(100, 70, 30, 0), (), id="30% withdrawn pass"),
        pytest.param(SnapshotCounts(100, 69, 31, 0), (HoldReason.MASS_WITHDRAWAL,), id="31% withdrawn are held"),
        pytest.param(SnapshotCounts(10, 1, 9, 0), (), id="a feed of 10 plans may change at will"),
        pytest.param(SnapshotCounts(11, 1, 10, 0), (HoldReason.MASS_WITHDRAWAL,), id="one of 11 may not"),
        pytest.param(SnapshotCounts(3, 0, 3, 0), (HoldReason.EMPTY_FEED,), id="an empty feed is held, however small"),
        pytest.param(SnapshotCounts(0, 0, 0, 0), (), id="an empty feed that was empty before passes"),
        pytest.param(SnapshotCounts(100, 100, 0, 50), (), id="50% changed pass"),
        pytest.param(SnapshotCounts(100, 100, 0, 51), (HoldReason.MASS_CHANGE,), id="51% changed are held"),
        pytest.param(SnapshotCounts(3, 0, 3, 0, 1), (HoldReason.UNKNOWN_ELEMENTS,), id="unknown elements, no record"),
        pytest.param(SnapshotCounts(9, 2, 7, 0, 3), (HoldReason.UNKNOWN_ELEMENTS,), id="more unknown than known ones"),
        pytest.param(SnapshotCounts(9, 2, 7, 0, 2), (), id="as many unknown as known ones pass"),
        pytest.param(
            SnapshotCounts(9, 0, 0, 0, 3), (), id="unknown elements withdraw nothing: there is nothing to hold"
        ),
        pytest.param(SnapshotCounts(100, 60, 40, 60), (HoldReason.MASS_WITHDRAWAL, HoldReason.MASS_CHANGE), id="both"),
    ],
)
def test_what_is_held(counts: SnapshotCounts, reasons: tuple[HoldReason, ...]) -> None:
    hold = inspect(POLICY, counts)

    assert (hold.reasons if hold else ()) == reasons


def test_a_hold_says_what_it_saw_and_what_would_have_passed() -> None:
    hold = inspect(POLICY, SnapshotCounts(100, 10, 90, 0))

    assert hold is not None
    assert hold.explanation == "90 of 100 plans (90%) are gone from the feed, more than the 30% that pass unasked"


@pytest.mark.parametrize(
    ("counts", "withdrawals", "changes"),
    [
        (SnapshotCounts(100, 10, 90, 10), True, False),
        (SnapshotCounts(100, 99, 1, 90), False, True),
        (SnapshotCounts(100, 0, 100, 0), True, False),
        (SnapshotCounts(100, 0, 100, 0, 5), True, False),
    ],
)
def test_only_what_is_suspicious_waits(counts: SnapshotCounts, withdrawals: bool, changes: bool) -> None:
    hold = inspect(POLICY, counts)

    assert hold is not None
    assert (hold.withdrawals, hold.changes) == (withdrawals, changes)


@pytest.mark.parametrize(
    ("policy", "unknown", "may"),
    [(POLICY, 0, True), (POLICY, 5, False), (GatePolicy(approval_required=True), 0, False)],
)
def test_a_second_run_may_agree_unless_only_a_person_can_tell(policy: GatePolicy, unknown: int, may: bool) -> None:
    hold = inspect(policy, SnapshotCounts(100, 0, 100, 0, unknown))

    assert hold is not None
    assert hold.may_agree(policy) is may


def test_two_proposals_agree_when_reasons_and_withdrawals_are_the_same_in_any_order() -> None:
    one, two, three = (UUID(int=number) for number in (1, 2, 3))
    reasons = (HoldReason.MASS_WITHDRAWAL, HoldReason.MASS_CHANGE)

    assert signature(reasons, [one, two]) == signature(reasons[::-1], [two, one])
    assert signature(reasons, [one, two]) != signature(reasons, [one, three])
    assert signature(reasons, [one, two]) != signature(reasons[:1], [one, two])
