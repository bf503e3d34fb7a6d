"""A plan in the words of the search contract, there and back."""

from datetime import datetime

import pytest

from app.adapters.inbound.http.search.plan_json import parse_plan, render_plan
from app.domain.plans import Plan, searchable
from tests.support.builders import a_long_run, a_plan


@pytest.mark.parametrize(
    ("plan", "when"),
    [
        pytest.param(
            a_plan(ends="22:00"),
            b'"start_date":"2021-06-30","start_time":"21:00:00","end_date":"2021-06-30","end_time":"22:00:00"',
            id="two times",
        ),
        pytest.param(
            a_long_run(),
            b'"start_date":"2021-06-28","start_time":null,"end_date":"2021-06-30","end_time":null',
            id="whole days",
        ),
        pytest.param(
            a_long_run(ends=None, start_has_time=True, end_has_time=True),
            b'"start_date":"2021-06-28","start_time":"00:00:00","end_date":null,"end_time":null',
            id="no end",
        ),
        pytest.param(
            a_long_run(starts=datetime(2021, 6, 28, 18), start_has_time=True),  # noqa: DTZ001 - a wall clock
            b'"start_date":"2021-06-28","start_time":"18:00:00","end_date":"2021-06-30","end_time":null',
            id="a time, and a date alone",
        ),
    ],
)
def test_times_that_nobody_says_are_null(plan: Plan, when: bytes) -> None:
    summary = searchable(plan).summary

    assert when in render_plan(summary)
    assert parse_plan(render_plan(summary)) == summary
