"""What RFC 5545 says of times and recurrences, by its own words: also where calendar libraries say something else."""

from tests.support.calendars import MADRID, an_event, read_events, spans

DAILY_AT_HALF_PAST_TWO = ("DTSTART;TZID=Europe/Madrid:20260920T023000", "RRULE:FREQ=DAILY")


def told_of(*lines: str, uid: str = "one@example.com", days: float = 365) -> dict[str, tuple[str, str | None]]:
    """Read one event and give its occurrences by their id."""
    told = read_events(MADRID, an_event(*lines, uid=uid), days=days)
    return dict(zip((one.recurrence_id for one in told), spans(told), strict=True))


def test_an_hour_at_a_time_that_the_night_leaves_out_lasts_an_hour():
    told = told_of(*DAILY_AT_HALF_PAST_TWO, "DURATION:PT1H")

    assert told["20270328T023000"] == ("2027-03-28 01:30Z", "2027-03-28 02:30Z")
    assert told["20270327T023000"] == ("2027-03-27 01:30Z", "2027-03-27 02:30Z")
    assert told["20270329T023000"] == ("2027-03-29 00:30Z", "2027-03-29 01:30Z")


def test_an_hour_at_a_time_that_the_night_has_twice_is_the_first_and_lasts_an_hour():
    told = told_of(*DAILY_AT_HALF_PAST_TWO, "DURATION:PT1H")

    assert told["20261025T023000"] == ("2026-10-25 00:30Z", "2026-10-25 01:30Z")


def test_hours_are_exact_and_days_follow_the_clock():
    evening = "DTSTART;TZID=Europe/Madrid:20261024T190000"

    assert list(told_of(evening, "DURATION:PT24H").values()) == [("2026-10-24 17:00Z", "2026-10-25 17:00Z")]
    assert list(told_of(evening, "DURATION:P1D").values()) == [("2026-10-24 17:00Z", "2026-10-25 18:00Z")]
    assert list(told_of(evening, "DURATION:P1DT1H").values()) == [("2026-10-24 17:00Z", "2026-10-25 19:00Z")]
    assert list(told_of(evening, "DURATION:P1W").values()) == [("2026-10-24 17:00Z", "2026-10-31 18:00Z")]


def test_a_series_with_an_end_keeps_its_exact_length():
    told = told_of(
        "DTSTART;TZID=Europe/Madrid:20261023T230000", "DTEND;TZID=Europe/Madrid:20261024T040000", "RRULE:FREQ=DAILY"
    )

    assert told["20261024T230000"] == ("2026-10-24 21:00Z", "2026-10-25 02:00Z")


def test_an_override_in_utc_replaces_an_occurrence_in_a_zone():
    told = read_events(
        MADRID,
        an_event("DTSTART;TZID=Europe/Madrid:20261005T190000", "DURATION:PT2H", "RRULE:FREQ=DAILY;COUNT=3"),
        an_event("RECURRENCE-ID:20261006T170000Z", "DTSTART:20261006T180000Z", "DURATION:PT2H", "SUMMARY:Later"),
    )

    assert [(one.recurrence_id, *spans([one])[0]) for one in told] == [
        ("20261005T190000", "2026-10-05 17:00Z", "2026-10-05 19:00Z"),
        ("20261006T190000", "2026-10-06 18:00Z", "2026-10-06 20:00Z"),
        ("20261007T190000", "2026-10-07 17:00Z", "2026-10-07 19:00Z"),
    ]
    assert told[1].properties["SUMMARY"][0].text == "Later"


def test_an_override_of_this_and_the_future_moves_the_later_ones_and_gives_them_its_length():
    told = read_events(
        MADRID,
        an_event("DTSTART;TZID=Europe/Madrid:20261023T190000", "DURATION:PT2H", "RRULE:FREQ=DAILY;COUNT=4"),
        an_event(
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Madrid:20261024T190000",
            "DTSTART;TZID=Europe/Madrid:20261024T203000",
            "DURATION:PT1H",
            "SUMMARY:Moved",
        ),
    )

    assert [(one.recurrence_id, *spans([one])[0]) for one in told] == [
        ("20261023T190000", "2026-10-23 17:00Z", "2026-10-23 19:00Z"),
        ("20261024T190000", "2026-10-24 18:30Z", "2026-10-24 19:30Z"),
        ("20261025T190000", "2026-10-25 19:30Z", "2026-10-25 20:30Z"),
        ("20261026T190000", "2026-10-26 19:30Z", "2026-10-26 20:30Z"),
    ]
    assert ["SUMMARY" in one.properties for one in told] == [False, True, True, True]


def test_added_dates_need_no_rule_and_periods_have_a_length_of_their_own():
    told = told_of(
        "DTSTART;TZID=Europe/Madrid:20261005T190000",
        "DURATION:PT2H",
        "RDATE;TZID=Europe/Madrid:20261007T190000,20261008T200000",
        "RDATE;VALUE=PERIOD:20261009T170000Z/20261009T173000Z,20261010T170000Z/PT4H",
    )

    assert told == {
        "20261005T190000": ("2026-10-05 17:00Z", "2026-10-05 19:00Z"),
        "20261007T190000": ("2026-10-07 17:00Z", "2026-10-07 19:00Z"),
        "20261008T200000": ("2026-10-08 18:00Z", "2026-10-08 20:00Z"),
        "20261009T190000": ("2026-10-09 17:00Z", "2026-10-09 17:30Z"),
        "20261010T190000": ("2026-10-10 17:00Z", "2026-10-10 21:00Z"),
    }


def test_monthly_from_the_31st_takes_place_in_months_that_have_one():
    told = told_of("DTSTART;VALUE=DATE:20260831", "RRULE:FREQ=MONTHLY")

    assert list(told) == ["20261031", "20261231", "20270131", "20270331", "20270531", "20270731", "20270831"]


def test_an_occurrence_without_its_series_is_told():
    told = told_of(
        "RECURRENCE-ID;TZID=Europe/Madrid:20261006T190000",
        "DTSTART;TZID=Europe/Madrid:20261006T200000",
        "DURATION:PT2H",
    )

    assert told == {"20261006T190000": ("2026-10-06 18:00Z", "2026-10-06 20:00Z")}
