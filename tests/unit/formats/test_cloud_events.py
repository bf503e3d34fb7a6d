"""Domain events as the world reads them: CloudEvents 1.0, JSON event format."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from app.adapters.formats.cloud_events import CONTENT_TYPE, envelope, render_envelope, type_of, user_data
from app.adapters.inbound.http.search.plan_json import render_plan
from app.domain.access import Role
from app.domain.domain_events import NAMES, DomainEvent, PlanFact, SyncFact, plan_fact_of, sync_fact_of
from app.domain.gate import HoldReason
from app.domain.plans import Plan, searchable
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from app.domain.sync_transitions import SyncTransition, TransitionKind
from tests.support.access_builders import a_user, created, deleted, updated
from tests.support.builders import NOW, a_plan, a_zone

SOURCE = "/marquee/test"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def a_plan_event(plan: Plan | None = None, *kinds: ChangeKind) -> PlanFact:
    plan = plan or a_plan()
    return plan_fact_of(kinds or (ChangeKind.LISTED,))(
        event_id="plan-1",
        occurred_at=NOW,
        provider=plan.key.provider,
        plan_id=plan.key.plan_id,
        kinds=kinds or (ChangeKind.LISTED,),
        run_id="run-1",
        in_feed=False,
        is_searchable=True,
        state=searchable(plan),
    )


def a_sync_event(kind: TransitionKind) -> SyncFact:
    transition = SyncTransition(
        kind=kind,
        run_id="run-1",
        at=NOW,
        outcome=SyncOutcome.HELD,
        reason="18 of 20 plans are gone",
        held_for=(HoldReason.MASS_WITHDRAWAL,),
        waiting={ChangeKind.WITHDRAWN: 18},
    )
    return sync_fact_of("demo", transition)


def sent(told: DomainEvent) -> dict[str, Any]:
    """Render it and read it as a stranger does."""
    found: dict[str, Any] = json.loads(render_envelope(told, SOURCE), parse_float=Decimal)
    return found


CHANGED = a_user().changed(NOW, full_name="Ana", role=Role.ADMIN)
FACTS = [a_plan_event(None, kind) for kind in ChangeKind] + [
    created(a_user()),
    updated(a_user(), CHANGED),
    deleted(CHANGED.deleted(NOW)),
    *(a_sync_event(kind) for kind in TransitionKind),
]


@pytest.mark.parametrize("told", FACTS, ids=lambda told: told.name)
def test_every_required_attribute_is_there_and_each_has_its_form(told: DomainEvent):
    found = sent(told)

    assert (found["specversion"], found["source"]) == ("1.0", SOURCE)
    assert (found["id"], found["type"]) == (told.event_id, f"marquee.{told.name}.v1")
    assert found["subject"] == told.subject
    assert found["datacontenttype"] == "application/json"
    assert INSTANT.fullmatch(found["time"])
    assert datetime.fromisoformat(found["time"]) == told.occurred_at
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in found)
    assert all(isinstance(value, str) and value for name, value in found.items() if name != "data")


def test_a_transition_of_a_sync_says_what_happened_and_what_waits():
    assert sent(a_sync_event(TransitionKind.HELD))["data"] == {
        "provider": "demo",
        "run_id": "run-1",
        "outcome": "held",
        "reason": "18 of 20 plans are gone",
        "held_for": ["mass_withdrawal"],
        "waiting": {"withdrawn": 18},
    }


def test_all_kinds_are_among_those():
    assert {told.name for told in FACTS} == set(NAMES)
    assert CONTENT_TYPE == "application/cloudevents+json"
    assert type_of("plan.changed") == "marquee.plan.changed.v1"


def test_instants_of_other_zones_are_told_in_utc():
    at = (NOW + timedelta(microseconds=123_999)).astimezone(timezone(timedelta(hours=2)))

    assert sent(created(a_user(at=at)))["time"] == "2026-01-05T12:00:00.123Z"


def test_what_is_said_of_a_plan_is_what_a_search_says():
    plan = a_plan(title='"Ñandú" \U0001f3ad', starts="21:00", ends="23:30", timezone="Europe/Madrid")
    told = a_plan_event(plan, ChangeKind.RETURNED, ChangeKind.CHANGED)

    found = sent(told)["data"]

    assert found == {
        "id": str(plan.key.plan_id),
        "provider": "demo",
        "changes": ["returned", "changed"],
        "run_id": "run-1",
        "in_feed": False,
        "searchable": True,
        "starts_at": "2021-06-30T19:00:00.000Z",
        "ends_at": "2021-06-30T21:30:00.000Z",
        "plan": json.loads(render_plan(searchable(plan).summary)),
        "details": {
            "status": "scheduled",
            "place": None,
            "url": None,
            "image": None,
            "category": None,
            "currency": None,
        },
    }
    assert render_plan(searchable(plan).summary) in render_envelope(told, SOURCE)


@pytest.mark.parametrize("price", ["15.00", "0", "0.10", "20.1234567890123456789012345", "1000000000000000000.5"])
def test_a_price_is_a_number_with_the_digits_that_the_feed_had(price: str):
    body = render_envelope(a_plan_event(a_plan(zones=(a_zone(price=price),))), SOURCE)

    assert f'"min_price":{price},"max_price":{price}'.encode() in body


def test_a_plan_without_zones_has_no_price():
    plan = sent(a_plan_event(a_plan(zones=())))["data"]["plan"]

    assert (plan["min_price"], plan["max_price"]) == (None, None)


def test_what_is_said_of_a_user_is_what_its_route_says():
    gone = a_user(email="ñ@x.com", full_name="Ana", role="operator").deleted(NOW + timedelta(seconds=1.5))

    assert sent(deleted(gone))["data"] == {"user": user_data(gone)}
    assert user_data(gone) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "username": "user-1",
        "email": "ñ@x.com",
        "full_name": "Ana",
        "role": "operator",
        "is_active": False,
        "created_at": "2026-01-05T12:00:00.000Z",
        "updated_at": "2026-01-05T12:00:01.500Z",
    }


def test_a_changed_user_says_which_fields_changed():
    found = sent(updated(a_user(), CHANGED))["data"]

    assert found == {"user": user_data(CHANGED), "fields": ["full_name", "role"]}


@pytest.mark.parametrize("make", [envelope, render_envelope])
def test_a_domain_event_that_has_no_form_yet_is_a_bug(make: Callable[[DomainEvent, str], object]):
    class Unheard(DomainEvent):
        name = "unheard"
        subject = "nothing"

    with pytest.raises(TypeError):
        make(Unheard(event_id="1", occurred_at=NOW), SOURCE)


def test_nothing_in_an_envelope_ends_a_line_for_anybody() -> None:
    title = "One\x85two\u2028three\u2029four\nfive"

    text = render_envelope(a_plan_event(a_plan(title=title)), "/here")

    assert len(text.decode().splitlines()) == 1
    assert json.loads(text)["data"]["plan"]["title"] == title
