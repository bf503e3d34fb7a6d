"""The names of an activity's fields: ours, those of other people's clients, and those that a configuration maps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from itertools import chain
from typing import Any

from app.domain.activities import PLACEHOLDERS

USUAL_FIELDS = ("id", "type", "occurred_at", "source", "user_id", "anonymous_id", "value", "plan_id", "properties")
RARE_FIELDS = ("sent_at", "previous_id")
OTHER_NAMES = {
    "event_id": "id",
    "messageId": "id",
    "message_id": "id",
    "insert_id": "id",
    "$insert_id": "id",
    "event_type": "type",
    "event": "type",
    "timestamp": "occurred_at",
    "time": "occurred_at",
    "ts": "occurred_at",
    "userId": "user_id",
    "distinct_id": "user_id",
    "anonymousId": "anonymous_id",
    "revenue": "value",
    "sentAt": "sent_at",
    "previousId": "previous_id",
    "planId": "plan_id",
    "data": "properties",
}
"""What fields may be called too. `data.value`, besides, is the `value` of a record that has none."""
CANONICAL = {name: name for name in (*USUAL_FIELDS, *RARE_FIELDS)} | OTHER_NAMES
"""From every name that a field has to its canonical one."""
SINGLE = "properties."
"""What stands before the name of a single property."""
LONGEST_NAME = 64
"""Characters of a name that are repeated; what is longer is cut: it comes from outside."""


def field_of(name: str) -> str | None:
    """Tell which field a name means; `properties.NAME` for a single property, None for no field at all.

    `data` keeps its own name, for there may be a value in it.
    """
    if name in ("data", "data.value"):
        return "data" if name == "data" else "value"
    for prefix in (SINGLE, "data."):
        if name.startswith(prefix) and len(name) > len(prefix):
            return SINGLE + name.removeprefix(prefix)
    return CANONICAL.get(name)


@dataclass(frozen=True)
class FieldNames:
    """How the names of records are read."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    """From their names to what `field_of` gives. A name with points may be a path: `context.page.url`."""
    refuse_unknown: bool = False
    """Whether a record with a field that means nothing is refused; else the field becomes a property."""
    no_users: frozenset[str] = frozenset(PLACEHOLDERS)
    """What is no user where a user's id is expected."""

    @cached_property
    def usual(self) -> frozenset[str]:
        """The names with which nothing has to be looked at."""
        return frozenset(USUAL_FIELDS).difference(self.mapping, map(_first_step, self.mapping))

    @cached_property
    def are_usual(self) -> bool:
        """Whether our own names mean what they always do."""
        return self.usual.issuperset(USUAL_FIELDS)

    @cached_property
    def unmapped(self) -> "FieldNames":
        """The same for records in the words of others, whose names are theirs and no configuration's."""
        return FieldNames(refuse_unknown=self.refuse_unknown, no_users=self.no_users)

    @cached_property
    def of_fields(self) -> Mapping[str, tuple[str, ...]]:
        """By field: all its names but those inside others, ours first."""
        found: dict[str, list[str]] = {}
        for name, its in chain(CANONICAL.items(), self.mapping.items()):
            found.setdefault("properties" if its == "data" else its, []).append(name)
        return {its: tuple(names) for its, names in found.items()}

    def place_of(self, record: Mapping[str, Any], wanted: str) -> tuple[str, ...]:
        """Tell by which name, or names inside each other, a record gives a field."""
        for name, its in self.mapping.items():
            path = path_of(record, name)
            if its == wanted and path:
                return path
        names = [name for name in self.of_fields.get(wanted, ()) if name in record and name not in self.mapping]
        given = [name for name in names if record[name] is not None]
        data = record.get("data")
        if wanted == "value" and not given and isinstance(data, dict) and data.get("value") is not None:
            return ("data", "value")
        return (next(iter(given or names), wanted),)

    def nearest(self, name: str) -> str | None:
        """Guess which name was meant by one that means nothing."""
        known = [*CANONICAL, *self.mapping]
        return next(iter(get_close_matches(name[:LONGEST_NAME], known, 1, 0.75)), None)


def path_of(record: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Find the path that a mapped name means in a record: the name itself, else its steps; None where nothing is."""
    if record.get(name) is not None:
        return (name,)
    steps, inside = tuple(name.split(".")), record
    for step in steps:
        if not isinstance(inside, dict) or inside.get(step) is None:
            return None
        inside = inside[step]
    return steps


def _first_step(name: str) -> str:
    return name.partition(".")[0]
