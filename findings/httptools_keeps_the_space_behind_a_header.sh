#!/bin/sh
# httptools 0.9.0: optional white space before a header's value is taken off, that behind it is not.
#
# A guess: RFC 9110 says that white space around a field's value is not part of it (5.5), so a parser takes off both.
# Seen: `X:  a b \t` arrives as b"a b \t". Whoever compares a value (a key, a media type, a number of bytes) compares with it;
# uvicorn hands the value to the application as it came. h11 0.16.0 takes off both ends.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "httptools==0.9.0" "h11==0.16.0" 2>/dev/null
v/bin/python - <<'PY'
import h11
import httptools

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nX:  a b \t\r\n\r\n"


class Heard:
    def __init__(self):
        self.headers = {}

    def on_header(self, name, value):
        self.headers[name] = value


heard = Heard()
httptools.HttpRequestParser(heard).feed_data(REQUEST)
other = h11.Connection(h11.SERVER)
other.receive_data(REQUEST)
by_h11 = dict(other.next_event().headers)[b"x"]
print("httptools:", heard.headers[b"X"], " h11:", by_h11)
assert heard.headers[b"X"] == b"a b \t"
assert by_h11 == b"a b"
PY
