"""Series, their overrides, and the window in which they are told."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent, Moment, Occurrence
from app.adapters.outbound.providers.icalendar.occurrences import MAX_OCCURRENCES
from app.domain.feeds import RejectionReason
from tests.support.calendars import MADRID, NOW, a_calendar, an_event, read, read_events, spans, utc

EVENING = ("DTSTART:20261005T190000", "DURATION:PT2H")
DAILY = (*EVENING, "RRULE:FREQ=DAILY;COUNT=4")


def ids(*components: str, days: float = 365) -> list[str]:
    return [one.recurrence_id for one in read_events(*components, days=days)]


def test_an_event_has_its_times_its_texts_and_its_place_in_the_file():
    (told,) = read_events(
        MADRID,
        an_event(
            "DTSTART;TZID=Europe/Madrid:20261005T190000",
            "DTEND;TZID=Europe/Madrid:20261005T210000",
            "SUMMARY;LANGUAGE=es:Noche\\, larga",
            "CATEGORIES:Jazz,Pop",
            "X-PRICE:20",
        ),
    )

    assert told.uid == "one@example.com"
    assert (told.recurrence_id, told.original_start) == ("", None)
    assert told.starts == Moment(datetime(2026, 10, 5, 19), "Europe/Madrid", utc("2026-10-05 17:00"))  # noqa: DTZ001
    assert told.ends == Moment(datetime(2026, 10, 5, 21), "Europe/Madrid", utc("2026-10-05 19:00"))  # noqa: DTZ001
    assert [(value.text, value.parameters) for value in told.properties["SUMMARY"]] == [
        ("Noche, larga", {"LANGUAGE": "es"})
    ]
    assert [value.text for value in told.properties["CATEGORIES"]] == ["Jazz", "Pop"]
    assert told.properties["X-PRICE"][0].text == "20"
    assert told.line == 19
    assert told.source.splitlines()[:2] == ["BEGIN:VEVENT", "UID:one@example.com"]


def test_whole_days_end_with_their_last():
    def days(*lines: str) -> list[tuple[str, str | None]]:
        return spans(read_events(an_event("DTSTART;VALUE=DATE:20261024", *lines)))

    assert days() == [("2026-10-24", "2026-10-24")]
    assert days("DTEND;VALUE=DATE:20261026") == [("2026-10-24", "2026-10-25")]
    assert days("DTEND;VALUE=DATE:20261024") == [("2026-10-24", "2026-10-24")]
    assert days("DURATION:P3D") == [("2026-10-24", "2026-10-26")]
    assert days("DURATION:PT36H") == [("2026-10-24", "2026-10-25")]


def test_a_time_without_an_end_has_none():
    assert spans(read_events(an_event("DTSTART:20261005T190000"))) == [("2026-10-05 17:00Z", None)]


def test_excluded_occurrences_are_gone_by_time_in_utc_or_by_day():
    assert ids(an_event(*DAILY, "EXDATE:20261005T190000,20261006T190000", "EXDATE:20261007T170000Z")) == [
        "20261008T190000"
    ]
    assert ids(an_event(*DAILY, "EXDATE;VALUE=DATE:20261006")) == [
        *("20261005T190000", "20261007T190000", "20261008T190000")
    ]
    assert ids(an_event("DTSTART;VALUE=DATE:20261005", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261006T000000")) == [
        *("20261005", "20261007")
    ]


def test_an_excluded_occurrence_is_gone_though_an_override_moves_it():
    override = an_event("RECURRENCE-ID:20261006T190000", "DTSTART:20261006T200000")

    assert "20261006T190000" not in ids(an_event(*DAILY, "EXDATE:20261006T190000"), override)


def test_a_cancelled_occurrence_is_told_with_its_status():
    told = read_events(
        an_event(*DAILY), an_event("RECURRENCE-ID:20261006T190000", "DTSTART:20261006T190000", "STATUS:CANCELLED")
    )

    assert [[value.text for value in one.properties.get("STATUS", ())] for one in told] == [[], ["CANCELLED"], [], []]


def test_the_id_of_an_occurrence_stays_whatever_an_override_moves():
    moved = an_event("RECURRENCE-ID:20261006T190000", "DTSTART:20261008T210000", "DURATION:PT1H")

    told = read_events(an_event(*DAILY), moved)

    assert [one.recurrence_id for one in told] == ids(an_event(*DAILY))
    assert (told[1].original_start, *spans(told[1:2])) == (
        utc("2026-10-06 17:00"),
        ("2026-10-08 19:00Z", "2026-10-08 20:00Z"),
    )


def test_overrides_may_stand_before_their_series_and_name_a_day_alone():
    override = an_event("RECURRENCE-ID;VALUE=DATE:20261006", "DTSTART:20261006T200000", "SUMMARY:Moved")

    told = read_events(override, an_event(*DAILY))

    assert [one.recurrence_id[:8] for one in told if "SUMMARY" in one.properties] == ["20261006"]
    assert len(told) == 4


def test_until_includes_its_time_or_its_day():
    assert len(ids(an_event(*EVENING, "RRULE:FREQ=DAILY;UNTIL=20261007T170000Z"))) == 3
    assert len(ids(an_event(*EVENING, "RRULE:FREQ=DAILY;UNTIL=20261007T165959Z"))) == 2
    assert len(ids(an_event(*EVENING, "RRULE:FREQ=DAILY;UNTIL=20261007T190000"))) == 3
    assert len(ids(an_event(*EVENING, "RRULE:FREQ=DAILY;UNTIL=20261007"))) == 3
    assert len(ids(an_event("DTSTART;VALUE=DATE:20261005", "RRULE:FREQ=DAILY;UNTIL=20261007"))) == 3
    assert len(ids(an_event("DTSTART;VALUE=DATE:20261005", "RRULE:FREQ=DAILY;UNTIL=20261006T215959Z"))) == 2


def test_several_rules_are_one_set():
    told = ids(an_event(*EVENING, "RRULE:FREQ=WEEKLY;COUNT=3", "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20261006T190000"))

    assert told == ["20261005T190000", "20261006T190000", "20261012T190000", "20261019T190000"]


def test_a_series_of_hours_leaves_out_what_the_clock_leaves_out():
    told = ids(
        MADRID,
        an_event("DTSTART;TZID=Europe/Madrid:20270328T000000", "DURATION:PT1H", "RRULE:FREQ=HOURLY;COUNT=5"),
    )

    assert told == ["20270328T000000", "20270328T010000", "20270328T030000", "20270328T040000"]


def test_days_added_to_a_series_of_times_begin_when_it_does():
    assert ids(an_event(*EVENING, "RDATE;VALUE=DATE:20261010")) == ["20261005T190000", "20261010T190000"]
    assert ids(an_event("DTSTART;VALUE=DATE:20261005", "RDATE:20261010T120000")) == ["20261005", "20261010"]


def test_a_series_of_whole_days_can_be_moved_from_one_day_on():
    told = read_events(
        an_event("DTSTART;VALUE=DATE:20261005", "RRULE:FREQ=WEEKLY;COUNT=3"),
        an_event(
            *("RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20261012", "DTSTART;VALUE=DATE:20261013", "DURATION:P2D")
        ),
    )

    assert [(one.recurrence_id, *spans([one])[0]) for one in told] == [
        ("20261005", "2026-10-05", "2026-10-05"),
        ("20261012", "2026-10-13", "2026-10-14"),
        ("20261019", "2026-10-20", "2026-10-21"),
    ]


def test_a_single_override_stands_above_one_of_this_and_the_future():
    told = read_events(
        an_event(*DAILY),
        an_event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261006T190000", "DTSTART:20261006T200000", "SUMMARY:Later"),
        an_event("RECURRENCE-ID:20261007T190000", "DTSTART:20261007T120000", "SUMMARY:Noon"),
        an_event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261008T190000", "DTSTART:20261008T210000", "SUMMARY:Latest"),
    )

    assert [one.properties["SUMMARY"][0].text for one in told[1:]] == ["Later", "Noon", "Latest"]
    assert [start for start, _ in spans(told)] == [
        *("2026-10-05 17:00Z", "2026-10-06 18:00Z", "2026-10-07 10:00Z", "2026-10-08 19:00Z")
    ]


def test_the_newer_of_two_by_sequence_and_then_by_stamp_counts():
    def titles(*events: str) -> list[str]:
        return [one.properties["SUMMARY"][0].text for one in read_events(*events)]

    old = an_event("DTSTART:20261005T190000", "SUMMARY:Old", "SEQUENCE:1", "DTSTAMP:20260109T000000Z")
    new = an_event("DTSTART:20261005T200000", "SUMMARY:New", "SEQUENCE:2", "DTSTAMP:20260101T000000Z")
    newest = an_event("DTSTART:20261005T210000", "SUMMARY:Newest", "SEQUENCE:2", "DTSTAMP:20260102T000000Z")
    first = an_event("RECURRENCE-ID:20261005T190000", "DTSTART:20261005T200000", "SUMMARY:First")
    second = an_event("RECURRENCE-ID:20261005T170000Z", "DTSTART:20261005T210000", "SUMMARY:Second", "SEQUENCE:1")

    assert titles(old, new) == titles(new, old) == ["New"]
    assert titles(newest, new, old) == titles(old, new, newest) == ["Newest"]
    assert titles(an_event(*EVENING, "RRULE:FREQ=DAILY;COUNT=1"), second, first) == ["Second"]


def test_an_event_that_says_the_same_again_is_passed_over_and_one_that_does_not_is_told():
    same = an_event("DTSTART:20261005T190000", "SUMMARY:One")
    other = an_event("DTSTART:20261006T190000", "SUMMARY:Other")

    told = read(a_calendar(same, same, other))

    assert [type(one) for one in told] == [Occurrence, BrokenEvent]
    assert isinstance(told[1], BrokenEvent)
    assert told[1].reason is RejectionReason.DUPLICATE


def test_events_without_an_id_are_told_one_by_one():
    told = read_events(*2 * [an_event("DTSTART:20261005T190000", "RRULE:FREQ=DAILY;COUNT=2", uid=None)])

    assert [(one.uid, one.recurrence_id[:8]) for one in told] == 2 * [(None, "20261005"), (None, "20261006")]


def test_only_what_recurs_has_a_window():
    old = an_event("DTSTART:20010105T190000", uid="old")
    far = an_event("DTSTART:20900105T190000", uid="far")
    series = an_event("DTSTART:20010105T190000", "DURATION:PT1H", "RRULE:FREQ=DAILY", uid="series")

    told = ids(old, far, series, days=2)

    assert told == ["", "", "20260930T190000", "20261001T190000", "20261002T190000", "20261003T190000"][:5]


def test_what_goes_on_in_the_window_is_told_and_what_ends_as_it_begins_is_not():
    def ids_of_a_week_from(begin: datetime) -> list[str]:
        return ids(an_event(f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", "DURATION:P7D", "RRULE:FREQ=WEEKLY;COUNT=1"))

    begins = NOW - timedelta(days=1)

    assert ids_of_a_week_from(begins - timedelta(days=6)) == ["20260924T120000Z"]
    assert ids_of_a_week_from(begins - timedelta(days=7)) == []


def test_an_override_is_told_when_it_moves_into_the_window_or_out_of_it():
    series = an_event("DTSTART:20260105T190000", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;COUNT=24")
    into = an_event("RECURRENCE-ID:20260205T190000", "DTSTART:20261003T190000")
    out_of = an_event("RECURRENCE-ID:20261005T190000", "DTSTART:20300105T190000")
    elsewhere = an_event("RECURRENCE-ID:20260305T190000", "DTSTART:20260306T190000")

    assert ids(series, into, out_of, elsewhere, days=10) == ["20261005T190000", "20260205T190000"]


def test_later_ones_that_are_moved_into_the_window_are_told():
    series = an_event("DTSTART:20260801T190000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=8")
    moved = an_event("RECURRENCE-ID;RANGE=THISANDFUTURE:20260808T190000", "DTSTART:20260907T190000", "DURATION:PT1H")

    told = read_events(series, moved, days=12)

    assert [one.recurrence_id[:8] for one in told] == ["20260905", "20260912"]
    assert [start[:10] for start, _ in spans(told)] == ["2026-10-05", "2026-10-12"]


def test_a_recurrence_without_end_is_told_up_to_a_number_and_then_named():
    told = read(a_calendar(an_event("DTSTART:20261001T120000Z", "RRULE:FREQ=MINUTELY")))

    *occurrences, last = told
    assert len(occurrences) == MAX_OCCURRENCES
    assert isinstance(last, BrokenEvent)
    assert (last.uid, last.recurrence_id) == ("one@example.com", None)
    assert "more than 10,000 occurrences until 2027-10-01" in last.message


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_rule_that_never_meets_a_day_costs_little(rule: str):
    assert ids(an_event("DTSTART:20261005T190000", f"RRULE:{rule}")) == ["20261005T190000"]


def test_original_starts_are_dates_or_instants():
    assert [
        one.original_start for one in read_events(an_event("DTSTART;VALUE=DATE:20261005", "RRULE:FREQ=DAILY;COUNT=1"))
    ] == [date(2026, 10, 5)]
    assert [one.original_start for one in read_events(an_event(*EVENING, "RRULE:FREQ=DAILY;COUNT=1"))] == [
        utc("2026-10-05 17:00")
    ]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(range(8)), unique=True), st.lists(st.sampled_from(range(8)), unique=True), st.randoms())
def test_the_order_of_events_in_the_file_makes_no_difference(moved: list[int], excluded: list[int], random: object):
    first = datetime(2026, 10, 5, 19)  # noqa: DTZ001 - a wall clock
    starts = [first + timedelta(days=number) for number in range(8)]
    exdates = [f"EXDATE:{starts[number]:%Y%m%dT%H%M%S}" for number in excluded]
    events = [an_event(f"DTSTART:{first:%Y%m%dT%H%M%S}", "RRULE:FREQ=DAILY;COUNT=8", *exdates)]
    events += [
        an_event(f"RECURRENCE-ID:{starts[number]:%Y%m%dT%H%M%S}", f"DTSTART:{starts[number]:%Y%m%d}T120000")
        for number in moved
    ]
    random.shuffle(events)  # type: ignore[attr-defined]

    told = read_events(*events)

    assert [(one.recurrence_id[:8], spans([one])[0][0][11:13]) for one in told] == [
        (f"{start:%Y%m%d}", "10" if number in moved else "17")
        for number, start in enumerate(starts)
        if number not in excluded
    ]
