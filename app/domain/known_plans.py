"""What is known of all plans of a provider, packed: a million of them take some 60 MB, and objects ten times that."""

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.plans import PlanId
from app.domain.reconciliation import KnownPlan

_ID = 16
"""Bytes of an id."""
_FEWEST_SLOTS = 8


class KnownPlans(Mapping[PlanId, KnownPlan]):
    """Plans by their id. Each has a place, 0, 1, 2, ..., by which other things can be noted of it.

    Ids lie in a row, digests and bases in another. What is left of a plan is a part that plans share which were first
    seen together and fare alike, so that there are few. The place of an id is found by hashing: the first bits of a
    UUIDv5 are as good as any hash.
    """

    __slots__ = ("_ends", "_ids", "_in_feed", "_numbers", "_own", "_part_of", "_parts", "_slots")

    def __init__(self, expected: int = 0) -> None:
        """Make room for as many as are `expected`; more may come."""
        self._ids = bytearray()
        self._in_feed = bytearray()
        self._own = bytearray()
        """Of each, its digest and the id of its base."""
        self._ends = array("I", [0])
        """Where each ends in `_own`, behind a 0."""
        self._part_of = array("I")
        self._parts: list[tuple[Any, ...]] = []
        """The length of the digest, and all fields of a KnownPlan but the first two."""
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._slots = _slots_for(expected)
        """A place and 1, or 0, by the first bits of an id; in the next slot that is free when that is taken."""

    @classmethod
    def of(cls, known: Mapping[PlanId, KnownPlan]) -> "KnownPlans":
        """Pack them."""
        packed = cls(len(known))
        for plan_id, plan in known.items():
            packed.add(plan_id, plan)
        return packed

    def add(self, plan_id: PlanId, known: KnownPlan) -> None:
        """Add a plan; one that is there stays as it is."""
        slot = self._slot(plan_id)
        if self._slots[slot]:
            return
        self._ids += plan_id.bytes
        self._in_feed.append(known.in_feed)
        self._own += known.digest + known.base_id.encode()
        self._ends.append(len(self._own))
        self._part_of.append(self._number_of(known))
        self._slots[slot] = len(self)
        if 2 * len(self) > len(self._slots):
            self._make_room()

    def place(self, plan_id: PlanId) -> int | None:
        """Find the place of a plan; None when it is not there."""
        taken = self._slots[self._slot(plan_id)]
        return taken - 1 if taken else None

    def says(self, place: int, digest: bytes) -> bool:
        """Tell whether the plan at a place is in the feed and has this digest."""
        begin, size = self._ends[place], len(digest)
        is_told = self._in_feed[place] and self._parts[self._part_of[place]][0] == size
        return bool(is_told) and self._own[begin : begin + size] == digest

    @property
    def in_feed(self) -> int:
        """How many are in the feed."""
        return self._in_feed.count(1)

    def absent(self, present: bytes | bytearray) -> Iterator[tuple[PlanId, KnownPlan]]:
        """Give those in the feed that are not `present`, which has a byte for each place."""
        for place, (in_feed, is_present) in enumerate(zip(self._in_feed, present, strict=True)):
            if in_feed and not is_present:
                yield self._id_at(place), self._at(place)

    def __getitem__(self, plan_id: PlanId) -> KnownPlan:
        """Unpack one."""
        place = self.place(plan_id)
        if place is None:
            raise KeyError(plan_id)
        return self._at(place)

    def __iter__(self) -> Iterator[PlanId]:
        """Go through the ids by their places."""
        return map(self._id_at, range(len(self)))

    def __len__(self) -> int:
        """Count them."""
        return len(self._in_feed)

    def _id_at(self, place: int) -> PlanId:
        return PlanId(bytes=bytes(self._ids[_ID * place : _ID * place + _ID]))

    def _at(self, place: int) -> KnownPlan:
        digest, base_id = self._own_of(place)
        return KnownPlan(digest, base_id.decode(), *self._parts[self._part_of[place]][1:])

    def _own_of(self, place: int) -> tuple[bytes, bytes]:
        own = bytes(self._own[self._ends[place] : self._ends[place + 1]])
        size = self._parts[self._part_of[place]][0]
        return own[:size], own[size:]

    def _slot(self, plan_id: PlanId) -> int:
        """Find the slot of an id, or the one that is free for it."""
        slots, ids, wanted = self._slots, self._ids, plan_id.bytes
        slot, last = plan_id.int >> 80, len(slots) - 1
        while taken := slots[slot := slot & last]:
            if ids[_ID * taken - _ID : _ID * taken] == wanted:
                break
            slot += 1
        return slot

    def _number_of(self, known: KnownPlan) -> int:
        part = (
            len(known.digest),
            known.sell_mode,
            known.in_feed,
            known.seen_online,
            known.first_seen_at,
            known.withdrawn_at,
            known.last_seen_at,
            known.offsets,
            known.followed_by,
        )
        number = self._numbers.setdefault(part, len(self._parts))
        if number == len(self._parts):
            self._parts.append(part)
        return number

    def _make_room(self) -> None:
        self._slots = _slots_for(2 * len(self))
        for place, plan_id in enumerate(self):
            self._slots[self._slot(plan_id)] = place + 1


def _slots_for(count: int) -> "array[int]":
    """Make at least twice as many slots, a power of two."""
    slots = _FEWEST_SLOTS
    while slots < 2 * count + 2:
        slots *= 2
    return array("I", bytes(4 * slots))
