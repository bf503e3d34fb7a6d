"""Which plans a feed has named so far, and what it said of them: 16 bytes each."""

from enum import Enum, auto

from app.domain.plans import PlanId

_KEY = 12
_ENTRY = 16
_BUCKETS = 1 << 16


class Standing(Enum):
    """How a record stands to those before it."""

    NEW = auto()
    SAME = auto()
    """A record before it said the same of this plan."""
    OTHER = auto()
    """A record before it said something else."""


class TakenKeys:
    """A table of plans, each with a part of its digest, as small as it can be: a feed may have a million of them.

    12 bytes of an id that is a digest itself, 4 of the content's: two plans are never taken for one (2 to the power of
    96), and of 4 billion duplicates that say something else one is taken for the same.
    """

    def __init__(self) -> None:
        self._buckets: dict[bytes, bytearray] = {}

    def standing(self, plan_id: PlanId, digest: bytes) -> Standing:
        """Look a plan up."""
        name = plan_id.bytes
        bucket = self._buckets.get(name[:2], b"")
        at = bucket.find(name[2 : 2 + _KEY])
        while at > 0 and at % _ENTRY:  # in the middle of two others
            at = bucket.find(name[2 : 2 + _KEY], at + 1)
        if at < 0:
            return Standing.NEW
        return Standing.SAME if bucket.startswith(digest[: _ENTRY - _KEY], at + _KEY) else Standing.OTHER

    def take(self, plan_id: PlanId, digest: bytes) -> Standing:
        """Look a plan up, and note it when it is new."""
        found = self.standing(plan_id, digest)
        if found is Standing.NEW:
            name = plan_id.bytes
            entry = name[2 : 2 + _KEY] + digest[: _ENTRY - _KEY]
            bucket = self._buckets.get(name[:2])
            if bucket is None:
                self._buckets[name[:2]] = bytearray(entry)
            else:
                bucket += entry
        return found
