"""The CloudEvents SDK for Python sends events until its input ends, each batch until it is taken: HOST, KEY and SEED.

Says on a line of JSON what was taken. Some of it is sent again, as after an answer that was lost.
"""

import json
import random
import select
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cloudevents.core.bindings.http import to_structured_event
from cloudevents.core.v1.event import CloudEvent

HOST, KEY, SEED = sys.argv[1:]
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
HEADERS = {"content-type": "application/cloudevents-batch+json", "x-api-key": KEY}


def made(number: int, chance: random.Random) -> tuple[CloudEvent, dict[str, Any]]:
    at, user = FIRST + timedelta(seconds=chance.randrange(20 * 86_400)), f"customer-{chance.randrange(40)}"
    attributes = {"id": str(number), "source": "/shop", "type": "ticket.bought", "subject": user, "time": at}
    told = {"id": f"/shop {number}", "type": "ticket.bought", "user_id": user, "value": "2.25", "at": at.isoformat()}
    return CloudEvent(attributes, {"value": 2.25, "number": number}), told


def is_taken(client: httpx.Client, body: bytes) -> bool:
    try:
        return client.post(f"{HOST}/events", headers=HEADERS, content=body).status_code == httpx.codes.ACCEPTED
    except httpx.HTTPError:
        return False


def main() -> None:
    chance = random.Random(SEED)
    told: list[dict[str, Any]] = []
    with httpx.Client(timeout=10) as client:
        while not select.select([sys.stdin], [], [], 0.02)[0]:
            events = [made(len(told) + number, chance) for number in range(chance.choice((1, 5, 50)))]
            body = b"[" + b",".join(to_structured_event(event).body for event, _ in events) + b"]"
            while not is_taken(client, body):
                time.sleep(0.05)
            told += [one for _, one in events]
            if chance.random() < 0.2:
                is_taken(client, body)
    sys.stdout.write(json.dumps(told))


main()
