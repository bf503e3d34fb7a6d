"""What somebody says beside what an activity has words for is kept in its properties, and overwrites nothing there."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.adapters.inbound.reading.activity_names import LONGEST_NAME
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to, shown

MOST_UNKNOWN = 10
"""Problems that one record has for unknown fields."""


def keep(properties: dict[str, Any], others: Iterable[tuple[str, Any]]) -> None:
    """Put more into the properties; a name that is taken there gets a `_` at its end, until it is free."""
    for given, value in others:
        name = given
        while name in properties:
            name += "_"
        properties[name] = value


def ignore(unknown: Sequence[str], reading: Reading) -> None:
    """Name what means nothing in a record: it is kept, where a configuration does not refuse it.

    Raises:
        RefusedRecordError: it does.
    """
    if unknown and reading.names.refuse_unknown:
        raise RefusedRecordError(*(_unknown(name) for name in unknown[:MOST_UNKNOWN]))
    reading.ignore(unknown)


def _unknown(name: str) -> Problem:
    return Problem("unknown_field", f"{shown(name)} means nothing here", pointer_to([name[:LONGEST_NAME]]))
