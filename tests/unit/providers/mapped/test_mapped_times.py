"""When a plan of a mapped feed begins and ends."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.feeds import RejectionReason
from app.domain.plans import Plan
from tests.support.mapped_feeds import Read, a_mapping, read

HELSINKI = "Europe/Helsinki"
MADRID = "Europe/Madrid"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def read_one(fields: dict[str, Any] | None = None, *, timezone: str = MADRID, **said: Any) -> Read:
    row = {"base_id": "b", "item_id": "i", "title": "t", "starts": "2026-07-01T20:00:00", "ends": None} | said
    return read(json.dumps(row), a_mapping("ndjson", {"ends": "ends"} | (fields or {})), timezone=timezone)


def a_plan(fields: dict[str, Any] | None = None, *, timezone: str = MADRID, **said: Any) -> Plan:
    return read_one(fields, timezone=timezone, **said).plan


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-07-01T20:00:00", "2026-07-01T20:00:00"),
        ("2026-07-01 20:00", "2026-07-01T20:00:00"),
        (" 2026-07-01T20:00:00.1234567 ", "2026-07-01T20:00:00.123456"),
        ("2026-07-01T24:00:00", "2026-07-02T00:00:00"),
        ("2026-12-31T24:00", "2027-01-01T00:00:00"),
        ("2026-07-01T18:00:00Z", "2026-07-01T20:00:00"),
        ("2026-07-01T19:00:00+01:00", "2026-07-01T20:00:00"),
        ("2026-07-01T19:00:00+0100", "2026-07-01T20:00:00"),
        ("2026-07-01T19:00+01", "2026-07-01T20:00:00"),
    ],
)
def test_iso_times_are_local_unless_they_have_an_offset(said: str, expected: str):
    plan = a_plan(starts=said)

    assert plan.starts == at(expected)
    assert plan.start_has_time
    assert plan.ends is None


def test_an_instant_is_told_in_the_zone_of_the_provider():
    assert a_plan(starts="2026-07-01T18:00:00Z", timezone=HELSINKI).starts == at("2026-07-01T21:00:00")


def test_an_instant_that_a_clock_shows_twice_keeps_which_of_the_two_it_is():
    first, second = a_plan(starts="2026-10-25T00:30:00Z"), a_plan(starts="2026-10-25T01:30:00Z")

    assert first.starts == second.starts == at("2026-10-25T02:30:00")
    assert (first.start_fold, second.start_fold) == (0, 1)
    assert second.starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "said", "expected"),
    [
        ("%d.%m.%Y %H:%M", "01.07.2026 20:00", "2026-07-01T20:00:00"),
        ("%d.%m.%Y %H:%M", "01.07.2026 24:00", "2026-07-02T00:00:00"),
        ("%Y%m%d%H%M%S %z", "20260701190000 +0100", "2026-07-01T20:00:00"),
        ("%d %B %Y, %I:%M %p", "1 July 2026, 8:00 PM", "2026-07-01T20:00:00"),
        ("unix", 1782928800, "2026-07-01T20:00:00"),
        ("unix", "1782928800", "2026-07-01T20:00:00"),
        ("unix_ms", 1782928800000, "2026-07-01T20:00:00"),
        (["iso", "%d.%m.%Y"], "01.07.2026", "2026-07-01T00:00:00"),
    ],
)
def test_times_are_read_in_the_formats_of_the_mapping(form: object, said: object, expected: str):
    assert a_plan({"starts": {"path": "starts", "format": form}}, starts=said).starts == at(expected)


@pytest.mark.parametrize(
    "said", ["2026-02-30T20:00", "20:00", "yesterday", "2026-07-01T25:00", "2026-W01-1", 5, "x" * 200]
)
def test_a_start_that_is_no_time_costs_the_record(said: object):
    [rejection] = read_one(starts=said).rejections

    assert rejection.reason is RejectionReason.INVALID_DATE
    assert rejection.part is None
    assert rejection.key
    assert "starts is" in rejection.message


def test_a_start_that_is_missing_costs_the_record():
    [rejection] = read_one(starts="").rejections

    assert rejection.reason is RejectionReason.MISSING_ATTRIBUTE
    assert rejection.message == "there is no starts"


def test_a_start_beyond_the_calendar_costs_the_record():
    [rejection] = read_one(starts="0001-01-01T00:00:00", timezone="Asia/Tokyo").rejections

    assert "expected a time that exists in UTC, too" in rejection.message


def test_a_date_alone_is_a_whole_day():
    plan = a_plan(starts="2026-07-01")

    assert (plan.starts, plan.start_has_time) == (at("2026-07-01"), False)
    assert (plan.ends, plan.end_has_time) == (at("2026-07-01T23:59:59"), False)


def test_an_end_that_is_a_date_alone_is_the_last_day():
    plan = a_plan(starts="2026-07-01", ends="2026-07-03")

    assert (plan.ends, plan.end_has_time) == (at("2026-07-03T23:59:59"), False)


def test_an_end_that_is_a_date_alone_may_be_said_to_be_the_day_behind_the_last():
    plan = a_plan({"ends": {"path": "ends", "exclusive": True}}, starts="2026-07-01", ends="2026-07-03")

    assert plan.ends == at("2026-07-02T23:59:59")


def test_a_time_of_day_ends_at_that_time_or_after_midnight():
    ends = {"ends": {"path": "ends", "format": "time"}}

    assert a_plan(ends, ends="22:30").ends == at("2026-07-01T22:30")
    assert a_plan(ends, ends="01:30").ends == at("2026-07-02T01:30")
    assert a_plan(ends, ends="24:00").ends == at("2026-07-02T00:00")
    assert a_plan({"ends": {"path": "ends", "format": "%I.%M %p"}}, ends="1.30 AM").ends == at("2026-07-02T01:30")


def test_an_end_may_be_by_default_some_time_after_the_start():
    ends = {"ends": {"path": "ends", "default": {"after": "1h30m"}}}

    assert a_plan(ends).ends == at("2026-07-01T21:30")
    assert a_plan(ends, ends="2026-07-01T23:00").ends == at("2026-07-01T23:00")
    assert a_plan(ends, starts="2026-07-01").ends == at("2026-07-01T23:59:59")


@pytest.mark.parametrize(
    ("starts", "after", "ends", "fold"),
    [
        ("2026-03-28T23:30", "4h", "2026-03-29T04:30", 0),  # the night without 02:30
        ("2026-10-24T23:30", "4h", "2026-10-25T02:30", 1),  # the night with two
        ("2026-10-24T23:30", "3h", "2026-10-25T02:30", 0),
        ("2026-10-24T23:30", "1d", "2026-10-25T22:30", 0),
    ],
)
def test_an_overnight_show_lasts_as_long_as_it_lasts_whatever_the_clocks_do(
    starts: str, after: str, ends: str, fold: int
):
    plan = a_plan({"ends": {"path": "ends", "default": {"after": after}}}, starts=starts)

    assert plan.ends == at(ends)
    assert plan.end_fold == fold


def test_an_overnight_show_whose_end_the_feed_tells_ends_by_the_clock():
    plan = a_plan(starts="2026-10-24T23:30", ends="2026-10-25T04:00")

    assert (plan.ends_at - plan.starts_at).total_seconds() == 5.5 * 3600


def test_an_end_before_the_start_costs_the_record():
    [rejection] = read_one(ends="2026-06-30T20:00").rejections

    assert (rejection.reason, rejection.part) == (RejectionReason.ENDS_BEFORE_START, None)


def test_an_end_that_cannot_be_read_costs_the_end():
    found = read_one(ends="late")

    assert found.plans[0].ends is None
    [rejection] = found.rejections
    assert (rejection.part, rejection.reason) == ("ends", RejectionReason.INVALID_DATE)


def test_a_day_and_a_time_in_two_columns_are_joined():
    starts = {"starts": {"join": ["day", "hour"], "format": ["%d/%m/%Y %H:%M", "%d/%m/%Y"]}}

    assert a_plan(starts, day="01/07/2026", hour="20:30").starts == at("2026-07-01T20:30")
    assert not a_plan(starts, day="01/07/2026", hour="").start_has_time


def test_paths_are_tried_in_turn():
    starts = {"starts": ["utc", {"path": "local", "format": "%d.%m.%Y"}]}

    assert a_plan(starts, utc="2026-07-01T18:00:00Z").starts == at("2026-07-01T20:00")
    assert a_plan(starts, utc=None, local="02.07.2026").starts == at("2026-07-02")
    assert a_plan(starts, utc="TBA", local="02.07.2026").starts == at("2026-07-02")
    [rejection] = read_one(starts, utc="TBA", local="TBD").rejections
    assert "'TBA'" in rejection.message


def test_a_plan_may_have_a_zone_of_its_own():
    plan = a_plan({"zone": "tz"}, tz=HELSINKI, starts="2026-07-01T18:00:00Z")

    assert (plan.timezone, plan.starts) == (HELSINKI, at("2026-07-01T21:00"))


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", "../../etc/passwd"])
def test_without_its_zone_a_local_time_says_nothing_but_an_instant_does(tz: str):
    local, instant = (read_one({"zone": "tz"}, tz=tz, starts=f"2026-07-01T18:00:00{z}") for z in ("", "Z"))

    assert local.plans == []
    assert [plan.timezone for plan in instant.plans] == [MADRID]
    assert [part for part, _ in instant.wrong] == ["zone"]


def test_sale_times_are_told_in_the_zone_of_the_plan_and_cost_no_more_than_themselves():
    fields = {"sell_from": "open", "sell_to": "close"}

    good = a_plan(fields, open="2026-06-01T08:00:00Z", close="2026-07-01")
    bad = read_one(fields, open="now", close="2026-07-01T19:00")

    assert (good.sell_from, good.sell_to) == (at("2026-06-01T10:00"), at("2026-07-01T23:59:59"))
    assert (bad.plans[0].sell_from, bad.plans[0].sell_to) == (None, at("2026-07-01T19:00"))
    assert [part for part, _ in bad.wrong] == ["sell_from"]


@pytest.mark.parametrize(
    ("format_", "said", "ends"),
    [
        ("minutes", 118, "2026-07-01T21:58:00"),
        ("minutes", "0.5", "2026-07-01T20:00:30"),
        ("duration", "PT1H30M", "2026-07-01T21:30:00"),
        ("duration", "P1DT1S", "2026-07-02T20:00:01"),
        (["iso", "minutes"], "2026-07-01T22:00:00", "2026-07-01T22:00:00"),
    ],
)
def test_an_end_may_be_told_by_how_long_after_the_start_it_is(format_: object, said: object, ends: str):
    assert a_plan({"ends": {"path": "ends", "format": format_}}, ends=said).ends == at(ends)


@pytest.mark.parametrize("said", ["-5", "90m", "1e3", "P", "PT", "P1DT", "P1M", "99999999"])
def test_what_is_no_length_costs_the_end(said: str):
    found = read_one({"ends": {"path": "ends", "format": ["minutes", "duration"]}}, ends=said)

    assert [plan.ends for plan in found.plans] == [None]
    assert [one.part for one in found.rejections] == ["ends"]


def test_a_length_is_exact_in_the_night_in_which_clocks_change():
    plan = a_plan({"ends": {"path": "ends", "format": "minutes"}}, starts="2026-10-25T01:30:00", ends=120)

    assert (plan.ends, plan.end_fold) == (at("2026-10-25T02:30:00"), 1)


def test_a_whole_day_lasts_that_day_whatever_length_is_told():
    plan = a_plan({"ends": {"path": "ends", "format": "minutes"}}, starts="2026-07-01", ends=90)

    assert (plan.ends, plan.end_has_time) == (at("2026-07-01T23:59:59"), False)


def test_an_end_needs_no_path_where_all_take_as_long():
    assert a_plan({"ends": {"default": {"after": "2h"}}}).ends == at("2026-07-01T22:00:00")
