from datetime import UTC, datetime

import pytest

from app.domain.errors import WindowEndsBeforeItStartsError
from app.domain.time_window import TimeWindow

NINE, TEN, ELEVEN = (datetime(2021, 6, 30, hour, tzinfo=UTC) for hour in (9, 10, 11))


@pytest.mark.parametrize(
    ("window", "inside"),
    [
        pytest.param(TimeWindow(TEN, ELEVEN), True, id="both bounds are included"),
        pytest.param(TimeWindow(NINE, TEN), False, id="a plan that ends after the window is not inside"),
        pytest.param(TimeWindow(ELEVEN, None), False, id="a plan that starts before the window is not inside"),
        pytest.param(TimeWindow(TEN, None), True, id="a missing end is open"),
        pytest.param(TimeWindow(None, ELEVEN), True, id="a missing start is open"),
        pytest.param(TimeWindow(), True, id="no bound holds everything"),
    ],
)
def test_a_window_holds_what_lies_wholly_inside(window: TimeWindow, inside: bool) -> None:
    assert window.holds(TEN, ELEVEN) is inside


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(WindowEndsBeforeItStartsError, match="is after ends_at"):
        TimeWindow(ELEVEN, TEN)


def test_a_window_of_one_instant_is_a_window() -> None:
    assert TimeWindow(TEN, TEN).holds(TEN, TEN)
