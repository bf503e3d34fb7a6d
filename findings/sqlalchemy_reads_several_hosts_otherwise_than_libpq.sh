#!/bin/sh
# SQLAlchemy 2.1.9 against libpq (psycopg 3.3.9): a PostgreSQL URL with several hosts means two things.
#
# A guess: `make_url` either understands libpq's list of hosts or refuses it.
# Seen: `postgresql://h1,h2:5433/name` is taken, as one host called "h1,h2" at port 5433; libpq gives h1 the default port and
# 5433 to h2 alone. `postgresql://h1:5432,h2:5433/name`, libpq's usual form, is a ValueError about a number.
# psycopg.conninfo.conninfo_to_dict reads both as libpq does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "SQLAlchemy==2.1.9" "psycopg[binary]==3.3.9" 2>/dev/null
v/bin/python - <<'PY'
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

url = make_url("postgresql://h1,h2:5433/name")
print("SQLAlchemy:", url.host, url.port)
libpq = conninfo_to_dict("postgresql://h1,h2:5433/name")
print("libpq:     ", libpq["host"], libpq.get("port"))
assert (url.host, url.port) == ("h1,h2", 5433)
assert (libpq["host"], libpq["port"]) == ("h1,h2", ",5433")
try:
    make_url("postgresql://h1:5432,h2:5433/name")
except ValueError as error:
    print("SQLAlchemy:", type(error).__name__, error)
else:
    raise SystemExit("SQLAlchemy reads a port for each host now")
assert conninfo_to_dict("postgresql://h1:5432,h2:5433/name")["port"] == "5432,5433"
PY
