"""Made-up activities: the same for the same seed, spread over users and days."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from app.domain.activities import Activity

TYPES = ("view", "click", "search", "share", "purchase", "login", "logout", "favourite")
WEIGHTS = (50, 20, 12, 5, 5, 4, 2, 2)
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def activities(count: int, *, users: int, days: int, seed: int = 1) -> Iterator[Activity]:
    """Make them up, in the order of time; every twentieth has a value, every third has properties."""
    chance = random.Random(seed)
    step = timedelta(days=days) / count
    for number, type_ in enumerate(_types(chance, count)):
        yield Activity(
            activity_id=UUID(int=chance.getrandbits(128), version=4),
            type=type_,
            occurred_at=FIRST_DAY + step * number,
            source="web",
            user_id=f"user-{chance.randrange(users)}",
            value=Decimal(chance.randrange(100, 20_000)).scaleb(-2) if type_ == "purchase" else None,
            properties='{"page":"/plans/291","ref":"newsletter"}' if number % 3 == 0 else None,
        )


def _types(chance: random.Random, count: int) -> Iterator[str]:
    while count > 0:
        yield from chance.choices(TYPES, WEIGHTS, k=min(count, 10_000))
        count -= 10_000
