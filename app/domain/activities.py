"""Activities: what visitors did (doc/glossary.md). The rules of one, without those of the wire."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from app.domain.errors import DomainError

ActivityId = UUID

ACTIVITY_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,99}", re.ASCII)
RESERVED_TYPES = frozenset({"dau", "top-events", "retention", "series", "funnel", "plans"})
"""They would shadow a route below /stats, one that is there or one that will be."""

IDENTIFY, ALIAS, GROUP = STATEMENTS = ("$identify", "$alias", "$group")
"""Types of what says who somebody is, and counts as nothing that anybody did. No client's type begins like that."""

PLACEHOLDERS = ("undefined", "null", "[object Object]", "anonymous", "None", "nil", "NaN")
"""What programs write when they do not know the user: no user, unless the configuration says otherwise."""

LONGEST_SOURCE = 255
LONGEST_USER_ID = 255
LARGEST_ACTIVITY = 64 * 1024
"""Bytes of one activity as it was sent."""
WHOLE_DIGITS, DECIMAL_DIGITS = 18, 24
"""Of a value, before and after the point: sums stay exact in every store."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Before it nobody clicked; such a time is a mistake of the sender's."""
FURTHEST_AHEAD = timedelta(hours=1)
"""How far a sender's clock may be ahead of ours."""


class Activity(NamedTuple):
    """What a visitor did, once. A tuple and not a dataclass: a worker builds tens of thousands a second."""

    activity_id: ActivityId
    type: str
    occurred_at: datetime
    """Aware, UTC, whole microseconds."""
    source: str | None = None
    user_id: str | None = None
    value: Decimal | None = None
    """Finite; its digits are kept as they were sent."""
    properties: str | None = None
    """A JSON object, as text."""
    anonymous_id: str | None = None
    """Who it was as long as nobody knew who it is. Of an ALIAS: the other id of the user."""
    origin: str | None = None
    """What is kept of how it came, where that differs from what it became: a JSON object, as text, with some of `id`,
    `type` and `occurred_at` (as they were sent), `sent_at`, `received_at` (RFC 3339) and `publishable` (true)."""


class ActivityRefusedError(DomainError):
    """An activity breaks a rule; the message says what was found and what is expected."""

    def __init__(self, code: str, field: str, message: str) -> None:
        """Keep the stable word for programs and the field, by its canonical name."""
        super().__init__(message)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class ActivityRules:
    """The rules that depend on the configuration and on the time. None leaves a list open."""

    types: frozenset[str] | None = None
    sources: frozenset[str] | None = None

    def broken_by(self, activities: Sequence[Activity], now: datetime) -> dict[int, ActivityRefusedError]:
        """List those of many that do not pass, by their positions, with the reason."""
        latest = now + FURTHEST_AHEAD
        lists = self.types is not None or self.sources is not None
        broken = {}
        for position, activity in enumerate(activities):
            if lists or not EARLIEST <= activity.occurred_at <= latest:  # a look is cheaper than a call
                try:
                    self.check(activity, now)
                except ActivityRefusedError as error:
                    broken[position] = error
        return broken

    def allow_all(
        self,
        types: Collection[str],
        sources: Collection[str | None],
        earliest: datetime,
        latest: datetime,
        now: datetime,
    ) -> bool:
        """Tell whether all activities pass that are of these types and sources, and occurred between two instants."""
        return (
            earliest >= EARLIEST
            and latest <= now + FURTHEST_AHEAD
            and (self.types is None or self.types.issuperset(types))
            and (self.sources is None or self.sources.issuperset(source for source in sources if source is not None))
        )

    def check(self, activity: Activity, now: datetime) -> None:
        """Let an activity pass.

        Raises:
            ActivityRefusedError: it does not.
        """
        if self.types is not None and activity.type not in self.types and activity.type not in STATEMENTS:
            raise ActivityRefusedError("unknown_type", "type", f"{activity.type!r} is none of {_named(self.types)}")
        if self.sources is not None and activity.source is not None and activity.source not in self.sources:
            found = f"{activity.source!r} is none of {_named(self.sources)}"
            raise ActivityRefusedError("unknown_source", "source", found)
        if activity.occurred_at > now + FURTHEST_AHEAD:
            found = f"{activity.occurred_at.isoformat()} is more than 1 hour ahead of {now.isoformat()}"
            raise ActivityRefusedError("occurs_in_the_future", "occurred_at", found)
        if activity.occurred_at < EARLIEST:
            found = f"{activity.occurred_at.isoformat()} is before 1970: is it a mistake of the sender's?"
            raise ActivityRefusedError("occurred_too_early", "occurred_at", found)


def with_origin(origin: str | None, **noted: str | bool) -> str:
    """Note more of how an activity came."""
    return json.dumps((json.loads(origin) if origin else {}) | noted, ensure_ascii=False, separators=(",", ":"))


def one_type_too_many(type_: str, most: int) -> ActivityRefusedError:
    """Refuse a type that would be one more than may be told apart."""
    return ActivityRefusedError(
        "too_many_types",
        "type",
        f"{type_!r} is new, and there are {most:,} types already: use one of these, or raise activity.max_types",
    )


def is_countable(value: Decimal) -> bool:
    """Tell whether a value is finite and of a size whose sums stay exact."""
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -DECIMAL_DIGITS and value.adjusted() < WHOLE_DIGITS


def _named(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
