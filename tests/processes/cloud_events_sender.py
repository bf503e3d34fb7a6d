"""The CloudEvents SDK for Python sends an event in each mode: for a service and with a key, its arguments."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import httpx
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

HOST, KEY = sys.argv[1:]
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def made(id_: str, data: Any, **more: Any) -> CloudEvent:
    attributes = {"id": id_, "source": "/shop/python", "type": "ticket.bought", "subject": "ana", "time": NOON}
    return CloudEvent(attributes | more, data)


def send(headers: dict[str, str], body: bytes) -> tuple[int, Any]:
    answer = httpx.post(f"{HOST}/events", headers=headers | {"X-API-Key": KEY}, content=body)
    return answer.status_code, answer.json()


def main() -> None:
    structured = to_structured_event(made("1", {"value": 12.5}))
    binary = to_binary_event(made("2", {"value": 12.5}, region="nord & süd"))
    packed = to_structured_event(made("3", b'{"value": 12.5}', datacontenttype="application/json"))
    batch = [to_structured_event(made(id_, {"value": 12.5})).body for id_ in ("1", "2", "4")]
    answers = [send(message.headers, message.body) for message in (structured, binary, packed)]
    answers.append(send({"content-type": "application/cloudevents-batch+json"}, b"[" + b",".join(batch) + b"]"))
    sys.stdout.write(json.dumps(answers))


main()
