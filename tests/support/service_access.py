"""Keys as an operator makes them, and requests that carry them."""

import json
import re
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from tests.support.service import Answer, Installation, Service

KEY = re.compile(r"mqk_[0-9A-Za-z]{48}")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def send(
    service: Service, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send JSON over a connection of its own."""
    with closing(service.connect()) as connection:
        sent = None if body is None else json.dumps(body)
        given = {"Content-Type": "application/json", **(headers or {})} if sent is not None else dict(headers or {})
        connection.request(method, target, sent, given)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): text for name, text in response.getheaders()}, response.read())


def first_admin_key(service: Service) -> str:
    """What the first start has shown on the terminal."""
    (key,) = KEY.findall(service.log_file.read_text())
    return str(key)


def a_user(installation: Installation, name: str, role: str) -> str:
    """Make a user with a key on the command line; return the key."""
    made = installation.command("users", "create", name, f"{name}@example.com", "--role", role)
    assert made.returncode == 0, made.stderr
    key = installation.command("keys", "create", name)
    assert key.returncode == 0, key.stderr
    return key.stdout.strip()


def json_of(answer: Answer, status: int = 200) -> Any:
    assert answer.status == status, answer.body
    return answer.json
