"""Read the change feed with httpx-sse: `sse_reader.py SERVICE KEY`; a message is a line of JSON; no break ends it."""

import json
import sys
import time

import httpx
from httpx_sse import connect_sse

service, key = sys.argv[1:]
last = ""
with httpx.Client(timeout=60) as client:
    while True:
        headers = {"X-API-Key": key} | ({"Last-Event-ID": last} if last else {})
        try:
            with connect_sse(client, "GET", f"{service}/catalog/changes", headers=headers) as source:
                for message in source.iter_sse():
                    last = message.id
                    told = json.dumps({"id": message.id, "event": message.event, "data": message.data})
                    sys.stdout.write(f"{told}\n")
                    sys.stdout.flush()
        except httpx.TransportError:
            time.sleep(0.1)
