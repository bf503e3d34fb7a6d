#!/bin/sh
# psycopg 3.3.9, C implementation: a list as an array parameter against the same list as one JSON parameter.
#
# A guess: `unnest(%s)` with a Python list is the fast way to hand many values over; JSON has to be parsed once more.
# Seen: on the client's side an array costs seven to twelve times the JSON parameter for texts and numbers, and about
# forty times for instants: each element goes through a dumper of its own, and the list is walked once more to find a
# common type. The server reads `jsonb_array_elements_text` or `json_to_recordset` in a small part of what is saved.
# No server is needed here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "psycopg[binary]==3.3.9" 2>/dev/null
v/bin/python - <<'PY'
import datetime as dt
import time

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.json import Jsonb

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LISTS = {
    "texts": ([f"user-{number}" for number in range(20_000)],) * 2,
    "numbers": (list(range(20_000)),) * 2,
    "instants": ([NOW] * 20_000, [NOW.isoformat()] * 20_000),
}


def cost(value):
    times = []
    for _ in range(7):
        began = time.process_time()
        Transformer().dump_sequence([value], [PyFormat.AUTO])
        times.append(time.process_time() - began)
    return min(times)


print("psycopg", psycopg.__version__, psycopg.pq.__impl__)
assert psycopg.pq.__impl__ == "binary"
for name, (plain, of_json) in LISTS.items():
    ratio = cost(plain) / cost(Jsonb(of_json))
    print(f"{name}: an array costs {ratio:.0f} times the JSON parameter")
    assert ratio > 4
PY
