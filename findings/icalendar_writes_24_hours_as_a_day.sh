#!/bin/sh
# icalendar 7.3.2: `DURATION:PT24H` is written back as `DURATION:P1D`, which means something else.
#
# A guess: reading a calendar and writing it again changes how it looks at the most.
# Seen: RFC 5545 (3.3.6) keeps days, which follow the wall clock, apart from hours, which are exact; in the night in
# which clocks change a day has 23 or 25 hours. The library holds both as a `timedelta`, so `PT24H` and `P1D` are one
# value, and whoever reads what it wrote ends an hour off. `PT23H` comes back as it was; `PT25H` comes back as
# `P1DT1H`.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "icalendar==7.3.2" 2>/dev/null
v/bin/python - <<'PY'
from icalendar import Calendar

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//night//EN
BEGIN:VEVENT
UID:night@example.com
DTSTAMP:20260101T000000Z
DTSTART:20261024T220000Z
DURATION:{}
END:VEVENT
END:VCALENDAR
"""


def written(duration):
    lines = Calendar.from_ical(CALENDAR.format(duration)).to_ical().decode().splitlines()
    (line,) = [line for line in lines if line.startswith("DURATION")]
    return line.removeprefix("DURATION:")


found = {duration: written(duration) for duration in ("PT23H", "PT24H", "P1D", "PT25H")}
print(found)
assert found["PT24H"] == found["P1D"] == "P1D"
assert (found["PT23H"], found["PT25H"]) == ("PT23H", "P1DT1H")
PY
