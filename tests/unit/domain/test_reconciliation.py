from dataclasses import replace
from datetime import timedelta

from app.domain.known_plans import KnownPlans
from app.domain.plans import Plan, PlanId, UtcOffsets
from app.domain.reconciliation import ChangeKind, KnownPlan, PlanChange, judge, withdrawals
from tests.support.builders import NOW, a_change, a_plan

LATER = NOW + timedelta(hours=1)


def known_of(plan: Plan, digest: bytes = b"1") -> KnownPlan:
    change = judge(plan, digest, None, NOW)
    assert change is not None
    return change.known


def gone(known: dict[PlanId, KnownPlan], *present: PlanId, doubtful: tuple[str, ...] = ()) -> list[PlanChange]:
    packed = KnownPlans.of(known)
    absent = packed.absent(bytes(plan_id in present for plan_id in packed))
    return list(withdrawals(absent, doubtful, last_seen_at=NOW, at=LATER))


def test_a_plan_not_known_is_listed() -> None:
    change = judge(a_plan(), b"1", None, NOW)

    assert change is not None
    assert change.kinds == (ChangeKind.LISTED,)
    assert change.known.in_feed
    assert change.known.first_seen_at == NOW


def test_a_plan_that_says_the_same_is_not_written() -> None:
    assert judge(a_plan(), b"1", known_of(a_plan()), LATER) is None


def test_a_plan_that_says_something_else_is_changed_and_keeps_when_it_was_first_seen() -> None:
    change = judge(a_plan(), b"2", known_of(a_plan()), LATER)

    assert change is not None
    assert change.kinds == (ChangeKind.CHANGED,)
    assert change.known.first_seen_at == NOW


def test_a_plan_that_left_is_withdrawn_with_when_it_was_seen_last() -> None:
    plan = a_plan()

    changes = gone({plan.key.plan_id: known_of(plan)})

    assert [change.kinds for change in changes] == [(ChangeKind.WITHDRAWN,)]
    assert changes[0].plan is None
    assert not changes[0].known.in_feed
    assert changes[0].known.withdrawn_at == LATER
    assert changes[0].known.last_seen_at == NOW


def test_a_plan_that_was_withdrawn_is_not_withdrawn_again() -> None:
    plan = a_plan()

    assert gone({plan.key.plan_id: replace(known_of(plan), in_feed=False)}) == []


def test_a_plan_with_a_rejected_record_is_not_withdrawn() -> None:
    plan = a_plan()

    assert gone({plan.key.plan_id: known_of(plan)}, plan.key.plan_id) == []


def test_a_plan_of_a_base_with_a_record_that_nobody_can_place_is_not_withdrawn() -> None:
    plan = a_plan(base="291")

    assert gone({plan.key.plan_id: known_of(plan)}, doubtful=("291",)) == []


def test_a_plan_that_comes_back_unchanged_has_returned() -> None:
    change = judge(
        a_plan(), b"1", replace(known_of(a_plan()), in_feed=False, withdrawn_at=NOW, last_seen_at=NOW), LATER
    )

    assert change is not None
    assert change.kinds == (ChangeKind.RETURNED,)
    assert change.known.in_feed
    assert change.known.withdrawn_at is None


def test_a_plan_that_comes_back_changed_has_returned_and_changed() -> None:
    change = judge(a_plan(), b"2", replace(known_of(a_plan()), in_feed=False), LATER)

    assert change is not None
    assert change.kinds == (ChangeKind.RETURNED, ChangeKind.CHANGED)


def test_a_plan_never_online_is_not_searchable() -> None:
    assert not known_of(a_plan(sell_mode="offline")).seen_online


def test_a_plan_that_goes_online_becomes_searchable() -> None:
    change = judge(a_plan(sell_mode="online"), b"2", known_of(a_plan(sell_mode="offline")), LATER)

    assert change is not None
    assert change.kinds == (ChangeKind.CHANGED, ChangeKind.WENT_ONLINE)
    assert change.known.seen_online


def test_a_plan_that_goes_offline_stays_searchable() -> None:
    change = judge(a_plan(sell_mode="offline"), b"2", known_of(a_plan(sell_mode="online")), LATER)

    assert change is not None
    assert change.kinds == (ChangeKind.CHANGED, ChangeKind.WENT_OFFLINE)
    assert change.known.seen_online


def test_what_is_known_is_the_same_by_its_instants_whatever_rules_they_are_by() -> None:
    unnoted = a_change(a_plan()).known
    old, same = (replace(unnoted, offsets=UtcOffsets(3600, 3600, rules)) for rules in ("2025b", "2026a"))
    moved = replace(unnoted, offsets=UtcOffsets(7200, 7200, "2026a"))
    told = replace(unnoted, offsets=UtcOffsets(3600, 3600, ""))

    assert old.is_like(moved)
    assert old.is_as(same)
    assert not old.is_as(moved)
    assert unnoted.is_as(unnoted)
    assert unnoted.is_as(told)
    assert told.is_as(old)
    assert not unnoted.is_as(old)
    assert not old.is_as(replace(old, in_feed=False))
    assert not old.is_like(replace(old, in_feed=False))
