#!/bin/sh
# python-dateutil 2.9.0.post0: `BYWEEKNO=53` meets the first days of 2022, which lie in week 52.
#
# A guess: the weeks of `FREQ=YEARLY;BYWEEKNO=...` are those of ISO 8601, as RFC 5545 says (3.3.10), and a rule without
# BYDAY takes the weekday from its start.
# Seen: 2021 has 52 weeks, yet 2022-01-01 and 2022-01-02 are told as week 53: the library marks the days of January
# that belong to the year before without asking how many weeks that has. `BYWEEKNO=20` alone gives all seven days of
# the week, where the start is a Wednesday.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "python-dateutil==2.9.0.post0" 2>/dev/null
v/bin/python - <<'PY'
from datetime import datetime

from dateutil.rrule import rrulestr

last = rrulestr("FREQ=YEARLY;BYWEEKNO=53;BYDAY=SA,SU;UNTIL=20230101T000000", dtstart=datetime(2021, 1, 1))
weeks = {f"{day:%Y-%m-%d}": day.isocalendar().week for day in last}
print("told as week 53, with the week by ISO 8601:", weeks)
assert weeks == {"2021-01-02": 53, "2021-01-03": 53, "2022-01-01": 52, "2022-01-02": 52}

alone = rrulestr("FREQ=YEARLY;BYWEEKNO=20;UNTIL=20280101T000000", dtstart=datetime(2026, 5, 13))
days = [f"{day:%Y %a}" for day in alone]
print("week 20 from a Wednesday on:", days)
assert days[-7:] == [f"2027 {day}" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")]
PY
