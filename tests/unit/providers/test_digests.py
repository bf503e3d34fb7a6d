"""Digests: the same for ever, or every plan of every installation would seem to have changed."""

from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal

import pytest

from app.adapters.outbound.providers.reading.digests import plan_digest
from app.domain.plans import Plan
from tests.support.builders import DETAILS, a_plan

PLAN = a_plan(timezone="Europe/Madrid", organizer="2")


def test_a_plan_has_the_digest_that_the_first_releases_gave_it() -> None:
    assert plan_digest(PLAN).hex() == "33860a8e050b525f9557d754dc3c4f30"


@pytest.mark.parametrize(
    "said",
    [
        {"price": Decimal("1.00")},
        {"start_has_time": False},
        {"end_has_time": False},
        {"start_fold": 1, "end_fold": 1},
        {"end_fold": 1},
        {"details": DETAILS},
        {"details": replace(DETAILS, place=None)},
        {"ends": None},
    ],
    ids=str,
)
def test_whatever_a_feed_says_of_a_plan_is_part_of_it(said: dict[str, object]) -> None:
    changed = replace(PLAN, **said)  # type: ignore[arg-type] # fields of Plan

    assert plan_digest(changed) != plan_digest(PLAN)


def test_the_edition_is_not_said_by_the_feed_and_does_not_count() -> None:
    edition = datetime(2022, 6, 30)  # noqa: DTZ001 - a wall clock

    assert plan_digest(replace(PLAN, edition=edition)) == plan_digest(PLAN)


def test_every_field_of_a_plan_is_known_to_these_tests() -> None:
    """Whoever adds a field decides whether it counts, and says so here."""
    assert len(fields(Plan)) == 18
