"""Time zones of calendars: those that a file describes count, by their own rules and whatever they are called."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.outbound.providers.icalendar.occurrence import BrokenEvent, Moment, Occurrence
from tests.support.calendars import MADRID, a_calendar, an_event, read, read_events, spans, utc

SOMEWHERE = """BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE"""

OUTLOOK = """BEGIN:VTIMEZONE
TZID:Romance Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def starts(*components: str, timezone: str = "Europe/Helsinki") -> list[Moment]:
    told = read_events(*components, timezone=timezone)
    return [one.starts for one in told if isinstance(one.starts, Moment)]


def at_seven(tzid: str) -> str:
    return an_event(f"DTSTART;TZID={tzid}:20261005T190000", "DURATION:PT1H")


def moment(clock: str, timezone: str, at: str) -> Moment:
    return Moment(datetime.fromisoformat(clock), timezone, utc(at))


def test_a_name_of_the_iana_is_told_as_that_zone():
    expected = [moment("2026-10-05 19:00", "Europe/Madrid", "2026-10-05 17:00")]

    assert starts(MADRID, at_seven("Europe/Madrid")) == expected
    assert starts(at_seven("Europe/Madrid")) == expected
    assert starts(at_seven('"/mozilla.org/20050126_1/Europe/Madrid"')) == expected
    assert starts(MADRID.replace("TZID:", "TZID:/example.com/1/"), at_seven("/example.com/1/Europe/Madrid")) == expected


def test_a_zone_that_the_file_describes_stands_above_its_name():
    wrong = SOMEWHERE.format(name="Europe/Madrid", offset="-0500")

    assert starts(wrong, at_seven("Europe/Madrid")) == [
        moment("2026-10-06 03:00", "Europe/Helsinki", "2026-10-06 00:00")
    ]


def test_a_name_counts_for_the_occurrences_of_which_the_file_says_the_same():
    summer = SOMEWHERE.format(name="Europe/Madrid", offset="+0200")
    series = an_event("DTSTART;TZID=Europe/Madrid:20261024T190000", "RRULE:FREQ=DAILY;COUNT=2")

    assert starts(summer, series) == [
        moment("2026-10-24 19:00", "Europe/Madrid", "2026-10-24 17:00"),
        moment("2026-10-25 19:00", "Europe/Helsinki", "2026-10-25 17:00"),
    ]


def test_a_zone_without_a_name_of_the_iana_is_told_in_the_plans_zone():
    assert starts(OUTLOOK, at_seven("Romance Standard Time"), timezone="Europe/Madrid") == [
        moment("2026-10-05 19:00", "Europe/Madrid", "2026-10-05 17:00")
    ]
    assert starts(OUTLOOK, at_seven('"Romance Standard Time"')) == [
        moment("2026-10-05 20:00", "Europe/Helsinki", "2026-10-05 17:00")
    ]


def test_start_and_end_are_told_in_one_zone():
    (told,) = read_events(
        an_event("DTSTART;TZID=Europe/Madrid:20261005T190000", "DTEND;TZID=Asia/Tokyo:20261006T080000")
    )

    assert told.ends == moment("2026-10-06 01:00", "Europe/Madrid", "2026-10-05 23:00")


def test_times_in_utc_and_without_a_zone_are_told_in_the_plans_zone():
    assert starts(an_event("DTSTART:20261005T170000Z"), an_event("DTSTART:20261005T190000", uid="two")) == [
        moment("2026-10-05 20:00", "Europe/Helsinki", "2026-10-05 17:00"),
        moment("2026-10-05 19:00", "Europe/Helsinki", "2026-10-05 16:00"),
    ]


def test_zones_may_stand_behind_their_events_and_belong_to_their_calendar():
    first = a_calendar(at_seven("Here"), SOMEWHERE.format(name="Here", offset="+0100"))
    second = a_calendar(
        an_event("DTSTART;TZID=Here:20261005T190000", uid="two"), SOMEWHERE.format(name="Here", offset="-0300")
    )

    told = [one for one in read(first + second) if isinstance(one, Occurrence)]

    assert [start for start, _ in spans(told)] == ["2026-10-05 18:00Z", "2026-10-05 22:00Z"]


def test_an_override_in_a_zone_that_stands_behind_it_finds_its_occurrence():
    here = SOMEWHERE.format(name="Here", offset="+0330")
    series = an_event("DTSTART;TZID=Here:20261005T190000", "RRULE:FREQ=DAILY;COUNT=2")
    override = an_event("RECURRENCE-ID:20261006T153000Z", "DTSTART:20261006T163000Z")

    told = read_events(override, series, here)

    assert [(one.recurrence_id, spans([one])[0][0]) for one in told] == [
        ("20261005T190000", "2026-10-05 15:30Z"),
        ("20261006T190000", "2026-10-06 16:30Z"),
    ]


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("", "there is no VTIMEZONE for the TZID 'Here'"),
        ("BEGIN:VTIMEZONE\nTZID:Here\nEND:VTIMEZONE", "it has neither STANDARD nor DAYLIGHT"),
        (SOMEWHERE.format(name="Here", offset="1"), "TZOFFSETFROM is '1'"),
        ("BEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE", "an observance has no DTSTART"),
        ("BEGIN:VTIMEZONE\nTZID:Here", "the VTIMEZONE cannot be used"),
    ],
)
def test_a_zone_that_cannot_be_used_costs_the_events_in_it(zone: str, said: str):
    told = read(a_calendar(*([zone] if zone else []), at_seven("Here"), an_event("DTSTART:20261005T190000", uid="two")))

    assert [type(one) for one in told] == [BrokenEvent, Occurrence]
    assert isinstance(told[0], BrokenEvent)
    assert said in told[0].message


def test_a_zone_that_cannot_be_used_but_has_a_name_of_the_iana_is_that():
    broken = SOMEWHERE.format(name="Europe/Madrid", offset="1")

    assert starts(broken, at_seven("Europe/Madrid")) == [
        moment("2026-10-05 19:00", "Europe/Madrid", "2026-10-05 17:00")
    ]


def test_rules_that_have_ended_go_on_with_their_last_offset():
    ended = MADRID.replace("DAY=-1SU", "DAY=-1SU;UNTIL=20201231T000000Z").replace("Europe/Madrid", "Here")
    listed = """BEGIN:VTIMEZONE
TZID:Listed
BEGIN:STANDARD
DTSTART:20001029T030000
RDATE:20261025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20010325T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE"""
    series = ("DTSTART;TZID=Listed:20261024T190000", "RRULE:FREQ=DAILY;COUNT=2")

    assert [one.at for one in starts(ended, at_seven("Here"))] == [utc("2026-10-05 18:00")]
    assert [one.at for one in starts(listed, an_event(*series))] == [utc("2026-10-24 17:00"), utc("2026-10-25 18:00")]
    assert [one.at for one in starts(listed, an_event("DTSTART;TZID=Listed:19991005T190000"))] == [
        utc("1999-10-05 17:00")
    ]


NIGHTS = st.sampled_from([datetime(2026, 10, 25), datetime(2027, 3, 28)]).flatmap(  # noqa: DTZ001 - the same
    lambda night: st.integers(0, 6 * 60).map(lambda minutes: night + timedelta(minutes=minutes))
)


@given(st.one_of(st.datetimes(datetime(1997, 1, 1), datetime(2050, 1, 1)), NIGHTS))  # noqa: DTZ001 - the same
def test_described_rules_are_those_of_the_zone_that_they_describe(clock: datetime):
    clock = clock.replace(microsecond=0)
    event = an_event(f"DTSTART;TZID=Romance Standard Time:{clock:%Y%m%dT%H%M%S}")

    (told,) = starts(OUTLOOK, event)

    assert told.at == clock.replace(tzinfo=ZoneInfo("Europe/Madrid")).astimezone(UTC)
