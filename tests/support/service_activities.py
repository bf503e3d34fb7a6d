"""What the clients of the end-to-end tests send: known activities, posted until the door has promised to keep them."""

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from typing import Any
from uuid import UUID

from tests.support.oracle import Oracle
from tests.support.service import Service

TYPES = ("view", "click", "search", "purchase")
FIRST = datetime(2026, 2, 10, tzinfo=UTC)
"""The days around a change of clocks in Europe (2026-03-29)."""
DAYS = 60
LAST = FIRST + timedelta(days=DAYS + 1)

Activity = Mapping[str, Any]
"""As the oracle wants it."""


def known_activities(seed: int, *, users: int = 150) -> Iterator[Activity]:
    """Make up activities without end: late ones among them, values with one to four decimals, some without a user."""
    chance = random.Random(seed)
    while True:
        type_ = chance.choice(TYPES)
        value = Decimal(chance.randrange(-500, 10_000)).scaleb(-chance.randrange(1, 5)) if type_ == "purchase" else None
        yield {
            "id": str(UUID(int=chance.getrandbits(128), version=4)),
            "type": type_,
            "occurred_at": FIRST + timedelta(seconds=chance.randrange(DAYS * 86_400)),
            "user_id": f"user-{chance.randrange(users)}" if chance.random() < 0.9 else None,
            "value": None if value is None else f"{value:f}",
        }


def wire(activities: Sequence[Activity]) -> bytes:
    """Write an array, numbers with the digits that they have."""
    return ("[" + ",".join(map(_record, activities)) + "]").encode()


def _record(activity: Activity) -> str:
    fields = {
        "id": json.dumps(activity["id"]),
        "type": json.dumps(activity["type"]),
        "occurred_at": json.dumps(activity["occurred_at"].isoformat()),
        "user_id": json.dumps(activity["user_id"]),
        "value": activity["value"] or "null",
    }
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


class Client(threading.Thread):
    """Posts batch after batch until told to stop; each again and again until a 202 came, sometimes once more after."""

    def __init__(self, connect: Callable[[], HTTPConnection], seed: int, *, pause: float = 0.005) -> None:
        super().__init__(daemon=True)
        self.posted: list[Activity] = []
        """What was promised."""
        self.statuses: dict[int | str, int] = {}
        self.surprises: list[bytes] = []
        """Answers that are neither a promise nor a plea to come again."""
        self._connect = connect
        self._source = known_activities(seed)
        self._chance = random.Random(seed)
        self._pause = pause
        self._stopping = threading.Event()
        self._giving_up = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            batch = [next(self._source) for _ in range(self._chance.choice((1, 3, 20, 100)))]
            if self.posted and self._chance.random() < 0.3:
                batch += self._chance.sample(self.posted, min(5, len(self.posted)))
            self._post_until_promised(wire(batch))
            self.posted += batch
            if self._chance.random() < 0.2:
                self._post_once(wire(batch))
            self._stopping.wait(self._pause)

    def finish(self, seconds: float = 60.0) -> Sequence[Activity]:
        """Let it end with the batch in hand; everything that was promised."""
        self._stopping.set()
        self.join(seconds)
        if self.is_alive():
            self._giving_up.set()
            raise AssertionError(f"a client still waits for a promise; so far it got {self.statuses}")
        return self.posted

    def _post_until_promised(self, body: bytes) -> None:
        while self._post_once(body) != 202 and not self._giving_up.is_set():
            self._giving_up.wait(0.05)

    def _post_once(self, body: bytes) -> int | str:
        status: int | str = "no answer"
        with suppress(OSError, HTTPException), closing(self._connect()) as connection:
            connection.request("POST", "/events", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            status = response.status
            if status not in (202, 503):
                self.surprises.append(text)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        return status


def stats_of(ask: Callable[[str], Any]) -> dict[str, Any]:
    """Ask the service everything; sums as Decimals."""
    first, last = FIRST.date() - timedelta(days=1), LAST.date()
    days = (last - first).days
    return {
        "totals": ask("/stats"),
        "dau": ask(f"/stats/dau?from={first}&to={last}"),
        "top": ask(f"/stats/top-events?from={first}&to={last}&limit=3"),
        "by day": ask(f"/stats/retention?start_date={first}&windows={days}&granularity=day"),
        "by week": ask(f"/stats/retention?start_date={first}&windows={days // 7 + 1}&granularity=week"),
    }


def expected(oracle: Oracle, today: date) -> dict[str, Any]:
    """Say what the answers must be."""
    first, last = FIRST.date() - timedelta(days=1), LAST.date()
    days = (last - first).days
    return {
        "totals": oracle.totals(),
        "dau": oracle.dau(first, last),
        "top": oracle.top(first, last, 3),
        "by day": oracle.retention(first, days, "day", today),
        "by week": oracle.retention(first, days // 7 + 1, "week", today),
    }


def ask_exactly(service: Service, target: str) -> Any:
    """Ask, and keep the digits of the numbers."""
    answer = service.ask(target)
    assert answer.status == 200, answer.body
    return json.loads(answer.body, parse_float=Decimal)


def counted(service: Service) -> int:
    """How many activities the service counts; 0 when it cannot tell."""
    answer = service.ask("/stats")
    return sum(total["count"] for total in answer.json) if answer.status == 200 else 0
