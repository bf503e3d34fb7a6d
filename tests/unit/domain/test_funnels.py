"""Funnels in columns say the same as trying every way; what is kept for them can be told apart and taken out."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import fold_columns, visitors_of
from app.domain.funnels import (
    Digest,
    Funnel,
    FunnelEvidence,
    GatheredInstants,
    Instants,
    InstantsByDay,
    InvalidFunnelError,
    digests_of,
    instants_by_day,
    no_instants,
    numbers_of,
    users_by_step,
)
from app.domain.rollups import DatedActivities, LocalClock
from tests.support.oracle import Oracle

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 2), date(2026, 1, 3)
USERS = ("ana", "bob", "cem")
happened = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(USERS), st.integers(0, 20)), max_size=25)
"""Type, user, and a number of quarters of days since BEGIN: many are of one instant."""


def plain(done: Sequence[tuple[str, str, int]], merged: bool) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"id": n, "type": type_, "user_id": user, "occurred_at": BEGIN + timedelta(hours=6 * at), "value": None}
        for n, (type_, user, at) in enumerate(done)
    ]
    if merged:
        alias = {"id": -1, "type": "$alias", "user_id": "ana", "anonymous_id": "bob", "occurred_at": BEGIN}
        rows.append({**alias, "value": None})
    return rows


def instants(done: Sequence[tuple[str, int]]) -> Instants:
    found = no_instants()
    for user, at in done:
        found.visitors.extend(numbers_of([user]))
        found.at.append((BEGIN + timedelta(hours=6 * at) - EPOCH) // timedelta(microseconds=1))
    return found


def parts(done: Sequence[tuple[str, int]]) -> list[Instants]:
    """Lay them out in two parts."""
    middle = len(done) // 2
    return [instants(done[:middle]).by_visitor(), instants(done[middle:]).by_visitor()]


@given(happened, st.lists(st.sampled_from("abc"), min_size=1, max_size=4), st.integers(1, 12), st.booleans())
def test_a_funnel_is_what_trying_every_way_finds(
    done: list[tuple[str, str, int]], steps: list[str], quarters: int, merged: bool
) -> None:
    within = timedelta(hours=6 * quarters)
    number = dict(zip(USERS, numbers_of(USERS), strict=True))
    funnel = Funnel(steps, within)
    in_range = [(user, at) for type_, user, at in done if type_ == steps[0] and 4 <= at < 12]
    evidence = FunnelEvidence(
        parts(in_range),
        {later: parts([(user, at) for type_, user, at in done if type_ == later]) for later in funnel.later_types},
        {number["ana"]: number["ana"], number["bob"]: number["ana"]} if merged else {},
    )

    found = users_by_step(funnel, evidence)

    expected = Oracle(plain(done, merged), UTC).funnel(steps, within, FIRST, LAST)
    assert found == [row["users"] for row in expected]


def test_many_users_are_looked_at_some_after_others() -> None:
    many = [(f"user-{n}", n % 9) for n in range(50_000)]
    calls: list[None] = []

    found = users_by_step(
        Funnel(["a", "b"], timedelta(hours=6)),
        FunnelEvidence(parts(many), {"b": parts([(user, at + 1) for user, at in many if at])}),
        lambda: calls.append(None),
    )

    assert found == [50_000, sum(1 for _, at in many if at)]
    assert len(calls) > 2


def test_what_ends_it_is_raised() -> None:
    def go_on() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        users_by_step(Funnel(["a"], timedelta(days=1)), FunnelEvidence([], {}), go_on)


@pytest.mark.parametrize(
    ("steps", "within", "said"),
    [
        ([], timedelta(days=1), "steps: 0 are given; expected 1 to 10"),
        (["a"] * 11, timedelta(days=1), "steps: 11 are given"),
        (["a", ""], timedelta(days=1), "steps: '' is no type"),
        (["$alias"], timedelta(days=1), r"steps: '\$alias' is no type"),
        (["a"], timedelta(), "within: expected more than nothing and at most 366d"),
        (["a"], timedelta(days=367), "within: expected"),
    ],
)
def test_what_is_no_funnel_is_refused(steps: list[str], within: timedelta, said: str) -> None:
    with pytest.raises(InvalidFunnelError, match=said):
        Funnel(steps, within)


def test_instants_are_kept_of_some_types_by_the_day_and_of_visitors_that_are_known() -> None:
    sent = [
        Activity(UUID(int=n), type_, BEGIN + timedelta(hours=hours), user_id=user, anonymous_id=anonymous)
        for n, (type_, hours, user, anonymous) in enumerate(
            [
                ("view", 0, "ana", None),
                ("view", 1, None, "ana"),
                ("view", 30, "ana", "x"),
                ("view", 2, None, None),
                ("click", 2, "ana", None),
                ("$identify", 2, "ana", "y"),
            ]
        )
    ]

    kept = fold_columns(ActivityColumns.of(sent), LocalClock(UTC), (), {"view"}).instants

    (first_day, second_day) = sorted(kept)
    assert [first_day[0], second_day[1] - first_day[1]] == ["view", 1]
    assert sorted(kept[first_day].visitors) == sorted(numbers_of(["ana", "\x01ana"]))
    assert kept[second_day] == instants([("ana", 5)])


def test_nothing_is_kept_of_no_types() -> None:
    sent = ActivityColumns.of([Activity(UUID(int=1), "view", BEGIN, user_id="ana")])
    dated = DatedActivities(sent, *LocalClock(UTC).read(sent.occurred_at))

    assert instants_by_day(dated, visitors_of(sent), ()) == {}
    assert fold_columns(sent, LocalClock(UTC)).instants == {}


moments = st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 3)), max_size=12)


@given(moments, moments)
def test_what_is_left_out_is_left_out_as_often_as_it_is_given(
    all_: list[tuple[str, int]], gone: list[tuple[str, int]]
) -> None:
    rest = instants(all_).without(instants(gone))

    expected = Counter(all_) - Counter(gone)
    assert Counter(zip(*rest, strict=True)) == Counter(zip(*instants([*expected.elements()]), strict=True))


@given(moments, moments)
def test_a_digest_is_the_same_in_every_order_and_tells_others_apart(
    some: list[tuple[str, int]], others: list[tuple[str, int]]
) -> None:
    digest = Digest().plus(instants(some)).plus(instants(others))

    assert digest == Digest().plus(instants([*others, *some]).by_visitor())
    assert (digest == Digest().plus(instants(some))) == (not others)
    assert (Digest().plus(instants(some)) == Digest().plus(instants(others))) == (Counter(some) == Counter(others))


def test_digests_go_by_type_and_day() -> None:
    one, two = instants([("ana", 1)]), instants([("bob", 2)])
    known = digests_of({("view", 1): one}, {})

    more = digests_of({("view", 1): two, ("view", 2): one}, known)

    assert more == {("view", 1): Digest().plus(one).plus(two), ("view", 2): Digest().plus(one)}


def test_instants_are_handed_on_when_there_are_enough_and_at_the_end() -> None:
    handed: list[InstantsByDay] = []
    gathered = GatheredInstants(handed.append, 3)

    for at in range(4):
        gathered.add({("view", at % 2): instants([("ana", at)])})
    gathered.finish()

    assert [{key: list(own.at) for key, own in some.items()} for some in handed] == [
        {("view", 0): list(instants([("ana", 0), ("ana", 2)]).at), ("view", 1): list(instants([("ana", 1)]).at)},
        {("view", 1): list(instants([("ana", 3)]).at)},
    ]
