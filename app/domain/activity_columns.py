"""Many activities as columns: for those who handle tens of thousands a second, and would make objects of none of them.

Whoever wants them one by one reads the same as from any sequence of activities.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from operator import attrgetter, itemgetter
from typing import TypeVar, overload
from uuid import UUID

from app.domain.activities import Activity, ActivityId

T = TypeVar("T")

ID_SIZE = 16
"""Bytes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_new = tuple.__new__


def microseconds(instant: datetime) -> int:
    """Write an aware instant, exactly: microseconds since 1970, UTC."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instant_of(written: int) -> datetime:
    """Read what `microseconds` wrote."""
    return _EPOCH + written * _MICROSECOND


class ActivityIds(Sequence[ActivityId]):
    """Ids, made when somebody looks at them."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        """ID_SIZE bytes of each."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.raw) // ID_SIZE

    @overload
    def __getitem__(self, place: int) -> ActivityId: ...

    @overload
    def __getitem__(self, place: slice) -> list[ActivityId]: ...

    def __getitem__(self, place: int | slice) -> ActivityId | list[ActivityId]:
        """Make one, or several."""
        if isinstance(place, slice):
            return [self[position] for position in range(*place.indices(len(self)))]
        at = range(len(self))[place] * ID_SIZE
        return UUID(bytes=self.raw[at : at + ID_SIZE])

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of ids."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as that of a list


@dataclass(frozen=True, slots=True, eq=False)
class ActivityColumns(Sequence[Activity]):
    """The fields of Activity, a column each, all of one length."""

    ids: bytes
    """ID_SIZE bytes of each."""
    types: Sequence[str]
    occurred_at: Sequence[int]
    """Microseconds since 1970, UTC."""
    sources: Sequence[str | None]
    user_ids: Sequence[str | None]
    values: Sequence[Decimal | None]
    properties: Sequence[str | None]
    anonymous_ids: Sequence[str | None]
    origins: Sequence[str | None]

    @staticmethod
    def of(activities: Sequence[Activity]) -> "ActivityColumns":
        """Lay out some activities; columns stay what they are."""
        if isinstance(activities, ActivityColumns):
            return activities
        if not activities:
            return ActivityColumns(b"", (), (), (), (), (), (), (), ())
        ids, types, occurred_at, *others = zip(*activities, strict=True)
        raw = b"".join(map(attrgetter("bytes"), ids))
        return ActivityColumns(raw, types, list(map(microseconds, occurred_at)), *others)

    @staticmethod
    def joined(parts: Sequence["ActivityColumns"]) -> "ActivityColumns":
        """Put some behind each other, at least one."""
        if len(parts) == 1:
            return parts[0]
        columns = (list(chain.from_iterable(map(attrgetter(name), parts))) for name in _OTHERS)
        return ActivityColumns(b"".join([part.ids for part in parts]), *columns)

    def split_ids(self) -> list[bytes]:
        """List the ids."""
        raw = self.ids
        return [raw[at : at + ID_SIZE] for at in range(0, len(raw), ID_SIZE)]

    def first_of_each_id(self) -> "ActivityColumns":
        """Leave out those whose id stands before."""
        ids = self.split_ids()
        if len(set(ids)) == len(ids):
            return self
        first: dict[bytes, int] = {}
        for place, one in enumerate(ids):
            first.setdefault(one, place)
        return self.chosen(list(first.values()))

    def chosen(self, positions: Sequence[int]) -> "ActivityColumns":
        """Take those at some positions, in that order."""
        ids = b"".join([self.ids[place * ID_SIZE : (place + 1) * ID_SIZE] for place in positions])
        return ActivityColumns(ids, *(_picked(getattr(self, name), positions) for name in _OTHERS))

    def __len__(self) -> int:
        """Count them."""
        return len(self.types)

    def __iter__(self) -> Iterator[Activity]:
        """Make one after the other."""
        others = (self.sources, self.user_ids, self.values, self.properties, self.anonymous_ids, self.origins)
        instants = map(instant_of, self.occurred_at)
        return (_activity(row) for row in zip(ActivityIds(self.ids), self.types, instants, *others, strict=True))

    @overload
    def __getitem__(self, place: int) -> Activity: ...

    @overload
    def __getitem__(self, place: slice) -> "ActivityColumns": ...

    def __getitem__(self, place: int | slice) -> "Activity | ActivityColumns":
        """Make one, or take several."""
        if isinstance(place, slice):
            return self.chosen(range(*place.indices(len(self))))
        (one,) = self.chosen([range(len(self))[place]])
        return one

    def __eq__(self, other: object) -> bool:
        """Compare activity by activity, with any sequence of them."""
        return isinstance(other, Sequence) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as that of a list


def ids_of(activities: Sequence[Activity]) -> Sequence[ActivityId]:
    """List the ids of some activities."""
    if isinstance(activities, ActivityColumns):
        return ActivityIds(activities.ids)
    return [activity.activity_id for activity in activities]


def types_of(activities: Sequence[Activity]) -> Sequence[str]:
    """List the types of some activities."""
    if isinstance(activities, ActivityColumns):
        return activities.types
    return [activity.type for activity in activities]


_OTHERS = [field.name for field in fields(ActivityColumns)][1:]


def _activity(row: Iterable[object]) -> Activity:
    return _new(Activity, row)


def _picked(column: Sequence[T], positions: Sequence[int]) -> Sequence[T]:
    if len(positions) == 1:
        return [column[positions[0]]]
    return itemgetter(*positions)(column) if positions else ()
