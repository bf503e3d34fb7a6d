"""What each door promises, whoever sends, in whatever form: each activity counts once, and none is misread."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.activities import LARGEST_ACTIVITY
from tests.support.builders import NOW
from tests.support.doors import (
    BROKER_DOORS,
    HTTP_DOORS,
    SINGLE,
    WITHOUT_CLOCK,
    BrokerDoor,
    DoorWorld,
    Happened,
    HttpDoor,
    again,
)

YESTERDAY = datetime(2026, 1, 4, 12, 30, 15, 250000, tzinfo=UTC)


@pytest.fixture(params=[*HTTP_DOORS, *BROKER_DOORS])
def door(request: pytest.FixtureRequest) -> DoorWorld:
    return made(request.param)


def made(name: str) -> DoorWorld:
    return BrokerDoor(BROKER_DOORS[name]) if name in BROKER_DOORS else HttpDoor(HTTP_DOORS[name])


async def test_what_happened_arrives_as_it_was_told(door: DoorWorld) -> None:
    await door.deliver(Happened("order_completed", at=YESTERDAY, user="ana", value=12.5, page="/plans/291"))

    (taken,) = door.taken
    assert (taken.type, taken.occurred_at, taken.user_id) == ("order_completed", YESTERDAY, "ana")
    assert taken.value == Decimal("12.5")
    assert '"page":"/plans/291"' in (taken.properties or "")


async def test_what_has_no_time_happens_now(door: DoorWorld) -> None:
    await door.deliver(Happened())

    assert [taken.occurred_at for taken in door.taken] == [NOW]


@pytest.mark.parametrize("id_", ["01890a5d-ac96-774b-bcce-b302099a8057", "order 17/ä"])
async def test_the_same_id_twice_counts_once(door: DoorWorld, id_: str) -> None:
    one, other = Happened(id=id_), Happened(id=f"{id_[:-1]}0")

    await door.deliver(one, again(one), other)
    await door.deliver(again(other), one)

    assert len(door.taken) == 2
    assert len({taken.activity_id for taken in door.taken}) == 2


async def test_a_record_that_is_refused_costs_the_others_nothing(door: DoorWorld) -> None:
    await door.deliver(
        Happened("first"), Happened(None), Happened("view", at=NOW + timedelta(hours=2)), Happened("last")
    )

    assert [taken.type for taken in door.taken] == ["first", "last"]


async def test_a_record_that_is_too_large_costs_the_others_nothing(door: DoorWorld) -> None:
    await door.deliver(Happened("first"), Happened(page="x" * LARGEST_ACTIVITY), Happened("last"))

    assert [taken.type for taken in door.taken] == ["first", "last"]


async def test_what_stands_in_the_place_of_a_user_is_none(door: DoorWorld) -> None:
    await door.deliver(Happened(user="undefined"), Happened(user="[object Object]"), Happened(user="ana"))

    assert [taken.user_id for taken in door.taken] == [None, None, "ana"]


@pytest.mark.parametrize("name", sorted(HTTP_DOORS.keys() - WITHOUT_CLOCK))
async def test_a_clock_that_is_off_is_corrected_and_both_instants_are_kept(name: str) -> None:
    door = HttpDoor(HTTP_DOORS[name])
    next_year = timedelta(days=365)

    await door.deliver(Happened(at=NOW - timedelta(seconds=10) + next_year, sent_at=NOW + next_year))

    (taken,) = door.taken
    assert taken.occurred_at == NOW - timedelta(seconds=10)
    assert json.loads(taken.origin or "").keys() >= {"occurred_at", "sent_at"}


@pytest.mark.parametrize("name", sorted(HTTP_DOORS.keys() - SINGLE))
async def test_of_more_than_are_taken_at_once_none_is(name: str) -> None:
    door = HttpDoor(HTTP_DOORS[name])

    await door.deliver(*[Happened()] * (door.most + 1))

    assert (door.statuses, list(door.taken)) == ([413], [])


happened = st.builds(Happened, type=st.sampled_from(["view", "buy", None]), id=st.sampled_from(["a", "b", "ç 1", "d"]))


@pytest.mark.parametrize("name", [*HTTP_DOORS, *BROKER_DOORS])
@settings(max_examples=15, deadline=None)
@given(deliveries=st.lists(st.lists(happened, min_size=1, max_size=4), max_size=4))
async def test_however_it_is_split_and_repeated_each_id_counts_once(
    name: str, deliveries: list[list[Happened]]
) -> None:
    door = made(name)

    for delivery in deliveries:
        await door.deliver(*delivery)

    assert len(door.taken) == len({one.id for delivery in deliveries for one in delivery if one.type})
