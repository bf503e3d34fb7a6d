"""The index that searches read now, and how it moves on as plans change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from struct import Struct

from app.adapters.outbound.memory.plan_chunks import Entry
from app.adapters.outbound.memory.plan_index import EMPTY, PlanIndex
from app.application.ports.catalog import SearchIndex
from app.domain.plans import PlanId, PlanSummary, SearchablePlan
from app.domain.time_window import TimeWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STEP = 100
"""Plans that move at one go: a few milliseconds when there are a million."""

SMALL = 10_000
"""An index of up to this many plans is built anew in no time."""

_instants = Struct("dd").pack

Render = Callable[[PlanSummary], bytes]
Prefix = Callable[[PlanId], bytes]
Parse = Callable[[bytes], PlanSummary]
Moves = dict[bytes, tuple[Entry | None, Entry]]
"""By the bytes of a plan's id: how it stands in the index and how it is to stand there."""


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
        """See SearchIndex. Once there are searches, it moves on in small steps, so that they go on being answered."""
        moves: Moves = {}
        async for batch in batches:
            self._plan_moves(batch, moves)
        if not self.ready:
            self._move_on(moves)
            return
        steps = iter(moves.items())
        while step := dict(islice(steps, STEP)):
            self._move_on(step)
            await asyncio.sleep(0)

    def put(self, plans: Sequence[SearchablePlan]) -> None:
        """See SearchIndex."""
        latest = {plan.summary.plan_id: plan for plan in plans}
        moves: Moves = {}
        self._plan_moves(latest.values(), moves)
        self._move_on(moves)

    def _plan_moves(self, plans: Iterable[SearchablePlan], moves: Moves) -> None:
        for plan in plans:
            plan_id = plan.summary.plan_id
            key = plan_id.bytes
            starts_at = self._starts.get(key)
            before = None if starts_at is None else self.index.lookup(starts_at, self._prefix(plan_id))
            after = Entry(plan.starts_at.timestamp(), self._render(plan.summary), plan.ends_at.timestamp())
            if before != after:
                moves.setdefault(key, (before, after))  # twice in one load: the change log says the rest

    def _move_on(self, moves: Moves) -> None:
        if not moves:
            return
        old = [before for before, _ in moves.values() if before is not None]
        new = [after for _, after in moves.values()]
        if self.ready and self.index.size > SMALL:
            self.index = self.index.replacing(old, new)
        else:
            gone = set(old)
            self.index = PlanIndex.of([*(entry for entry in self.index.entries() if entry not in gone), *new])
        # Copies, side by side: so nothing that stays lies in what the load took, and all of that is given back.
        self._starts.update((bytes(bytearray(key)), after.starts_at + 0.0) for key, (_, after) in moves.items())
        for entry in (*old, *new):
            self._checksum ^= _hash(entry)
        self.etag = self._tag()

    def _tag(self) -> bytes:
        return b'"%x-%016x"' % (self.index.size, self._checksum)


def seconds(at: datetime) -> float:
    """Turn an instant into POSIX seconds: a float keeps microseconds apart until the year 2242."""
    return at.timestamp()


def _hash(entry: Entry) -> int:
    content = entry.fragment + _instants(entry.starts_at, entry.ends_at)
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big")
