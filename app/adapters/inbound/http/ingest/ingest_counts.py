"""What became of the activities of a request, by type: one Counter for each outcome, whatever their number."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from app.adapters.inbound.http.ingest.ingest_answers import ACCEPTED, DUPLICATE
from app.application.record_activities import Recording, SentActivity
from app.domain.activities import ACTIVITY_TYPE

REFUSED = "refused"
UNKNOWN = "(unknown)"
"""The type of a record that has none, or none that could be one. No type can be called that."""

ObserveActivities = Callable[[str, Mapping[str, int]], None]
"""Is told an outcome, and how many activities of which types had it."""

_type = attrgetter("type")


def observe_nothing(_outcome: str, _types: Mapping[str, int]) -> None:
    """Count nothing."""


def type_sent(record: dict[str, Any]) -> str:
    """Read the type of a record that is refused, as far as it can be."""
    found = record.get("type", record.get("event_type"))
    return found if isinstance(found, str) and ACTIVITY_TYPE.fullmatch(found) else UNKNOWN


def outcomes(activities: Sequence[SentActivity], recording: Recording) -> Iterator[tuple[str, Counter[str]]]:
    """Count those that could be read."""
    accepted = Counter(map(_type, activities))
    for outcome, positions in ((DUPLICATE, recording.duplicates), (REFUSED, recording.refused)):
        if positions:
            others = Counter(activities[position].type for position in positions)
            accepted -= others
            yield outcome, others
    if accepted:
        yield ACCEPTED, accepted
