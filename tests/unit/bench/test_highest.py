"""The highest steady rate is found, whatever it is, and what a run printed is read."""

import pytest

from bench.highest import CLOSE, Run, confirmed, read, search

PRINTED = """30,000 activities/s for 15 s, batches of 100, database: in /tmp/x
posted 450,000 in 15.0 s: 30,000/s reached
  cores used: generator 0.06, supervisor 0.00, redis 0.15, worker 0.45, api 0.30
  drained 0.3 s after the last answer; largest backlog seen 900
accepted 450,000 = queue 450,000 = stored 450,000 = counted 450,000 reached
"""


@pytest.mark.parametrize("highest", [100.0, 19_999.0, 20_000.0, 20_001.0, 47_123.0, 300_000.0])
def test_the_search_ends_just_below_the_highest_rate(highest: float) -> None:
    asked: list[float] = []

    def is_steady(rate: float) -> bool:
        asked.append(rate)
        return rate <= highest

    found = search(is_steady)

    assert highest * (1 - 2 * CLOSE) <= found <= highest
    assert len(asked) < 40


def test_where_no_rate_is_steady_the_search_says_so() -> None:
    with pytest.raises(RuntimeError, match="no rate is steady"):
        search(lambda _rate: False)


def test_a_rate_that_does_not_hold_for_long_is_lowered_until_one_does() -> None:
    found = confirmed("now", lambda rate, _seconds: Run(rate, is_steady=rate < 95, cpu={}), 100.0)

    assert 90 < found.rate < 95


@pytest.mark.parametrize(
    ("printed", "is_steady"),
    [
        (PRINTED, True),
        (PRINTED.replace("30,000/s reached", "29,000/s missed"), False),
        (PRINTED.replace("drained 0.3 s", "drained 2.1 s"), False),
        (PRINTED.replace("counted 450,000 reached", "counted 449,999 missed"), False),
    ],
)
def test_a_run_is_steady_when_all_was_posted_stored_and_counted_soon(printed: str, is_steady: bool) -> None:
    run = read(printed)

    assert run.is_steady == is_steady
    assert run.cpu["worker"] == pytest.approx(0.45 / run.rate * 1e6)


def test_what_is_no_output_of_a_run_is_refused() -> None:
    with pytest.raises(ValueError, match="not what a run prints"):
        read("Traceback")
