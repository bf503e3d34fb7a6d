"""The days of a visitor, with each type and in all."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.stats import visits_on
from app.domain.user_days import ALL, UserDays, before, days_with, holds, joined, less, together

DAYS = st.sets(st.integers(-5, 30), min_size=1)
SETS = st.dictionaries(st.sampled_from(["view", "buy", "share"]), DAYS, min_size=1)


def by_type(days: UserDays | None) -> dict[str, set[int]]:
    """Spell them out."""
    found = {} if days is None else dict(days.by_type)
    return {type_: {v.first + n for n in range(40) if v.days >> n & 1} for type_, v in found.items()}


@given(SETS, SETS)
def test_what_two_did_is_joined_by_type(one: dict[str, set[int]], other: dict[str, set[int]]) -> None:
    both = {type_: one.get(type_, set()) | other.get(type_, set()) for type_ in {*one, *other}}

    assert together(days_with(one), days_with(other)) == days_with(both) == together(days_with(other), days_with(one))
    assert days_with(both).all == visits_on(set[int]().union(*both.values()))
    assert joined(days_with(one), None) == joined(None, days_with(one)) == days_with(one)
    assert joined(days_with(one), days_with(other)) == days_with(both)
    assert joined(None, None) is None


@given(SETS, SETS)
def test_days_are_held_when_each_type_has_them(one: dict[str, set[int]], other: dict[str, set[int]]) -> None:
    is_held = all(type_ in one and days <= one[type_] for type_, days in other.items())

    assert holds(dict(days_with(one).by_type), days_with(other)) == is_held


@given(SETS, SETS, st.sets(st.integers(-5, 30)))
def test_days_are_taken_by_type_and_of_all(
    days: dict[str, set[int]], lost: dict[str, set[int]], of_all: set[int]
) -> None:
    gone = of_all & set[int]().union(*days.values())
    left = {type_: own - lost.get(type_, set()) - gone for type_, own in days.items()}
    unspoken = set[int]().union(*days.values()) - gone

    found = less(days_with(days), {**lost, ALL: gone})

    if unspoken:
        assert found is not None
        assert found.all == visits_on(unspoken)
    assert by_type(found) == {type_: own for type_, own in left.items() if own} or not unspoken


@given(SETS, st.integers(-10, 40))
def test_days_before_one_are_chosen(days: dict[str, set[int]], day: int) -> None:
    early = {type_: {one for one in own if one < day} for type_, own in days.items()}

    found = before(day, days_with(days))

    assert by_type(found) == {type_: own for type_, own in early.items() if own}
    assert (found is None) == (not any(early.values()))
