"""What domain events say of themselves."""

import pytest

from app.domain.domain_events import (
    NAMES,
    PLAN_FACTS,
    SYNC_FACTS,
    DomainEvent,
    PlanFact,
    PlanReturned,
    UserUpdated,
    plan_fact_of,
    sync_fact_of,
)
from app.domain.plans import searchable
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from app.domain.sync_transitions import SyncTransition, TransitionKind
from tests.support.access_builders import a_user, created, deleted, updated
from tests.support.builders import NOW, a_plan


def a_plan_event(*kinds: ChangeKind) -> PlanFact:
    return plan_fact_of(kinds)(
        event_id="plan-1",
        occurred_at=NOW,
        provider="demo",
        plan_id=a_plan().key.plan_id,
        kinds=kinds,
        run_id="run-1",
        in_feed=True,
        is_searchable=True,
        state=searchable(a_plan()),
    )


@pytest.mark.parametrize("kind", ChangeKind)
def test_each_kind_of_change_has_a_domain_event_of_its_name(kind: ChangeKind):
    assert plan_fact_of((kind,)).name == f"plan.{kind}"
    assert a_plan_event(kind).names == (f"plan.{kind}",)


def test_of_several_kinds_the_weightiest_gives_the_name_and_all_can_be_subscribed_to():
    told = a_plan_event(ChangeKind.WENT_ONLINE, ChangeKind.CHANGED, ChangeKind.RETURNED)

    assert type(told) is PlanReturned
    assert told.names == ("plan.returned", "plan.went_online", "plan.changed")


def test_the_subject_is_the_plan_or_the_user():
    assert a_plan_event(ChangeKind.LISTED).subject == f"plans/{a_plan().key.plan_id}"
    assert created(a_user(7)).subject == "users/00000000-0000-0000-0000-000000000007"


def test_what_became_of_a_user_has_one_name_each():
    after = a_user().changed(NOW, full_name="Ana")

    told = [created(a_user()), updated(a_user(), after), deleted(after)]

    assert [one.names for one in told] == [("user.created",), ("user.updated",), ("user.deleted",)]
    assert isinstance(told[1], UserUpdated)
    assert told[1].fields == ("full_name",)


@pytest.mark.parametrize("kind", TransitionKind)
def test_what_began_or_ended_with_a_run_is_about_its_provider_and_has_an_id_of_its_own(kind: TransitionKind):
    transition = SyncTransition(kind=kind, run_id="run-1", at=NOW, outcome=SyncOutcome.HELD, reason="too many")

    told = sync_fact_of("demo", transition)

    assert (told.subject, told.event_id) == ("providers/demo", f"sync-run-1-{kind}")
    assert told.names == ({"circuit_opened": "circuit.opened"}.get(kind, f"sync.{kind}"),)
    assert (told.occurred_at, told.reason, told.outcome) == (NOW, "too many", SyncOutcome.HELD)


def test_a_fact_of_no_kind_has_no_subject():
    with pytest.raises(NotImplementedError):
        _ = DomainEvent(event_id="1", occurred_at=NOW).subject


def test_every_name_can_be_subscribed_to_once():
    assert len(set(NAMES)) == len(NAMES) == len(PLAN_FACTS) + 3 + len(SYNC_FACTS)
    assert {f"plan.{kind}" for kind in ChangeKind} < set(NAMES)


def test_facts_are_equal_when_all_they_say_is():
    assert a_plan_event(ChangeKind.LISTED) == a_plan_event(ChangeKind.LISTED)
    assert a_plan_event(ChangeKind.LISTED) != a_plan_event(ChangeKind.CHANGED)
