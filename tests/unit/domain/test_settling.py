from datetime import timedelta

import pytest

from app.domain.settling import Absence, SettlePolicy, Settling
from tests.support.builders import NOW, a_plan


@pytest.mark.parametrize(
    ("policy", "runs", "seconds", "settled"),
    [
        (SettlePolicy(), 1, 0, True),
        (SettlePolicy(runs=3), 2, 10**6, False),
        (SettlePolicy(runs=3), 3, 0, True),
        (SettlePolicy(seconds=600), 100, 599.9, False),
        (SettlePolicy(seconds=600), 2, 600, True),
    ],
)
def test_an_absence_counts_after_so_many_runs_or_seconds(
    policy: SettlePolicy, runs: int, seconds: float, settled: bool
) -> None:
    assert policy.is_settled(Absence(NOW, runs), NOW + timedelta(seconds=seconds)) is settled


def test_an_absence_that_is_noted_again_goes_on() -> None:
    one, other = a_plan(1).plan_id, a_plan(2).plan_id
    settling = Settling(SettlePolicy(runs=3), {one: Absence(NOW, 2)})
    later = NOW + timedelta(hours=1)

    assert settling.counts(one, later)
    assert not settling.counts(other, later)
    assert (settling.settled, settling.waiting) == ({one: Absence(NOW, 3)}, {other: Absence(later, 1)})


def test_an_absence_of_which_nobody_can_tell_stays_as_it_was() -> None:
    one, other = a_plan(1).plan_id, a_plan(2).plan_id
    settling = Settling(SettlePolicy(runs=3), {one: Absence(NOW, 2)})

    settling.leave(one)
    settling.leave(other)

    assert settling.waiting == {one: Absence(NOW, 2)}
