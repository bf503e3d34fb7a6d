#!/bin/sh
# dateparser 1.5.0: the basic form of ISO 8601 with a Z, as iCalendar and HTTP APIs write it, becomes a time centuries ago.
#
# A guess: a parser of human dates either reads 20260210T200000Z as what it is, or says that it cannot.
# Seen: with dashes and colons it is read well; without them the digits count as an amount of time before now, so that the
# year depends on the day on which one asks and always lies long before this century. Without the Z the answer is None.
# Whoever falls back to it for "any other format" stores plans in the Middle Ages and sees no error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "dateparser==1.5.0" "tzlocal==5.4.5" "regex==2026.11.19" 2>/dev/null
v/bin/python - <<'PY'
import dateparser

extended = dateparser.parse("2026-02-10T20:00:00Z")
basic = dateparser.parse("20260210T200000Z")
print("extended:", extended, "| basic: year", basic.year, "| basic without Z:", dateparser.parse("20260210T200000"))
assert (extended.year, extended.hour) == (2026, 20)
assert 1000 < basic.year < 1900
assert dateparser.parse("20260210T200000") is None
PY
