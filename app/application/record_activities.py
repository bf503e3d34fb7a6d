"""Record activities: what was sent is completed, judged, and put where workers will find it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from app.application.ports.activities import ActivityQueue, TypeBound
from app.application.ports.system import Clock
from app.domain.activities import Activity, ActivityId, ActivityRefusedError, ActivityRules, one_type_too_many

_new = tuple.__new__


class SentActivity(NamedTuple):
    """An activity as somebody sent it; None is what they left out. The fields are those of Activity, in its order."""

    activity_id: ActivityId | None
    type: str
    occurred_at: datetime | None = None
    source: str | None = None
    user_id: str | None = None
    value: Decimal | None = None
    properties: str | None = None

    def complete(self, new_id: Callable[[], UUID], now: datetime) -> Activity:
        """Make up what was left out: an id, and that it happened now."""
        activity_id, type_, occurred_at, *others = self
        completed = (new_id() if activity_id is None else activity_id, type_, occurred_at or now, *others)
        return _new(Activity, completed)  # without Activity's own __new__, which takes as long as all the rest


@dataclass(frozen=True, slots=True)
class Recording:
    """What became of some activities, by their positions (0, 1, ...). Whatever is not said of one: it was appended."""

    ids: Sequence[ActivityId]
    """Of every one, sent with it or made for it."""
    duplicates: Collection[int]
    refused: Mapping[int, ActivityRefusedError]


@dataclass(frozen=True, slots=True)
class RecordActivities:
    """Take activities: one that is refused costs the others nothing. `types` bounds their kinds; None: any number."""

    queue: ActivityQueue
    clock: Clock
    rules: ActivityRules
    new_id: Callable[[], UUID]
    types: TypeBound | None = None

    async def __call__(self, sent: Sequence[SentActivity]) -> Recording:
        """Append what passes the rules, in one step; what has no id gets one, what has no time happened now.

        Raises:
            QueueFullError: nothing was taken.
            LiveStateUnavailableError: whether anything was taken is unknown; the same ids again are safe.
        """
        now = self.clock.now()
        activities = [one.complete(self.new_id, now) for one in sent]
        ids = [activity.activity_id for activity in activities]
        refused = self.rules.broken_by(activities, now)
        if self.types is not None:
            refused |= await _of_too_many_types(activities, refused, self.types)
        if not refused and activities:
            return Recording(ids, await self.queue.append(activities), refused)
        taken = [position for position in range(len(activities)) if position not in refused]
        known = await self.queue.append([activities[position] for position in taken]) if taken else ()
        return Recording(ids, {taken[position] for position in known}, refused)


async def _of_too_many_types(
    activities: Sequence[Activity], refused: Collection[int], bound: TypeBound
) -> dict[int, ActivityRefusedError]:
    """List those whose type finds no room; one that is refused anyway brings no type in."""
    if refused:
        types = dict.fromkeys(activity.type for place, activity in enumerate(activities) if place not in refused)
    else:
        types = dict.fromkeys([activity.type for activity in activities])
    too_many = await bound.refused(types)
    if not too_many:
        return {}
    return {
        position: one_type_too_many(activity.type, bound.most)
        for position, activity in enumerate(activities)
        if activity.type in too_many and position not in refused
    }
