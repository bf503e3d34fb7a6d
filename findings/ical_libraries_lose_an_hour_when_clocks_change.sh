#!/bin/sh
# recurring-ical-events 3.8.2 and ical 14.3.1: an event of an hour lasts no time at all, or two, in the nights of the
# clocks.
#
# A guess: `DURATION:PT1H` is an hour on every day of a series. RFC 5545 says so (3.3.6: hours are exact).
# Seen, for a daily 02:30 in Madrid: in the night whose 02:30 does not exist both libraries give an event whose end is
# its start; in the night that has 02:30 twice both give one of two hours. The length is added to the wall clock. A
# calendar of opening hours, a bill by the hour and a search for what goes on now are wrong twice a year.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q \
  "recurring-ical-events==3.8.2" "icalendar==7.3.2" "ical==14.3.1" "tzdata==2026.6" 2>/dev/null
v/bin/python - <<'PY'
from datetime import UTC, date, datetime, timedelta

import icalendar
import recurring_ical_events
from ical.calendar_stream import IcsCalendarStream

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//daily//EN
BEGIN:VTIMEZONE
TZID:Europe/Madrid
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:daily@example.com
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Madrid:20261020T023000
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=200
SUMMARY:Daily
END:VEVENT
END:VCALENDAR
"""
EXPECTED = {date(2026, 10, 24): 1, date(2026, 10, 25): 2, date(2027, 3, 28): 0}  # the day before, and the two nights
recurring = recurring_ical_events.of(icalendar.Calendar.from_ical(CALENDAR))
timeline = IcsCalendarStream.calendar_from_ics(CALENDAR).timeline


def exact(start, end):
    return (end.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1)


def by_ical(day):
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = timeline.overlapping(midnight - timedelta(hours=2), midnight + timedelta(hours=20))
    return [exact(event.dtstart, event.end) for event in found if event.dtstart.date() == day]


for day, hours in EXPECTED.items():
    by_recurring = [exact(event["DTSTART"].dt, event["DTEND"].dt) for event in recurring.at(day)]
    print(day, "hours by recurring-ical-events:", by_recurring, " by ical:", by_ical(day))
    assert by_recurring == by_ical(day) == [hours]
PY
