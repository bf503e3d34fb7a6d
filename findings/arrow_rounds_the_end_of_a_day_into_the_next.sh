#!/bin/sh
# arrow 1.4.0: 23:59:59.9999999, which is how .NET writes the end of a day, becomes the next day.
#
# A guess: digits beyond microseconds are cut off, as datetime.fromisoformat, python-dateutil and ciso8601 do it.
# Seen: arrow rounds the seventh digit, and lets it carry over to the day, the month and the year. A season that ends with
# the year ends in the next one, and a comparison of days by arrow and by the standard library differs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "arrow==1.4.0" "python-dateutil==2.9.0.post0" "ciso8601==2.4.1" 2>/dev/null
v/bin/python - <<'PY'
from datetime import datetime

import arrow
import ciso8601
from dateutil import parser

END = "2026-12-31T23:59:59.9999999+00:00"
read = {
    "arrow": arrow.get(END).datetime,
    "datetime": datetime.fromisoformat(END),
    "dateutil": parser.isoparse(END),
    "ciso8601": ciso8601.parse_datetime(END),
}
for name, at in read.items():
    print(f"{name}: {at.isoformat()}")
assert read.pop("arrow").year == 2027
assert all((at.year, at.microsecond) == (2026, 999999) for at in read.values())
PY
