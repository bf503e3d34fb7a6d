"""A fault costs its event, and no calendar costs more memory or time than it may."""

import time
import tracemalloc
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.outbound.providers.icalendar.calendar import Calendar, read_calendar
from app.adapters.outbound.providers.icalendar.faults import CutCalendarError, NoCalendarError
from app.adapters.outbound.providers.icalendar.lines import MAX_LINE
from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent, Occurrence
from app.domain.feeds import RejectionReason
from tests.support.calendars import MADRID, NOW, a_calendar, an_event, read, spans

GOOD = an_event("DTSTART:20261005T190000", uid="good")


def opened(document: bytes, scratch: Path | None = None) -> Calendar:
    return read_calendar(
        BytesIO(document), timezone="Europe/Madrid", horizon=timedelta(days=365), now=NOW, scratch=scratch
    )


def the_broken(*components: str) -> BrokenEvent:
    """Read a calendar in which one event is broken, and a good one before and behind it is told."""
    told = read(a_calendar(GOOD, *components, an_event("DTSTART:20261006T190000", uid="later")))
    broken = [one for one in told if isinstance(one, BrokenEvent)]
    assert [one.uid for one in told if isinstance(one, Occurrence)][:1] == ["good"]
    assert [one.uid for one in told if isinstance(one, Occurrence)][-1:] == ["later"]
    assert len(broken) == 1
    return broken[0]


@pytest.mark.parametrize(
    ("lines", "reason", "said", "line"),
    [
        (["DTSTART:20261005T190000", "no line of a calendar"], "invalid_value", "line 11 is 'no line of", 11),
        (["SUMMARY:One"], "missing_attribute", "it has no DTSTART", 8),
        (["DTSTART:tomorrow"], "invalid_date", "DTSTART is 'tomorrow'", 8),
        (["DTSTART:20260230T190000"], "invalid_date", "DTSTART is '20260230T190000'", 8),
        (["DTSTART:20261005T190000", "DTSTART:20261006T190000"], "invalid_value", "there are 2 lines DTSTART", 11),
        (["DTSTART:20261005T190000", "DTEND:20261005T180000"], "ends_before_start", "DTEND is 2026-10-05 18:00:00", 8),
        (["DTSTART:20261005T190000", "DTEND;VALUE=DATE:20261006"], "invalid_date", "DTEND is a date", 8),
        (["DTSTART:20261005T190000", "DURATION:-PT1H"], "invalid_date", "DURATION is '-PT1H'", 8),
        (["DTSTART:20261005T190000", "RRULE:FREQ=OFTEN"], "invalid_value", "RRULE has FREQ=OFTEN", 8),
        (["DTSTART:20261005T190000", "EXRULE:FREQ=DAILY"], "invalid_value", "it has an EXRULE", 11),
        (["DTSTART;TZID=Nowhere:20261005T190000"], "invalid_date", "there is no VTIMEZONE for the TZID 'Nowhere'", 8),
        (["DTSTART:99991231T235900Z", "DURATION:P2D"], "invalid_date", "outside of the years 1 to 9999", 8),
        (["DTSTART:20261005T190000", "RDATE;VALUE=PERIOD:20261006T190000/x"], "invalid_date", "RDATE is 'x'", 8),
    ],
)
def test_a_faulty_line_costs_its_event_and_is_named(lines: list[str], reason: str, said: str, line: int):
    broken = the_broken(an_event(*lines, uid="faulty"))

    assert (broken.reason, broken.uid, broken.recurrence_id, broken.line) == (reason, "faulty", None, line)
    assert said in broken.message
    assert broken.source.startswith("BEGIN:VEVENT\nUID:faulty\n")


def test_bytes_of_another_encoding_cost_their_event():
    document = a_calendar(an_event("DTSTART:20261005T190000", "SUMMARY:Caf%", uid="latin"), GOOD)

    told = read(document.replace(b"%", "é".encode("latin-1")))

    assert [(type(one), one.uid) for one in told] == [(BrokenEvent, "latin"), (Occurrence, "good")]
    assert "Caf\N{REPLACEMENT CHARACTER}" in told[0].source


def test_an_event_without_its_end_is_named_and_the_next_one_told():
    broken = the_broken("BEGIN:VEVENT\nUID:open\nDTSTART:20261005T190000")

    assert (broken.uid, broken.line) == ("open", 8)
    assert "END:VEVENT is missing" in broken.message


def test_a_source_is_cut():
    broken = the_broken(an_event("DTSTART:x", *["X-A:" + 90 * "a"] * 100))

    assert len(broken.source) == 2_000


def test_a_text_that_is_too_long_is_left_out_and_a_time_that_is_costs_the_event():
    long = "X-PICTURE:" + MAX_LINE * "x"
    (told,) = read(a_calendar(an_event("DTSTART:20261005T190000", long, "SUMMARY:One")))
    broken = the_broken(an_event("DTSTART:20261005T190000", "EXDATE:" + ",".join(["20261005T190000"] * 20_000)))

    assert isinstance(told, Occurrence)
    assert (list(told.left_out), "X-PICTURE" in told.properties, "SUMMARY" in told.properties) == (
        *(["X-PICTURE"], False, True),
    )
    assert "EXDATE has more than" in broken.message


def test_a_faulty_override_costs_its_occurrence_and_no_other():
    series = an_event("DTSTART:20261005T190000", "RRULE:FREQ=DAILY;COUNT=3", uid="series")
    override = an_event("RECURRENCE-ID:20261006T190000", "DTSTART:tomorrow", uid="series")

    told = read(a_calendar(series, override))

    assert [(type(one), one.recurrence_id) for one in told] == [
        *((Occurrence, "20261005T190000"), (BrokenEvent, "20261006T190000"), (Occurrence, "20261007T190000"))
    ]
    assert told[1].line == 9


def test_an_override_of_the_future_that_is_faulty_costs_all_later_occurrences():
    series = an_event("DTSTART:20261005T190000", "RRULE:FREQ=DAILY;COUNT=3", uid="series")
    override = an_event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261006T190000", "DTSTART:tomorrow", uid="series")

    told = read(a_calendar(series, override))

    assert [(type(one), one.recurrence_id) for one in told] == [
        *((Occurrence, "20261005T190000"), (BrokenEvent, "20261006T190000"), (BrokenEvent, "20261007T190000"))
    ]


def test_overrides_of_a_faulty_series_are_told_and_one_that_nobody_can_place_is_named():
    told = read(
        a_calendar(
            an_event("DTSTART:20261005T190000", "RRULE:FREQ=OFTEN", uid="series"),
            an_event("RECURRENCE-ID:20261006T190000", "DTSTART:20261006T190000", uid="series"),
            an_event("RECURRENCE-ID:whenever", "DTSTART:20261006T190000", uid="series"),
        )
    )

    assert [(type(one), one.uid, one.recurrence_id) for one in told] == [
        (BrokenEvent, "series", None),
        (Occurrence, "series", "20261006T190000"),
        (BrokenEvent, "series", None),
    ]


def test_an_override_whose_series_is_a_single_event_now_is_told():
    told = read(a_calendar(GOOD, an_event("RECURRENCE-ID:20261006T190000", "DTSTART:20261006T190000", uid="good")))

    assert [one.recurrence_id for one in told] == ["", "20261006T190000"]


def test_a_recurrence_that_costs_too_much_is_named():
    broken = the_broken(an_event("DTSTART:10000101T000000", "RRULE:FREQ=DAILY;COUNT=900000", uid="endless"))

    assert (broken.reason, broken.uid) == (RejectionReason.INVALID_VALUE, "endless")
    assert "its recurrence takes too many steps" in broken.message


def test_a_document_that_is_no_calendar_leaves_nothing_behind(tmp_path: Path):
    with pytest.raises(NoCalendarError):
        opened(b"<html></html>", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_what_a_first_pass_noted_is_given_back(tmp_path: Path):
    calendar = opened(a_calendar(GOOD), tmp_path)
    assert list(tmp_path.iterdir()) != []

    calendar.close()
    calendar.close()

    assert list(tmp_path.iterdir()) == []


def test_a_calendar_says_whether_it_recurs_from_when_on_it_tells_and_what_it_passed_over():
    with closing(opened(a_calendar(GOOD, "BEGIN:VTODO\nUID:1\nEND:VTODO"))) as single:
        assert single.expands is False
        assert single.ignored == {"VTODO": 1}
        assert single.told_from == NOW - timedelta(days=1)
    with closing(opened(a_calendar(GOOD, an_event("DTSTART:20261005T190000", "RRULE:FREQ=DAILY;COUNT=3")))) as series:
        assert series.expands is True


WHOLE = a_calendar(
    MADRID,
    an_event("DTSTART;TZID=Europe/Madrid:20261005T190000", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Ñandú", uid="series"),
    an_event("RECURRENCE-ID:20261006T170000Z", "DTSTART:20261006T190000Z", uid="series"),
    GOOD,
)


@settings(max_examples=80)
@given(st.integers(len("BEGIN:VCALENDAR"), len(WHOLE.rstrip()) - 1))
def test_a_file_that_is_cut_anywhere_says_so_and_tells_nothing_that_the_whole_one_does_not(length: int):
    whole = {(one.uid, one.recurrence_id[:8]) for one in read(WHOLE) if isinstance(one, Occurrence)}
    told: list[Occurrence | BrokenEvent] = []
    with closing(opened(WHOLE[:length])) as calendar, pytest.raises(CutCalendarError):
        told.extend(calendar.records())

    good = {(one.uid, one.recurrence_id[:8]) for one in told if isinstance(one, Occurrence)}
    assert good <= whole
    assert len(told) - len(good) <= 1


@settings(max_examples=100)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=3))
def test_any_bytes_anywhere_end_in_records_or_in_an_error_that_is_known(place: int, what: bytes):
    document = WHOLE[:place] + what + WHOLE[place + len(what) :]

    try:
        with closing(opened(document)) as calendar:
            assert len(list(calendar.records())) <= 6
    except (NoCalendarError, CutCalendarError):
        pass


@settings(max_examples=50)
@given(st.sets(st.integers(1, len(WHOLE) - 1), max_size=20))
def test_a_calendar_says_the_same_however_it_is_folded(places: set[int]):
    folded = WHOLE
    for place in sorted(places, reverse=True):
        if WHOLE[place - 1 : place] not in (b"\r", b"\n") and WHOLE[place : place + 1] not in (b"\r", b"\n"):
            folded = folded[:place] + b"\r\n " + folded[place:]

    told, expected = ([one for one in read(it) if isinstance(one, Occurrence)] for it in (folded, WHOLE))

    assert spans(told) == spans(expected)
    assert [one.properties.keys() for one in told] == [one.properties.keys() for one in expected]


def a_large_calendar(path: Path, events: int) -> Path:
    """Write one series with so many overrides, and as many single events."""
    first = NOW.replace(tzinfo=None)
    with path.open("w") as file:
        series = an_event(f"DTSTART:{first:%Y%m%dT%H%M%S}", "RRULE:FREQ=DAILY;COUNT=3", uid="series")
        print("BEGIN:VCALENDAR", MADRID, series, sep="\n", file=file)
        for number in range(events):
            at = f"{first + timedelta(minutes=number):%Y%m%dT%H%M%S}"
            print(an_event(f"RECURRENCE-ID:{at}", f"DTSTART:{at}", "SUMMARY:" + 400 * "x", uid="series"), file=file)
            print(an_event("DTSTART;TZID=Europe/Madrid:20261005T190000", uid=str(number)), file=file)
        print("END:VCALENDAR", file=file)
    return path


@pytest.mark.slow
def test_memory_follows_neither_the_size_of_the_file_nor_the_number_of_overrides(tmp_path: Path):
    def peak(events: int) -> int:
        path = a_large_calendar(tmp_path / "large.ics", events)
        tracemalloc.start()
        try:
            with path.open("rb") as file:
                calendar = read_calendar(file, timezone="Europe/Madrid", horizon=timedelta(days=365), now=NOW)
                with closing(calendar):
                    assert sum(1 for _ in calendar.records()) >= 2 * events
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(1_500) < peak(150) + 256 * 1024


def test_a_hundred_hopeless_rules_cost_little_more_than_as_many_good_ones():
    def cost(rule: str) -> float:
        events = [an_event("DTSTART:20261005T190000", f"RRULE:{rule}", uid=str(number)) for number in range(100)]
        begin = time.process_time()
        read(a_calendar(*events))
        return time.process_time() - begin

    assert cost("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30") < 5 * cost("FREQ=DAILY")


def test_a_zone_whose_rules_cost_too_much_costs_its_events_and_that_once():
    hopeless = MADRID.replace("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "FREQ=MINUTELY;BYSECOND=1").replace(
        "Europe/Madrid", "X"
    )
    events = [an_event("DTSTART;TZID=X:20261005T190000", uid=str(number)) for number in range(30)]
    begin = time.process_time()

    told = read(a_calendar(hopeless, *events, GOOD))

    assert {one.message for one in told if isinstance(one, BrokenEvent)} == {
        "the rules of its time zone take too many steps, expected a rule that meets days sooner"
    }
    assert [one.uid for one in told if isinstance(one, Occurrence)] == ["good"]
    one_zone = time.process_time() - begin
    begin = time.process_time()
    read(a_calendar(hopeless, events[0]))
    assert one_zone < 3 * (time.process_time() - begin)
