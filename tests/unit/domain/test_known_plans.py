from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.known_plans import KnownPlans
from app.domain.plans import PlanId, SellMode, UtcOffsets
from app.domain.reconciliation import KnownPlan
from tests.support.builders import NOW, a_change

_instants = st.none() | st.integers(0, 3).map(lambda hours: NOW + timedelta(hours=hours))
_known = st.builds(
    KnownPlan,
    digest=st.binary(max_size=20),
    base_id=st.text(max_size=5),
    sell_mode=st.sampled_from(SellMode),
    in_feed=st.booleans(),
    seen_online=st.booleans(),
    first_seen_at=st.just(NOW),
    withdrawn_at=_instants,
    last_seen_at=_instants,
    offsets=st.none() | st.just(UtcOffsets(3600, 7200, "2026a")),
    followed_by=st.none() | st.just(datetime(2026, 1, 1, 20)),  # noqa: DTZ001 -- a provider's wall clock
)
_ids = st.uuids() | st.integers(0, 40).map(lambda number: UUID(int=number))
"""The latter have the same first bits, all of them."""


@given(st.dictionaries(_ids, _known, max_size=60), st.integers(0, 80))
def test_they_are_a_mapping_like_any_other(known: dict[PlanId, KnownPlan], expected: int) -> None:
    packed = KnownPlans(expected)
    for plan_id, plan in known.items():
        packed.add(plan_id, plan)

    assert packed == known == KnownPlans.of(known)
    assert list(packed) == list(known)
    assert len(packed) == len(known)
    assert packed.in_feed == sum(plan.in_feed for plan in known.values())
    assert [packed.place(plan_id) for plan_id in known] == list(range(len(known)))
    assert all(packed.says(place, plan.digest) is plan.in_feed for place, plan in enumerate(known.values()))


@given(st.dictionaries(_ids, _known, max_size=20), st.data())
def test_absent_are_those_in_the_feed_without_a_mark(known: dict[PlanId, KnownPlan], data: st.DataObject) -> None:
    packed = KnownPlans.of(known)
    present = data.draw(st.binary(min_size=len(known), max_size=len(known)))

    found = dict(packed.absent(present))

    assert found == {
        plan_id: plan for mark, (plan_id, plan) in zip(present, known.items(), strict=True) if plan.in_feed and not mark
    }


def a_known(digest: bytes = b"a" * 16, *, in_feed: bool = True) -> KnownPlan:
    return replace(a_change().known, digest=digest, in_feed=in_feed)


def test_a_plan_says_a_digest_while_it_is_in_the_feed() -> None:
    packed = KnownPlans.of({UUID(int=1): a_known(), UUID(int=2): a_known(in_feed=False)})

    assert packed.says(0, b"a" * 16)
    assert not packed.says(0, b"b" * 16)
    assert not packed.says(1, b"a" * 16)


def test_what_is_not_there_has_no_place() -> None:
    packed = KnownPlans.of({UUID(int=1): a_known()})

    assert packed.place(UUID(int=2)) is None
    assert packed.get(UUID(int=2)) is None
    with pytest.raises(KeyError):
        packed[UUID(int=2)]


def test_the_first_of_two_that_are_added_stays() -> None:
    packed = KnownPlans()
    packed.add(UUID(int=1), a_known(b"a" * 16))
    packed.add(UUID(int=1), a_known(b"b" * 16))

    assert dict(packed) == {UUID(int=1): a_known(b"a" * 16)}
