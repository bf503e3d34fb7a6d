from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.domain.zone_rules import ZoneRules, first_day_that_differs
from app.infrastructure.time_zones.zone_files import rules_of
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from tests.support.zone_files import VANCOUVER, VANCOUVER_OF_2025, VANCOUVER_OF_2026, compiled

OLD = ZoneRules(VANCOUVER, "2025b", compiled(VANCOUVER_OF_2025))
NEW = ZoneRules(VANCOUVER, "2026b", compiled(VANCOUVER_OF_2026))
SUMMER, WINTER = date(2026, 7, 1), date(2026, 12, 5)


def test_a_zone_goes_by_the_rules_that_it_came_with() -> None:
    assert str(OLD.zone) == VANCOUVER
    assert datetime(2026, 12, 5, tzinfo=OLD.zone).isoformat() == "2026-12-05T00:00:00-08:00"
    assert datetime(2026, 12, 5, tzinfo=NEW.zone).isoformat() == "2026-12-05T00:00:00-07:00"
    assert NEW.is_newer_than(OLD)
    assert not OLD.is_newer_than(NEW)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((SUMMER, WINTER), WINTER),
        ((SUMMER,), None),
        ((date(2026, 10, 31), WINTER), date(2026, 12, 5)),
        ((date(2026, 3, 8),), date(2026, 3, 8)),  # it begins in winter, and ends in summer
        ((), None),
    ],
)
def test_the_first_day_that_differs_is_that_with_another_begin_or_end(
    days: tuple[date, ...], expected: date | None
) -> None:
    assert first_day_that_differs(OLD, NEW, days) == expected


def test_where_the_calendar_ends_nobody_can_tell_a_difference() -> None:
    one, other = (ZoneRules("Asia/Anywhere", "2026a", compiled(rule)) for rule in ("<+05>-5", "<A05>-5"))

    assert first_day_that_differs(one, other, (date.min, date.max)) is None


def test_the_same_rules_under_another_name_differ_nowhere() -> None:
    same = ZoneRules(VANCOUVER, "2026z", OLD.compiled)

    assert first_day_that_differs(OLD, same, (SUMMER, WINTER)) is None


def test_ours_are_those_of_the_pinned_package() -> None:
    ours = rules_of(VANCOUVER)

    assert (ours.key, ours.version) == (VANCOUVER, ZONE_RULES)
    assert (
        datetime(2026, 12, 5, tzinfo=ours.zone).utcoffset()
        == datetime(2026, 12, 5, tzinfo=ZoneInfo(VANCOUVER)).utcoffset()
    )
    assert rules_of("UTC").zone.utcoffset(datetime(2026, 1, 1)) is not None  # noqa: DTZ001 -- a wall clock
