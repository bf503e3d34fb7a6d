"""The rules of one activity that depend on the configuration, on the time, or on the size of a number."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.domain.activities import (
    ACTIVITY_TYPE,
    DECIMAL_DIGITS,
    EARLIEST,
    RESERVED_TYPES,
    STATEMENTS,
    WHOLE_DIGITS,
    Activity,
    ActivityRefusedError,
    ActivityRules,
    is_countable,
)
from tests.support.builders import NOW


def an_activity(type_: str = "view", *, at: datetime = NOW, source: str | None = None) -> Activity:
    return Activity(UUID(int=1), type_, at, source)


def refusal(rules: ActivityRules, activity: Activity) -> ActivityRefusedError:
    with pytest.raises(ActivityRefusedError) as refused:
        rules.check(activity, NOW)
    return refused.value


@pytest.mark.parametrize("activity", [an_activity("anything", source="anywhere"), an_activity("view")])
def test_without_lists_any_type_and_any_source_pass(activity: Activity) -> None:
    ActivityRules().check(activity, NOW)


def test_a_type_that_is_not_on_the_list_is_refused_with_the_list() -> None:
    rules = ActivityRules(types=frozenset({"view", "buy"}))

    rules.check(an_activity("buy"), NOW)
    error = refusal(rules, an_activity("click"))

    assert (error.code, error.field, str(error)) == ("unknown_type", "type", "'click' is none of buy, view")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_says_who_somebody_is_needs_no_place_on_the_list(statement: str) -> None:
    ActivityRules(types=frozenset({"view"})).check(an_activity(statement), NOW)


def test_a_source_that_is_not_on_the_list_is_refused_and_no_source_passes() -> None:
    rules = ActivityRules(sources=frozenset({"web", "ios"}))

    rules.check(an_activity(source="ios"), NOW)
    rules.check(an_activity(source=None), NOW)
    error = refusal(rules, an_activity(source="fax"))

    assert (error.code, error.field, str(error)) == ("unknown_source", "source", "'fax' is none of ios, web")


def test_an_empty_list_lets_nothing_pass() -> None:
    assert refusal(ActivityRules(types=frozenset()), an_activity()).code == "unknown_type"
    assert refusal(ActivityRules(sources=frozenset()), an_activity(source="web")).code == "unknown_source"


def test_a_senders_clock_may_be_an_hour_ahead_and_not_more() -> None:
    ActivityRules().check(an_activity(at=NOW + timedelta(hours=1)), NOW)
    error = refusal(ActivityRules(), an_activity(at=NOW + timedelta(hours=1, microseconds=1)))

    assert (error.code, error.field) == ("occurs_in_the_future", "occurred_at")
    assert "more than 1 hour ahead" in str(error)


def test_an_activity_may_be_as_late_as_it_likes_but_not_before_1970() -> None:
    ActivityRules().check(an_activity(at=EARLIEST), NOW)
    error = refusal(ActivityRules(), an_activity(at=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)))

    assert (error.code, error.field) == ("occurred_too_early", "occurred_at")
    assert "before 1970" in str(error)


@pytest.mark.parametrize("name", ["v", "view", "a.b_c-9", "a" * 100, *sorted(RESERVED_TYPES)])
def test_types_are_small_letters_digits_and_three_signs(name: str) -> None:
    assert ACTIVITY_TYPE.fullmatch(name)


@pytest.mark.parametrize("name", ["", "View", "9a", ".a", "a" * 101, "a b", "ä", "a\n", "a/b"])
def test_other_names_are_no_types(name: str) -> None:
    assert not ACTIVITY_TYPE.fullmatch(name)


@pytest.mark.parametrize(
    "value",
    ["0", "-0.0", "1E+5", "12.50", "9" * WHOLE_DIGITS, f"-{'9' * WHOLE_DIGITS}.{'9' * DECIMAL_DIGITS}", "1e-24"],
)
def test_a_value_may_have_18_digits_before_the_point_and_24_after_it(value: str) -> None:
    assert is_countable(Decimal(value))


@pytest.mark.parametrize(
    "value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+18", "-1E+999", "1e-25", "0." + "0" * 25]
)
def test_a_value_beyond_that_or_without_an_end_does_not_count(value: str) -> None:
    assert not is_countable(Decimal(value))
