#!/bin/sh
# ijson 3.6.0: with use_float=True, an integer of 20 digits ends the document in the C backend, and is read by the Python one.
#
# A guess: use_float chooses how fractions are built, and integers stay what they are, whatever the backend.
# Seen: yajl2_c, which is the default where its wheel fits, reads integers into 64 bits as soon as use_float is asked for,
# and raises "integer overflow" for the whole document; without use_float it reads any length. The Python backend reads
# the integer either way. A feed works on the laptop without the wheel, or until the first long id.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "ijson==3.6.0" 2>/dev/null
v/bin/python - <<'PY'
import io

import ijson

FEED = b'{"ids": [12345678901234567890]}'


def read(backend, use_float):
    try:
        return list(ijson.get_backend(backend).items(io.BytesIO(FEED), "ids.item", use_float=use_float))
    except ijson.JSONError as error:
        return str(error).splitlines()[0].strip()


seen = {(backend, floats): read(backend, floats) for backend in ("yajl2_c", "python") for floats in (False, True)}
for (backend, floats), what in seen.items():
    print(f"{backend}, use_float={floats}: {what}")
assert seen["yajl2_c", False] == seen["python", False] == seen["python", True] == [12345678901234567890]
assert seen["yajl2_c", True] == "parse error: integer overflow"
PY
