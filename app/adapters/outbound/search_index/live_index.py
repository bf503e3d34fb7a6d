"""The index that searches read now, and how it moves on as plans change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import compress, islice
from typing import NamedTuple

from app.adapters.outbound.search_index.index_image import IndexImage, Located
from app.adapters.outbound.search_index.packed_details import pack_details, read_tags, unpack_details
from app.adapters.outbound.search_index.plan_chunks import Entry, run_of
from app.adapters.outbound.search_index.plan_index import EMPTY, PlanIndex
from app.adapters.outbound.search_index.rendering import Parse, Rendering
from app.application.ports.catalog import SearchIndex
from app.domain.plans import PlanId, PlanSummary, SearchablePlan
from app.domain.time_window import TimeWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LAST = datetime.max.replace(tzinfo=UTC).timestamp()

STEP = 50
"""Plans that move at one go: about a millisecond."""


class Move(NamedTuple):
    """How a plan stands in the index and how it is to stand there."""

    before: Entry | None
    """In the overlay."""
    gone: Located | None
    """In the file."""
    after: Entry


Moves = dict[bytes, Move]
"""By the bytes of a plan's id."""


class LiveIndex(SearchIndex):
    """The current PlanIndex, with what is needed to replace a plan in it.

    One task per provider may change the index; searches read it at any moment.
    """

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering
        self._starts: dict[bytes, float] = {}
        """Of the plans of the overlay."""
        self.index: PlanIndex = EMPTY
        self.ready = False

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
        return [self._rendering.parse(fragment) for fragment in self.index.find(after, before).fragments()]

    async def load(self, batches: AsyncIterator[Sequence[SearchablePlan]]) -> None:
        """See SearchIndex. Once there are searches, it moves on in small steps, so that they go on being answered."""
        moves: Moves = {}
        async for batch in batches:
            self._plan_moves(batch, moves)
        if not self.ready and self.index.image is None:
            self._build(moves)
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

    async def stand_on(self, image: IndexImage, keeps: Callable[[str], bool], whole: Collection[str] = ()) -> None:
        """Stand on another file. What is not in it as it is here stays, if this index `keeps` what its provider has.

        What the file before has is taken to be in the new one, or older, but for providers of which the `whole` is
        compared. Searches are answered meanwhile; nothing may be put or loaded.
        """
        index, starts = PlanIndex.of((), image), dict[bytes, float]()
        for number, part in enumerate(self.index.overlay):
            run = run_of((), 1)
            for chunk in part.run.chunks if part else ():
                entries = list(chunk.entries())
                stays, gone = self._compare(entries, image, keeps)
                run.append(chunk.only(stays))
                index = index.replacing((), (), gone)
                starts.update((self._rendering.key(one.fragment), one.starts_at) for one in compress(entries, stays))
                await asyncio.sleep(0)
            if part and run.chunks:
                index = index.holding(number, part._replace(run=run))
        others = (one for one in self.index.unchanged() if _provider(one) in whole) if whole else iter(())
        while step := list(islice(others, STEP)):
            stays, gone = self._compare(step, image, keeps)
            kept = list(compress(step, stays))
            index = index.replacing((), kept, gone)
            starts.update((self._rendering.key(one.fragment), one.starts_at) for one in kept)
            await asyncio.sleep(0)
        self.index, self._starts = index, starts

    def _compare(
        self, entries: Sequence[Entry], image: IndexImage, keeps: Callable[[str], bool]
    ) -> tuple[list[bool], list[Located]]:
        """Find which entries stay over a file, and which of its rows they take the place of."""
        stays: list[bool] = []
        gone: list[Located] = []
        for entry in entries:
            located = image.locate(self._rendering.key(entry.fragment), self._rendering.key)
            differs = located is None or (image.read(located) != entry and keeps(_provider(entry)))
            stays.append(differs)
            if differs and located is not None:
                gone.append(located)
        return stays, gone

    def _plan_moves(self, plans: Iterable[SearchablePlan], moves: Moves) -> None:
        for plan in plans:
            key = plan.summary.plan_id.bytes
            before, gone, stands = self._stands(plan.summary.plan_id, key)
            fragment, details = self._rendering.render(plan.summary), pack_details(plan)
            after = Entry(plan.starts_at.timestamp(), fragment, plan.ends_at.timestamp(), details)
            if stands != after:
                moves.setdefault(key, Move(before, gone, after))  # twice in one load: the change log says the rest

    def _stands(self, plan_id: PlanId, key: bytes) -> tuple[Entry | None, Located | None, Entry | None]:
        """Find how a plan stands in the overlay, else in the file, and where there."""
        starts_at = self._starts.get(key)
        if starts_at is not None:
            entry = self.index.lookup(starts_at, self._rendering.prefix(plan_id))
            return entry, None, entry
        image = self.index.image
        located = image.locate(key, self._rendering.key) if image else None
        return None, located, image.read(located) if image and located else None

    def _build(self, moves: Moves) -> None:
        """Build the overlay anew, for nobody searches yet: in no time, and with neighbours side by side."""
        left = {move.before for move in moves.values()}
        stays = (entry for entry in self.index.changed() if entry not in left)
        self.index = PlanIndex.of([*stays, *(move.after for move in moves.values())])
        self._note_starts(moves)

    def _move_on(self, moves: Moves) -> None:
        if not moves:
            return
        old = [move.before for move in moves.values() if move.before]
        gone = [move.gone for move in moves.values() if move.gone]
        self.index = self.index.replacing(old, [move.after for move in moves.values()], gone)
        self._note_starts(moves)

    def _note_starts(self, moves: Moves) -> None:
        """Keep copies, side by side: so nothing that stays lies in what a load took, and all of that is given back."""
        self._starts.update((bytes(bytearray(key)), move.after.starts_at + 0.0) for key, move in moves.items())


def _provider(entry: Entry) -> str:
    return read_tags(entry.details).provider


def read_entry(entry: Entry, parse: Parse) -> SearchablePlan:
    """Read a plan back from what the index keeps of it."""
    provider, timezone, details = unpack_details(entry.details)
    starts_at, ends_at = instant(entry.starts_at), instant(entry.ends_at)
    return SearchablePlan(starts_at, ends_at, parse(entry.fragment), details, provider, timezone)


def instant(at: float) -> datetime:
    """Turn POSIX seconds into an instant; what rounding puts behind the last one is that."""
    return EPOCH + timedelta(seconds=at) if at < LAST else datetime.max.replace(tzinfo=UTC)


def seconds(at: datetime) -> float:
    """Turn an instant into POSIX seconds: a float keeps microseconds apart until the year 2242."""
    return at.timestamp()
