#!/bin/sh
# icalendar 7.3.2: of a VTIMEZONE whose name the machine knows, the rules are not read.
#
# A guess: `DTSTART;TZID=X` stands in the time zone that the file describes under the name X. RFC 5545 says so (3.2.19:
# TZID refers to the VTIMEZONE of that name in the same object; only a name that begins with `/` is one of a registry).
# Seen: a file that describes `America/Denver` without summer time is read by the rules of the installed tzdata: an
# evening in July is an hour off from what the file says. Under another name the same description counts. A publisher
# whose rules are newer than the reader's (Vancouver and Winnipeg changed theirs in 2026) is misread the same way.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "icalendar==7.3.2" "tzdata==2026.6" 2>/dev/null
PYTHONTZPATH="" v/bin/python - <<'PY'
from datetime import UTC

from icalendar import Calendar

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//zone//EN
BEGIN:VTIMEZONE
TZID:{zone}
BEGIN:STANDARD
DTSTART:20251102T020000
TZOFFSETFROM:-0600
TZOFFSETTO:-0700
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:zone@example.com
DTSTAMP:20260101T000000Z
DTSTART;TZID={zone}:20260705T190000
END:VEVENT
END:VCALENDAR
"""


def instant(zone):
    (event,) = Calendar.from_ical(CALENDAR.format(zone=zone)).walk("VEVENT")
    return f"{event['DTSTART'].dt.astimezone(UTC):%Y-%m-%d %H:%MZ}"


found = {zone: instant(zone) for zone in ("America/Denver", "Mountain")}
print(found)
assert found == {"America/Denver": "2026-07-06 01:00Z", "Mountain": "2026-07-06 02:00Z"}
PY
