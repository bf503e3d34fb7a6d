"""By which names webhooks ask for activities, and whom a message is about."""

from dataclasses import replace

import pytest

from app.domain.activities import STATEMENTS
from app.domain.activity_notices import activity_name, notice_id, subject_of
from app.domain.webhook_errors import InvalidWebhookError
from tests.support.access_builders import a_user, created
from tests.support.builders import NOW, an_activity
from tests.support.webhook_world import an_endpoint

TYPES = ("view", "purchase", "cart.added", "cart.removed", "cart")


@pytest.mark.parametrize(
    ("names", "heard"),
    [
        ((), ()),
        (("*",), ()),
        (("plan.*", "user.created"), ()),
        (("activity.*",), TYPES),
        (("activity.purchase",), ("purchase",)),
        (("activity.cart.*",), ("cart.added", "cart.removed")),
        (("plan.changed", "activity.cart", "activity.view"), ("view", "cart")),
        (("*", "activity.view"), ("view",)),
    ],
)
def test_activities_are_told_to_whom_asks_for_their_type(names: tuple[str, ...], heard: tuple[str, ...]) -> None:
    endpoint = an_endpoint(names=names)

    assert tuple(one for one in TYPES if endpoint.hears_of_activities(one)) == heard
    assert not any(endpoint.switched_off("x").hears_of_activities(one) for one in TYPES)


def test_statements_are_nothing_that_anybody_did() -> None:
    assert not any(an_endpoint(names=("activity.*",)).hears_of_activities(one) for one in STATEMENTS)


def test_who_asks_for_activities_alone_is_told_nothing_else_and_a_star_is_all_domain_events() -> None:
    told = created(a_user())

    assert not an_endpoint(names=("activity.*",)).hears_of(told, NOW)
    assert an_endpoint(names=("*", "activity.view")).hears_of(told, NOW)


@pytest.mark.parametrize(
    "name", ["activity", "activity.", "activity.View", "activity.a b", "activity.*.*", "activity.a,b"]
)
def test_a_name_that_no_type_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidWebhookError, match=r"activity\.\*"):
        an_endpoint(names=(name,))


def test_skipped_activities_are_counted() -> None:
    endpoint = an_endpoint().with_skipped(2).with_skipped(3)

    assert endpoint == replace(an_endpoint(), skipped=5)


def test_an_activity_is_told_of_its_visitor_and_the_same_text_names_two() -> None:
    activity = an_activity(1, type_="cart.added")

    assert activity_name(activity.type) == "activity.cart.added"
    assert notice_id(activity.activity_id) == "activity-00000000-0000-0000-0000-000000000001"
    assert subject_of(activity._replace(anonymous_id="x")) == "visitors/ana"
    assert subject_of(activity._replace(user_id=None, anonymous_id="ana")) == "anonymous-visitors/ana"
    assert subject_of(activity._replace(user_id=None)) == "activities/00000000-0000-0000-0000-000000000001"
