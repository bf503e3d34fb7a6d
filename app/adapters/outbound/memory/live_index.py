"""The index that searches read now, and how it moves on as plans change."""

from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from app.adapters.outbound.memory.plan_index import EMPTY, Entry, PlanIndex
from app.application.ports.catalog import SearchIndex
from app.domain.plans import PlanId, PlanSummary, SearchablePlan
from app.domain.time_window import TimeWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REBUILD_SHARE = 8
"""A load of more than 1/8 of what is there builds the index anew, which is cheaper than many copies of chunks."""

Render = Callable[[PlanSummary], bytes]
Prefix = Callable[[PlanId], bytes]
Parse = Callable[[bytes], PlanSummary]


class LiveIndex(SearchIndex):
    """The current PlanIndex, with what is needed to replace a plan in it.

    `render` makes what search answers for a plan, `parse` reads it back; what `render` makes begins with `prefix` of
    the plan's id. `seed` is what answers depend on besides the plans, so that the etag tells it too. One task per
    provider may change the index; searches read it at any moment.
    """

    def __init__(self, render: Render, prefix: Prefix, parse: Parse, seed: str = "") -> None:
        self._render = render
        self._prefix = prefix
        self._parse = parse
        self._starts: dict[bytes, float] = {}
        self._checksum = int.from_bytes(blake2b(seed.encode(), digest_size=8).digest(), "big")
        self.index: PlanIndex = EMPTY
        self.ready = False
        self.etag = self._tag()
        """Names the content, not the process: the same plans give the same tag everywhere (RFC 9110, 8.8.3)."""

    @property
    def size(self) -> int:
        """How many plans search may find."""
        return self.index.size

    def mark_ready(self) -> None:
        """Note that the whole catalog has been loaded once."""
        self.ready = True

    def find(self, window: TimeWindow) -> Sequence[PlanSummary]:
        """See PlanFinder."""
        after = seconds(window.starts_at) if window.starts_at else float("-inf")
        before = seconds(window.ends_at) if window.ends_at else float("inf")
        return [self._parse(fragment) for fragment in self.index.find(after, before)]

    async def load(self, batches: AsyncIterator[Sequence[SearchablePlan]]) -> None:
        """See SearchIndex: renders batch by batch, so that searches are answered in between."""
        old: list[Entry] = []
        new: list[Entry] = []
        starts: dict[bytes, float] = {}
        async for batch in batches:
            for plan in batch:
                self._replace(plan, old, new, starts)
        self._move_on(old, new, starts)

    def put(self, plans: Sequence[SearchablePlan]) -> None:
        """See SearchIndex."""
        latest = {plan.summary.plan_id: plan for plan in plans}
        old: list[Entry] = []
        new: list[Entry] = []
        starts: dict[bytes, float] = {}
        for plan in latest.values():
            self._replace(plan, old, new, starts)
        self._move_on(old, new, starts)

    def _replace(self, plan: SearchablePlan, old: list[Entry], new: list[Entry], starts: dict[bytes, float]) -> None:
        plan_id = plan.summary.plan_id
        if plan_id.bytes in starts:
            return  # twice in one load: the change log says the rest
        entry = Entry(seconds(plan.starts_at), self._render(plan.summary), seconds(plan.ends_at))
        before = self._current(plan_id)
        if before == entry:
            return
        if before is not None:
            old.append(before)
        new.append(entry)
        starts[plan_id.bytes] = entry.starts_at

    def _current(self, plan_id: PlanId) -> Entry | None:
        starts_at = self._starts.get(plan_id.bytes)
        return None if starts_at is None else self.index.lookup(starts_at, self._prefix(plan_id))

    def _move_on(self, old: list[Entry], new: list[Entry], starts: dict[bytes, float]) -> None:
        if not new:
            return
        if len(new) * REBUILD_SHARE > self.index.size:
            gone = set(old)
            self.index = PlanIndex.of([*(entry for entry in self.index.entries() if entry not in gone), *new])
        else:
            self.index = self.index.replacing(old, new)
        self._starts.update(starts)
        for entry in (*old, *new):
            self._checksum ^= _hash(entry)
        self.etag = self._tag()

    def _tag(self) -> bytes:
        return b'"%x-%016x"' % (self.index.size, self._checksum)


def seconds(at: datetime) -> float:
    """Turn an instant into POSIX seconds, exact to the microsecond for the years 1 to 9999."""
    return (at - EPOCH).total_seconds()


def _hash(entry: Entry) -> int:
    digest = blake2b(entry.fragment, digest_size=8)
    digest.update(array("d", (entry.starts_at, entry.ends_at)))
    return int.from_bytes(digest.digest(), "big")
