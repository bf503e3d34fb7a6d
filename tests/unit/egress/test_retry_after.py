from datetime import timedelta
from email.utils import format_datetime

import pytest

from app.adapters.egress.retry_after import LONGEST, retry_after
from tests.support.builders import NOW


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "9" * 30}, LONGEST),
        ({"retry-after": "soon"}, None),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0),
        ({"retry-after": format_datetime(NOW + timedelta(days=90), usegmt=True)}, LONGEST),
    ],
)
def test_seconds_and_dates_are_read_within_reason(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers, NOW) == expected


@pytest.mark.parametrize("off", [-7200, 7200])
def test_a_date_is_compared_with_the_date_of_the_answer_and_not_with_a_clock_that_may_be_wrong(off: int) -> None:
    answered_at = NOW + timedelta(seconds=off)
    asked_for = format_datetime(answered_at + timedelta(seconds=30), usegmt=True)

    assert retry_after({"retry-after": asked_for, "date": format_datetime(answered_at, usegmt=True)}, NOW) == 30
