"""How fast activities come, from looks at a counter."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activity_curve import STEP, STEPS, ActivityCurve, CounterLook
from tests.support.builders import NOW


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def a_curve(*totals: int, every: float = 1.0) -> ActivityCurve:
    curve = ActivityCurve()
    for number, total in enumerate(totals):
        curve.note(NOW + after(number * every), total)
    return curve


def test_the_rate_is_the_mean_of_the_last_ten_seconds() -> None:
    curve = a_curve(*range(0, 1000, 100), *[1000] * 11)

    assert curve.rate(NOW + after(20)) == 0
    assert a_curve(5, 25, 45).rate(NOW + after(2)) == 20


@pytest.mark.parametrize(("looks", "now"), [((), 0), ((7,), 0), ((7, 9), 6.1)])
def test_without_two_looks_or_without_a_late_one_the_rate_is_not_known(looks: tuple[int, ...], now: float) -> None:
    assert a_curve(*looks).rate(NOW + after(now)) is None


def test_looks_far_apart_make_a_rate_too() -> None:
    assert a_curve(0, 60, 120, every=30).rate(NOW + after(60)) == 2


def test_what_was_counted_before_the_first_look_did_not_come_now() -> None:
    curve = a_curve(1_000_000, 1_000_003)

    hour = curve.last_hour(NOW + after(2))
    assert (hour.since, hour.total) == (NOW, 3)


def test_the_hour_has_whole_steps_only_and_a_total_up_to_now() -> None:
    curve = a_curve(*range(25))

    hour = curve.last_hour(NOW + after(24))

    assert len(hour.counts) == STEPS
    assert list(hour.counts[-3:]) == [None, 9, 10]
    assert (hour.ends_at, hour.total) == (NOW + after(20), 24)


def test_what_nobody_looked_at_is_not_known() -> None:
    curve = a_curve(0, 1)
    curve.note(NOW + after(35), 8)

    hour = curve.last_hour(NOW + after(40))

    assert list(hour.counts[-5:]) == [None, 1, None, None, 7]


def test_after_an_hour_it_is_forgotten() -> None:
    curve = a_curve(0, 500)
    curve.note(NOW + after(STEP * (STEPS + 1)), 501)

    hour = curve.last_hour(NOW + after(STEP * (STEPS + 2)))

    assert hour.total == 1
    assert hour.since == NOW + after(2 * STEP)


def test_without_a_look_there_is_an_hour_without_anything() -> None:
    hour = ActivityCurve().last_hour(NOW)

    assert (hour.since, hour.total, set(hour.counts)) == (None, 0, {None})


def test_a_counter_that_fell_adds_nothing() -> None:
    curve = a_curve(100, 110, 3, 5)

    assert curve.last_hour(NOW + after(4)).total == 12


def test_the_same_look_again_says_nothing() -> None:
    curve = a_curve(0, 10)
    curve.note(NOW + after(1), 10)
    curve.note(NOW + after(1), 99)

    assert curve.last_hour(NOW + after(2)).total == 10
    assert curve.rate(NOW + after(1)) == 10


def test_a_clock_that_was_set_back_begins_a_new_curve() -> None:
    curve = a_curve(0, 10, 20)
    curve.note(NOW - after(600), 25)
    curve.note(NOW - after(599), 26)

    hour = curve.last_hour(NOW - after(598))
    assert (hour.since, hour.total) == (NOW - after(600), 1)


def test_what_others_saw_within_the_hour_is_recalled() -> None:
    curve = a_curve(70, 75)

    curve.recall(
        [CounterLook(NOW - after(13), 60), CounterLook(NOW - after(25), 40), CounterLook(NOW - after(3700), 1)]
    )
    hour = curve.last_hour(NOW + after(10))

    assert list(hour.counts[-5:]) == [None, 20, 10, None, 5][-5:]
    assert (hour.since, hour.total) == (NOW - after(25), 35)


def test_a_counter_that_fell_before_the_process_began_adds_nothing() -> None:
    curve = a_curve(5, 8)

    curve.recall([CounterLook(NOW - after(20), 900)])

    assert curve.last_hour(NOW + after(2)).total == 3


def test_without_a_look_of_its_own_or_of_others_nothing_is_recalled() -> None:
    unseen, alone = ActivityCurve(), a_curve(5, 8)

    unseen.recall([CounterLook(NOW, 7)])
    alone.recall([])

    assert unseen.last_hour(NOW).since is None
    assert (alone.last_hour(NOW + after(2)).since, alone.last_hour(NOW + after(2)).total) == (NOW, 3)


@given(st.lists(st.tuples(st.floats(0.1, 40), st.integers(0, 1000)), min_size=1, max_size=60))
def test_however_looks_fall_what_came_within_the_hour_is_all_there(looks: list[tuple[float, int]]) -> None:
    curve = ActivityCurve()
    at, total = NOW, 0
    curve.note(at, total)
    for pause, grown in looks:
        at, total = at + after(pause), total + grown
        curve.note(at, total)

    hour = curve.last_hour(at)

    assert hour.total == total
    assert sum(count or 0 for count in curve.last_hour(at + after(STEP)).counts) == total
