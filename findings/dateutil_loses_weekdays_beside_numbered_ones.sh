#!/bin/sh
# python-dateutil 2.9.0.post0: in `BYDAY=-1MO,TH` the Thursdays are lost, and the last Mondays, too.
#
# A guess: a list of weekdays is a union, whether or not some of them have a number ("each Thursday, and the last
# Monday"). RFC 5545 says so (3.3.10: BYDAY is a comma-separated list of days).
# Seen: the library asks a day to be one of those without a number *and* one of those with one, so that nothing but the
# start is left of a rule that has both. recurring-ical-events 3.8.2, which expands with it, tells one occurrence where
# there are six a month.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q \
  "python-dateutil==2.9.0.post0" "recurring-ical-events==3.8.2" "icalendar==7.3.2" "tzdata==2026.6" 2>/dev/null
v/bin/python - <<'PY'
from datetime import datetime

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

START, END = datetime(2026, 10, 1, 19), datetime(2026, 11, 1)
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//days//EN
BEGIN:VEVENT
UID:days@example.com
DTSTAMP:20260101T000000Z
DTSTART:20261001T190000
RRULE:FREQ=MONTHLY;BYDAY={}
END:VEVENT
END:VCALENDAR
"""


def by_dateutil(days):
    return [at.day for at in rrulestr(f"FREQ=MONTHLY;BYDAY={days};UNTIL=20261101T000000", dtstart=START)]


def by_recurring(days):
    calendar = icalendar.Calendar.from_ical(CALENDAR.format(days))
    return sorted(event["DTSTART"].dt.day for event in recurring_ical_events.of(calendar).between(START, END))


found = {days: (by_dateutil(days), by_recurring(days)) for days in ("TH", "-1MO", "-1MO,TH")}
print(found)
assert found["TH"] == ([1, 8, 15, 22, 29],) * 2
assert found["-1MO"][0] == [26]
assert found["-1MO,TH"] == ([], [1])  # expected 1, 8, 15, 22, 26, 29
PY
