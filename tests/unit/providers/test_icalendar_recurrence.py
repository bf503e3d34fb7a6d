"""Recurrence rules of RFC 5545: its own examples, and python-dateutil where that is right."""

from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.icalendar.faults import UnusableEventError
from app.adapters.outbound.providers.icalendar.recurrence import expand
from app.adapters.outbound.providers.icalendar.rules import read_rule
from app.adapters.outbound.providers.icalendar.work import STEPS_OF_A_CALENDAR, STEPS_OF_AN_EVENT, CalendarWork, Work

LATER = datetime(2040, 1, 1)  # noqa: DTZ001 - wall clocks are naive


def clock(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the same


def expanded(rule: str, start: str, first: int = 1_000, before: datetime = LATER) -> list[str]:
    begin = clock(start)
    found = expand(read_rule(rule), begin, since=begin, before=before, work=Work())
    return [f"{at:%Y-%m-%d %H:%M}" for at in islice(found, first)]


def days(rule: str, start: str, first: int = 1_000) -> list[str]:
    return [at[:10] for at in expanded(rule, start, first)]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("FREQ=DAILY;COUNT=3", "1997-09-02 1997-09-03 1997-09-04"),
        ("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=4", "1997-09-02 1997-09-04 1997-09-16 1997-09-18"),
        ("FREQ=MONTHLY;BYDAY=1FR;COUNT=3", "1997-09-02 1997-09-05 1997-10-03"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU;COUNT=4", "1997-09-02 1997-09-07 1997-09-28 1997-11-02"),
        ("FREQ=MONTHLY;BYDAY=-2MO;COUNT=3", "1997-09-02 1997-09-22 1997-10-20"),
        ("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "1997-09-02 1997-09-28 1997-10-29"),
        ("FREQ=MONTHLY;BYMONTHDAY=2,15;COUNT=3", "1997-09-02 1997-09-15 1997-10-02"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1997-09-02 1998-02-13 1998-03-13"),
        ("FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=3", "1997-09-02 1997-09-13 1997-10-11"),
        ("FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3;COUNT=3", "1997-09-02 1997-09-04 1997-10-07"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", "1997-09-02 1997-09-29 1997-10-30"),
        ("FREQ=WEEKLY;BYDAY=MO,TH;BYSETPOS=1;COUNT=3", "1997-09-02 1997-09-08 1997-09-15"),
        ("FREQ=YEARLY;BYMONTH=6,7;COUNT=3", "1997-09-02 1998-06-02 1998-07-02"),
        ("FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200;COUNT=4", "1997-09-02 2000-01-01 2000-04-09 2000-07-18"),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-09-02 1998-05-18 1999-05-17"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "1997-09-02 1998-05-11 1999-05-17"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=4", "1997-09-02 1998-03-05 1998-03-12 1998-03-19"),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
            "1997-09-02 1997-11-04 2001-11-06",
        ),
    ],
)
def test_the_examples_of_the_rfc(rule: str, found: str):
    assert days(rule, "19970902T090000") == found.split()


def test_weeks_begin_on_the_day_that_the_rule_says():
    rule = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST="

    assert days(f"{rule}MO", "19970805T090000") == ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]
    assert days(f"{rule}SU", "19970805T090000") == ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]


def test_hours_and_minutes():
    assert expanded("FREQ=HOURLY;INTERVAL=3;COUNT=3", "19970902T090000") == [
        *("1997-09-02 09:00", "1997-09-02 12:00", "1997-09-02 15:00")
    ]
    assert expanded("FREQ=MINUTELY;INTERVAL=90;COUNT=3", "19970902T090000") == [
        *("1997-09-02 09:00", "1997-09-02 10:30", "1997-09-02 12:00")
    ]
    assert expanded("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16;COUNT=25", "19970902T090000")[23:] == [
        *("1997-09-02 16:40", "1997-09-03 09:00")
    ]
    assert expanded("FREQ=DAILY;BYHOUR=9,18;BYMINUTE=0,30;COUNT=5", "19970902T090000") == [
        *("1997-09-02 09:00", "1997-09-02 09:30", "1997-09-02 18:00", "1997-09-02 18:30", "1997-09-03 09:00")
    ]


def test_a_month_without_the_day_has_no_occurrence():
    assert days("FREQ=MONTHLY;COUNT=4", "20260131T090000") == ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]
    assert days("FREQ=YEARLY;COUNT=3", "20240229T090000") == ["2024-02-29", "2028-02-29", "2032-02-29"]


def test_weekdays_with_a_number_and_without_stand_side_by_side():
    found = days("FREQ=MONTHLY;BYDAY=-1MO,TH;COUNT=6", "20260101T090000")

    assert found == ["2026-01-01", "2026-01-08", "2026-01-15", "2026-01-22", "2026-01-26", "2026-01-29"]


def test_a_week_of_the_year_alone_is_on_the_weekday_of_the_start():
    assert days("FREQ=YEARLY;BYWEEKNO=20;COUNT=3", "20260513T090000") == ["2026-05-13", "2027-05-19", "2028-05-17"]


def test_a_year_of_52_weeks_has_no_week_53():
    found = days("FREQ=YEARLY;BYWEEKNO=53;BYDAY=FR,SA,SU;COUNT=5", "20210101T090000")

    assert found == ["2021-01-01", "2021-01-02", "2021-01-03", "2027-01-01", "2027-01-02"]
    assert {datetime.fromisoformat(day).isocalendar().week for day in found} == {53}


def test_the_start_is_the_first_occurrence_and_counts_whatever_the_rule_says():
    assert days("FREQ=DAILY;BYDAY=MO;COUNT=3", "20260513T090000") == ["2026-05-13", "2026-05-18", "2026-05-25"]
    assert days("FREQ=DAILY;COUNT=1", "20260513T090000") == ["2026-05-13"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=8",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
    ],
)
def test_a_rule_that_never_meets_a_day_comes_to_its_end(rule: str):
    assert days(rule, "20260513T090000") == ["2026-05-13"]


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY;INTERVAL=2;BYSECOND=1", "FREQ=DAILY;COUNT=999999999;BYDAY=TU,WE"])
def test_work_without_end_is_ended(rule: str):
    work, start = Work(), clock("10260513T090000")

    with pytest.raises(UnusableEventError, match="its recurrence takes too many steps"):
        list(expand(read_rule(rule), start, since=start, before=LATER, work=work))

    assert work.of_calendar.left < STEPS_OF_A_CALENDAR - STEPS_OF_AN_EVENT


def test_a_calendar_has_an_end_of_work_too():
    work, start = Work(CalendarWork(10)), clock("20260513T090000")
    rule = read_rule("FREQ=DAILY")
    list(expand(rule, start, since=start, before=start + timedelta(days=2), work=work))

    with pytest.raises(UnusableEventError, match="what stands before it"):
        list(expand(rule, start, since=start, before=start + timedelta(days=2), work=work))


def test_what_lies_long_before_is_not_worked_through():
    work = Work()
    since = datetime(2026, 10, 1)  # noqa: DTZ001 - a wall clock

    found = list(
        expand(
            read_rule("FREQ=DAILY"), clock("16010101T090000"), since=since, before=since + timedelta(days=2), work=work
        )
    )

    assert found[-2:] == [datetime(2026, 10, 1, 9), datetime(2026, 10, 2, 9)]  # noqa: DTZ001 - the same
    assert Work().left - work.left < 10


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=FORTNIGHTLY", "FREQ=FORTNIGHTLY"),
        ("COUNT=2", "FREQ="),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=DAILY;COUNT=0", "COUNT=0"),
        ("FREQ=DAILY;COUNT=two", "COUNT=TWO"),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER=1"),
        ("FREQ=DAILY;FREQ=WEEKLY", "FREQ twice"),
        ("FREQ=WEEKLY;BYDAY=1MO", "expected numbers only in months"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "expected numbers only in months"),
        ("FREQ=YEARLY;BYDAY=54MO", "BYDAY=54MO"),
        ("FREQ=YEARLY;BYDAY=MONDAY", "BYDAY=MONDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "not 0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32"),
        ("FREQ=MONTHLY;BYMONTHDAY=", "BYMONTHDAY="),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO with FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY with FREQ=WEEKLY"),
        ("FREQ=DAILY;BYYEARDAY=3", "BYYEARDAY with FREQ=DAILY"),
        ("FREQ=DAILY;WKST=XX", "WKST=XX"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is 'TOMORROW'"),
    ],
)
def test_a_part_that_is_not_understood_is_refused_and_named(rule: str, said: str):
    with pytest.raises(UnusableEventError, match=said):
        read_rule(rule)


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def numbers(lowest: int, highest: int) -> st.SearchStrategy[str]:
    one = st.integers(lowest, highest).filter(bool)
    return st.lists(one, min_size=1, max_size=3, unique=True).map(lambda found: ",".join(map(str, found)))


def weekdays(which: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.tuples(which, st.sampled_from(WEEKDAYS)).map("".join)
    return st.lists(one, min_size=1, max_size=3, unique=True).map(",".join)


PLAIN = st.just("")
IN_A_MONTH = st.sampled_from(["1", "2", "-1", "-2", "5"])
"""All of a rule with a number, or none: where both kinds are in one rule, dateutil loses the ones without."""


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Draw a rule that dateutil knows, and that meets some day: until one is met, dateutil goes on to the year 9999."""
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    parts = {"FREQ": frequency, "INTERVAL": str(draw(st.integers(1, 4)))}
    possible: dict[str, st.SearchStrategy[str]] = {"BYMONTH": numbers(1, 12)}
    if frequency == "HOURLY":
        parts["INTERVAL"] = "1"
        possible["BYMINUTE"] = numbers(1, 59)
    if frequency in {"YEARLY", "MONTHLY"}:
        possible |= draw(
            st.sampled_from(
                [{"BYDAY": weekdays(IN_A_MONTH)}, {"BYDAY": weekdays(PLAIN)}, {"BYMONTHDAY": numbers(-28, 28)}]
            )
        )
    else:
        possible["BYDAY"] = weekdays(PLAIN)
    possible["BYHOUR"] = numbers(1, 23)
    parts |= {name: draw(values) for name, values in possible.items() if draw(st.booleans())}
    if frequency == "YEARLY" and draw(st.integers(0, 4)) == 0:
        parts = draw(
            st.fixed_dictionaries({"FREQ": st.just("YEARLY"), "BYYEARDAY": numbers(-365, 365)})
            | st.fixed_dictionaries({"FREQ": st.just("YEARLY"), "BYWEEKNO": numbers(2, 50), "BYDAY": weekdays(PLAIN)})
        )
    parts["WKST"] = draw(st.sampled_from(WEEKDAYS))
    if frequency in {"YEARLY", "MONTHLY", "WEEKLY"} and draw(st.booleans()):
        # Of the first week dateutil takes only what is left of it at the start, of months and years the whole set.
        parts["BYSETPOS"] = "-1" if frequency == "WEEKLY" else draw(st.sampled_from(["1", "-1"]))
    return ";".join(f"{name}={value}" for name, value in parts.items())


STARTS = st.datetimes(datetime(2019, 1, 1), datetime(2021, 12, 31)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001 - naive


@settings(max_examples=60)
@given(rules(), STARTS, st.integers(0, 900))
def test_rules_mean_what_dateutil_says_and_long_before_makes_no_difference(rule: str, start: datetime, later: int):
    end = start + timedelta(days=1_200)
    assume("BYSETPOS" not in rule or rule.count("BY") > 1)  # dateutil wants a set to choose of
    expected = sorted({start, *takewhile(lambda at: at < end, rrulestr(rule, dtstart=start))})

    ours = list(expand(read_rule(rule), start, since=start, before=end, work=Work()))

    assert ours == expected
    since = start + timedelta(days=later)
    skipped = list(expand(read_rule(rule), start, since=since, before=end, work=Work()))
    assert [at for at in skipped if at >= since] == [at for at in expected if at >= since]


@given(st.integers(1, 53), st.integers(1971, 2400))
def test_weeks_are_those_of_iso_8601(week: int, year: int):
    start = datetime(year, 1, 1)  # noqa: DTZ001 - naive
    rule = read_rule(f"FREQ=YEARLY;BYWEEKNO={week};BYDAY=MO,TU,WE,TH,FR,SA,SU")

    found = list(expand(rule, start, since=start, before=start + timedelta(days=800), work=Work()))

    everyday = [start + timedelta(days=number) for number in range(800)]
    assert found[1:] == [day for day in everyday[1:] if day.isocalendar().week == week]


@settings(max_examples=40)
@given(rules(), STARTS, st.integers(1, 12))
def test_a_count_is_of_all_occurrences_from_the_start_on(rule: str, start: datetime, count: int):
    end = start + timedelta(days=1_200)
    everything = list(expand(read_rule(rule), start, since=start, before=end, work=Work()))

    counted = list(expand(read_rule(f"{rule};COUNT={count}"), start, since=end, before=end, work=Work()))

    assert counted == everything[:count]
