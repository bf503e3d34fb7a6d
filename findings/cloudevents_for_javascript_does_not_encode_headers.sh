#!/bin/sh
# cloudevents 10.0.0 (npm): HTTP.binary writes attributes into headers as they are; the SDK for Python (2.2.0) decodes them.
#
# A guess: two SDKs of one project agree in binary mode, whose binding has percent-encoding for what headers cannot say.
# Seen: the one for JavaScript encodes nothing. A subject with a percent sign and two digits arrives as another one
# (`50%41` as `50A`), one with a letter beyond Latin-1 cannot be sent by fetch at all, and in structured mode both are right.
# So the same user is two users, by the mode that a sender happens to use.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/python -m pip --disable-pip-version-check install -q "cloudevents==2.2.0" 2>/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts "cloudevents@10.0.0"
cat > send.cjs <<'JS'
const { CloudEvent, HTTP } = require('cloudevents')
const made = (subject) => new CloudEvent({ id: '1', source: '/s', type: 'view', subject, time: '2026-01-05T12:00:00Z' })
const [binary, structured] = [HTTP.binary(made('50%41')), HTTP.structured(made('50%41'))]
let beyond = 'sent'
try { new Headers(HTTP.binary(made('购')).headers) } catch (error) { beyond = error.name }
console.log(JSON.stringify({ binary, structured, beyond }))
JS
node send.cjs > sent.json
v/bin/python - <<'PY'
import json

from cloudevents.core.bindings.http import HTTPMessage, from_http_event

sent = json.load(open("sent.json"))


def read(mode):
    message = sent[mode]
    return from_http_event(HTTPMessage(message["headers"], (message.get("body") or "").encode())).get_subject()


found = {mode: read(mode) for mode in ("structured", "binary")} | {"beyond Latin-1": sent["beyond"]}
print(found)
assert found == {"structured": "50%41", "binary": "50A", "beyond Latin-1": "TypeError"}
PY
