#!/bin/sh
# pydantic 2.14.4: a Decimal read from JSON has only the digits that a double has.
#
# A guess: `validate_json` into a `Decimal` keeps the digits of the document; that is what one chooses Decimal for.
# Seen: its parser makes a float of a JSON number first, so 12345678901234567.89 arrives as 12345678901234568, without
# a word, also in strict mode. The same number as a JSON string keeps them, and so does msgspec 0.23.0 for a plain
# number.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "pydantic==2.14.4" "msgspec==0.23.0" 2>/dev/null
v/bin/python - <<'PY'
from decimal import Decimal

import msgspec
from pydantic import TypeAdapter

SENT = b"12345678901234567.89"
by_pydantic = TypeAdapter(Decimal).validate_json(SENT)
strictly = TypeAdapter(Decimal).validate_json(SENT, strict=True)
of_text = TypeAdapter(Decimal).validate_json(b'"%s"' % SENT)
by_msgspec = msgspec.json.decode(SENT, type=Decimal)
print("sent:", SENT.decode(), " pydantic:", by_pydantic, " of a string:", of_text, " msgspec:", by_msgspec)
assert by_pydantic == strictly == Decimal("12345678901234568")
assert of_text == by_msgspec == Decimal(SENT.decode())
PY
