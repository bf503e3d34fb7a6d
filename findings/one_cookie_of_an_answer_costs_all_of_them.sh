#!/bin/sh
# httpx 0.28.1, requests 2.32.5 (Python's http.cookiejar): a cookie whose `Max-Age` has no value costs the whole answer its
# cookies.
#
# A guess: an attribute that cannot be read is ignored, as RFC 6265 (5.2.2) says; at the most that one cookie is dropped.
# Seen: `Max-Age` without a value ends the reading of all Set-Cookie fields of the answer,
# the session's cookie too. What is told is a UserWarning, "http.cookiejar bug!", with a traceback.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "httpx==0.28.1" "requests==2.32.5" 2>/dev/null
v/bin/python - <<'PY'
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import requests

warnings.simplefilter("ignore")


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Set-Cookie", "session=1")
        self.send_header("Set-Cookie", "theme=dark; Max-Age" if self.path == "/odd" else "theme=dark")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


with HTTPServer(("127.0.0.1", 0), Answers) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for get in (httpx.get, requests.get):
        usual, odd = dict(get(f"{url}/usual").cookies), dict(get(f"{url}/odd").cookies)
        print(f"{get.__module__.split('.')[0]}: {usual}, with a Max-Age without a value: {odd}")
        assert len(usual) == 2
        assert odd == {}
    server.shutdown()
PY
