"""Record activities: what was sent is completed, judged, and put where workers will find it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from app.application.ports.activities import ActivityQueue, TypeBound
from app.application.ports.system import Clock
from app.domain.activities import (
    STATEMENTS,
    Activity,
    ActivityId,
    ActivityRefusedError,
    ActivityRules,
    one_type_too_many,
    with_origin,
)
from app.domain.activity_columns import ActivityColumns, ids_of, instant_of, microseconds, types_of
from app.domain.senders import UNKNOWN_SENDER, Sender

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
    anonymous_id: str | None = None
    origin: str | None = None

    def complete(self, new_id: Callable[[], UUID], now: datetime) -> Activity:
        """Make up what was left out: an id, and that it happened now."""
        activity_id, type_, occurred_at, *others = self
        completed = (new_id() if activity_id is None else activity_id, type_, occurred_at or now, *others)
        return _new(Activity, completed)  # without Activity's own __new__, which takes as long as all the rest


@dataclass(frozen=True, slots=True)
class SentColumns:
    """Activities as somebody sent them, at least one: the columns of ActivityColumns. None of them is a statement."""

    ids: bytes | None
    """None: nobody gave one."""
    types: Sequence[str]
    occurred_at: Sequence[int] | None
    """Microseconds since 1970, UTC; None: nobody said when."""
    sources: Sequence[str | None]
    user_ids: Sequence[str | None]
    values: Sequence[Decimal | None]
    properties: Sequence[str | None]
    anonymous_ids: Sequence[str | None]
    origins: Sequence[str | None]

    def __len__(self) -> int:
        """Count them."""
        return len(self.types)

    def complete(self, new_id: Callable[[], UUID], now: datetime) -> ActivityColumns:
        """Make up what was left out, as SentActivity does."""
        return ActivityColumns(
            b"".join([new_id().bytes for _ in self.types]) if self.ids is None else self.ids,
            self.types,
            [microseconds(now)] * len(self) if self.occurred_at is None else self.occurred_at,
            self.sources,
            self.user_ids,
            self.values,
            self.properties,
            self.anonymous_ids,
            self.origins,
        )


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

    async def __call__(self, sent: Sequence[SentActivity] | SentColumns, sender: Sender = UNKNOWN_SENDER) -> Recording:
        """Append what passes the rules, in one step; what has no id gets one, what has no time happened now.

        What a publishable key says of who somebody is keeps a note of that, and of when it came.

        Raises:
            QueueFullError: nothing was taken.
            LiveStateUnavailableError: whether anything was taken is unknown; the same ids again are safe.
        """
        now = self.clock.now()
        activities = self._completed(sent, now, sender)
        ids = ids_of(activities)
        refused = {} if self._all_pass(activities, now) else self.rules.broken_by(activities, now)
        refused |= sender.refused_of(activities)
        if self.types is not None:
            refused |= await _of_too_many_types(activities, refused, self.types)
        if not refused and activities:
            return Recording(ids, await self.queue.append(activities), refused)
        taken = [position for position in range(len(activities)) if position not in refused]
        known = await self.queue.append([activities[position] for position in taken]) if taken else ()
        return Recording(ids, {taken[position] for position in known}, refused)

    def _completed(
        self, sent: Sequence[SentActivity] | SentColumns, now: datetime, sender: Sender
    ) -> Sequence[Activity]:
        if isinstance(sent, SentColumns):
            return sent.complete(self.new_id, now)
        activities = [one.complete(self.new_id, now) for one in sent]
        return [_marked(activity, now) for activity in activities] if sender.publishable else activities

    def _all_pass(self, activities: Sequence[Activity], now: datetime) -> bool:
        """Look at columns as a whole; of what is no columns, or not simple, nothing is known."""
        if not isinstance(activities, ActivityColumns):
            return False
        earliest, latest = min(activities.occurred_at), max(activities.occurred_at)
        return self.rules.allow_all(
            set(activities.types), set(activities.sources), instant_of(earliest), instant_of(latest), now
        )


def _marked(activity: Activity, received_at: datetime) -> Activity:
    if activity.type not in STATEMENTS:
        return activity
    origin = with_origin(activity.origin, publishable=True, received_at=received_at.isoformat())
    return activity._replace(origin=origin)


async def _of_too_many_types(
    activities: Sequence[Activity], refused: Collection[int], bound: TypeBound
) -> dict[int, ActivityRefusedError]:
    """List those whose type finds no room; one that is refused anyway brings no type in."""
    if refused:
        types = dict.fromkeys(activity.type for place, activity in enumerate(activities) if place not in refused)
    else:
        types = dict.fromkeys(types_of(activities))
    too_many = await bound.refused([type_ for type_ in types if type_ not in STATEMENTS])
    if not too_many:
        return {}
    return {
        position: one_type_too_many(activity.type, bound.most)
        for position, activity in enumerate(activities)
        if activity.type in too_many and position not in refused
    }
