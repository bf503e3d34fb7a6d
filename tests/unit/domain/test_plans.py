from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn
from uuid import UUID

import pytest

from app.domain.errors import PlanEndsBeforeItStartsError
from app.domain.plans import (
    PlanDetails,
    PlanKey,
    PlanStatus,
    PricedZones,
    PriceRange,
    UtcOffsets,
    instant,
    instants,
    searchable,
    utc_offsets,
)
from tests.support.builders import DETAILS, a_long_run, a_plan, a_zone


def test_a_plan_id_follows_from_provider_base_and_item_alone() -> None:
    assert PlanKey("demo", "291", "291").plan_id == UUID("1da4c9fb-efd7-5c7e-ad61-cf928ce59c4f")


def test_an_item_id_that_stands_under_three_bases_is_three_plans() -> None:
    keys = [PlanKey("demo", base, "1642") for base in ("322", "1591", "444")]

    assert len({key.plan_id for key in keys}) == 3


def test_the_same_base_at_two_providers_is_two_plans() -> None:
    assert PlanKey("a", "291", "291").plan_id != PlanKey("b", "291", "291").plan_id


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert PlanKey("a", "1,2", "3").plan_id != PlanKey("a", "1", "2,3").plan_id


def test_a_plan_that_ends_before_it_starts_is_refused_and_not_swapped() -> None:
    with pytest.raises(PlanEndsBeforeItStartsError, match="ends at 2021-06-30T20:00:00, before it starts"):
        a_plan(starts="21:00", ends="20:00")


def test_a_plan_may_end_when_it_starts() -> None:
    plan = a_plan(starts="21:00", ends="21:00")

    assert plan.starts_at == plan.ends_at


def test_prices_are_those_of_the_zones_with_tickets_left() -> None:
    plan = a_plan(zones=(a_zone(price="15.00", capacity=0), a_zone(price="20.00"), a_zone(price="30.00")))

    assert plan.prices == (Decimal("20.00"), Decimal("30.00"))


def test_a_sold_out_plan_keeps_the_prices_of_all_zones() -> None:
    plan = a_plan(zones=(a_zone(price="65.00", capacity=0), a_zone(price="75.00", capacity=0)))

    assert plan.prices == (Decimal("65.00"), Decimal("75.00"))


def test_zones_that_know_their_price_range_are_not_looked_at_one_by_one() -> None:
    plan = replace(a_plan(), zones=ZonesOfNobody())  # type: ignore[arg-type] # in place of a tuple, as the feed gives them

    assert plan.prices == (Decimal(1), Decimal(2))


class ZonesOfNobody(PricedZones):
    @property
    def price_range(self) -> PriceRange:
        return PriceRange(Decimal(1), Decimal(2))

    def __len__(self) -> int:
        return 1

    def __getitem__(self, number: object) -> NoReturn:
        raise AssertionError(number)


def test_a_zone_that_stands_twice_counts_twice() -> None:
    plan = a_plan(zones=(a_zone("186", price="75.00", capacity=2), a_zone("186", price="65.00", capacity=16)))

    assert plan.prices == (Decimal("65.00"), Decimal("75.00"))


def test_a_price_of_zero_is_a_price() -> None:
    assert a_plan(zones=(a_zone(price="0.00"),)).prices == (Decimal("0.00"), Decimal("0.00"))


def test_a_plan_without_zones_has_no_price() -> None:
    summary = searchable(a_plan(zones=())).summary

    assert (summary.min_price, summary.max_price) == (None, None)


def test_a_plan_is_searched_by_its_instants_and_told_by_its_wall_clock() -> None:
    found = searchable(a_plan(starts="21:00", ends="22:00", timezone="Europe/Madrid"))

    assert found.starts_at == datetime(2021, 6, 30, 19, tzinfo=UTC)
    assert found.ends_at == datetime(2021, 6, 30, 20, tzinfo=UTC)
    assert found.summary.starts == datetime(2021, 6, 30, 21)  # noqa: DTZ001 - a wall clock
    assert (found.summary.min_price, found.summary.max_price) == (Decimal("20.00"), Decimal("20.00"))


@pytest.mark.parametrize(
    ("wall_clock", "expected"),
    [
        pytest.param("2021-10-31T02:30:00", "2021-10-31T00:30:00+00:00", id="twice: its first occurrence"),
        pytest.param("2021-03-28T02:30:00", "2021-03-28T01:30:00+00:00", id="never: moves forward to 03:30"),
        pytest.param("2021-03-28T03:00:00", "2021-03-28T01:00:00+00:00", id="just after the gap"),
    ],
)
def test_an_instant_on_a_day_of_daylight_saving_in_madrid(wall_clock: str, expected: str) -> None:
    assert instant(datetime.fromisoformat(wall_clock), "Europe/Madrid").isoformat() == expected


def test_a_plan_never_ends_before_it_starts_in_instants_either() -> None:
    plan = a_plan(starts="2021-03-28T02:50:00", ends="2021-03-28T03:10:00", timezone="Europe/Madrid")

    assert plan.starts_at == datetime(2021, 3, 28, 1, 50, tzinfo=UTC)
    assert plan.ends_at == plan.starts_at


def test_offsets_give_the_instants_back_whatever_the_rules_say_by_then() -> None:
    plan = a_plan(starts="2023-03-26T02:30:00.5", ends="2023-03-26T03:10:00.25", timezone="Europe/Madrid")

    offsets = utc_offsets(plan, "2026f")

    assert offsets.rules == "2026f"
    assert instants(plan, offsets)[0] == plan.starts_at
    assert instants(plan, offsets)[1] >= plan.starts_at
    later = UtcOffsets(-3600, -3600, "2027a")
    assert instants(plan, later)[0].hour == 3
    assert (searchable(plan, later).starts_at, searchable(plan, later).ends_at) == instants(plan, later)
    assert instants(plan) == (plan.starts_at, plan.ends_at)


def test_of_a_time_that_occurs_twice_either_can_be_meant() -> None:
    night = {"starts": "2021-10-31T02:30:00", "ends": "2021-10-31T02:30:00", "timezone": "Europe/Madrid"}

    an_hour = a_plan(**night, end_fold=1)  # type: ignore[arg-type] # fields of a plan

    assert an_hour.starts_at == datetime(2021, 10, 31, 0, 30, tzinfo=UTC)
    assert an_hour.ends_at == datetime(2021, 10, 31, 1, 30, tzinfo=UTC)
    assert instants(an_hour, utc_offsets(an_hour, "2026f")) == (an_hour.starts_at, an_hour.ends_at)


def test_the_second_time_may_show_less_than_the_first_when_the_plan_began() -> None:
    plan = a_plan(starts="2021-10-31T02:45:00", timezone="Europe/Madrid", end_fold=1)
    ends = datetime(2021, 10, 31, 2, 15)  # noqa: DTZ001 - a wall clock

    assert replace(plan, ends=ends).ends_at - plan.starts_at == timedelta(minutes=30)
    with pytest.raises(PlanEndsBeforeItStartsError):
        replace(plan, ends=ends, end_fold=0)


def test_a_plan_whose_end_nobody_knows_counts_by_its_start() -> None:
    plan = a_plan(timezone="Europe/Madrid", ends=None)
    open_end = replace(plan, ends=None)
    offsets = utc_offsets(open_end, "2026f")

    found = searchable(open_end, offsets)

    assert found.starts_at == found.ends_at == plan.starts_at
    assert found.summary.ends is None
    assert offsets.ends == offsets.starts == 7200


def test_a_plan_of_whole_days_lasts_until_the_last_second_of_the_last_one() -> None:
    found = searchable(a_long_run(timezone="Europe/Madrid"))

    assert found.starts_at == datetime(2021, 6, 27, 22, tzinfo=UTC)
    assert found.ends_at == datetime(2021, 6, 30, 21, 59, 59, tzinfo=UTC)
    assert (found.summary.start_has_time, found.summary.end_has_time) == (False, False)


def test_without_zones_a_plan_has_the_one_price_that_is_said() -> None:
    summary = searchable(a_long_run()).summary

    assert (summary.min_price, summary.max_price) == (Decimal("12.50"), Decimal("12.50"))
    assert replace(a_plan(), price=Decimal(1)).prices == (Decimal("20.00"), Decimal("20.00"))


@pytest.mark.parametrize(
    ("details", "sold_out", "expected"),
    [
        (None, False, PlanStatus.SCHEDULED),
        (None, True, PlanStatus.SOLD_OUT),
        (PlanDetails(), True, PlanStatus.SOLD_OUT),
        (DETAILS, False, PlanStatus.POSTPONED),
        pytest.param(DETAILS, True, PlanStatus.POSTPONED, id="what is postponed is not merely sold out"),
    ],
)
def test_what_became_of_a_plan(details: PlanDetails | None, sold_out: bool, expected: PlanStatus) -> None:
    plan = a_plan(details=details, sold_out=sold_out)

    assert (plan.status, searchable(plan).status) == (expected, expected)


def test_a_plan_with_nothing_to_tell_carries_nothing() -> None:
    assert searchable(a_plan()).details is None
    assert searchable(a_plan(details=DETAILS)).details is DETAILS


def test_another_edition_of_the_same_ids_is_another_plan() -> None:
    first = a_plan()
    editions = [replace(first, edition=datetime(year, 6, 30, 21)) for year in (2022, 2023)]  # noqa: DTZ001

    assert first.plan_id == first.key.plan_id
    assert len({first.plan_id, *(plan.plan_id for plan in editions)}) == 3
    assert editions[0].plan_id == UUID("7fba0ce4-6bcb-5eb4-9a20-980a6b7bb9c9")
