#!/bin/sh
# httpx 0.28.1, requests 2.32.5: `response.links` has no next page in `rel="next last"`, and finds one inside a title.
#
# A guess: it reads the Link header as RFC 8288 says, in which a relation may stand among others, in any case of letters,
# and a quoted title may hold whatever it likes.
# Seen: the whole of `rel` is the key as it is written, and the header is cut at each comma before a `<`, quotes or not.
# Somebody who follows `links["next"]` stops at the first page, or fetches what a title says.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "httpx==0.28.1" "requests==2.32.5" 2>/dev/null
v/bin/python - <<'PY'
import httpx
import requests

SEVERAL = '</2>; rel="next last"'
CAPITALS = "</2>; rel=Next"
TITLE = '</9>; rel="last"; title="older, </7>; rel=next"'


def by_requests(header):
    response = requests.Response()
    response.headers["Link"] = header
    return response.links


for header in (SEVERAL, CAPITALS, TITLE):
    for links in (httpx.Response(200, headers={"Link": header}).links, by_requests(header)):
        print(f"{header}: {links}")
        if header is TITLE:
            assert "7" in links["next"]["url"]
        else:
            assert "next" not in links
PY
