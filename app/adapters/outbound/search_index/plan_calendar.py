"""PlanCalendar over the index that searches read: a few bisections in each part of it, whatever its size."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice, pairwise
from math import inf, nextafter

from app.adapters.outbound.search_index.live_index import LiveIndex, read_entry, seconds
from app.adapters.outbound.search_index.overlay_part import BEHIND_ALL
from app.adapters.outbound.search_index.plan_chunks import Entry, Row
from app.adapters.outbound.search_index.rendering import Rendering
from app.application.ports.calendar import Neighbours, PlanCalendar
from app.domain.plans import SearchablePlan


class IndexCalendar(PlanCalendar):
    """Reads whatever index is current; `rendering` is that of the index."""

    def __init__(self, live: LiveIndex, rendering: Rendering) -> None:
        self._live = live
        self._parse = rendering.parse

    def count(self) -> int | None:
        """Ask the index."""
        return self._live.size if self._live.ready else None

    def around(self, at: datetime, limit: int) -> Neighbours:
        """Read off both sides of `at` in every part, and merge."""
        parts, now = self._live.index.parts, seconds(at)
        past = merge(*(part.backwards(-inf, (now, BEHIND_ALL)) for part in parts), reverse=True)
        following = merge(*(part.forwards((nextafter(now, inf), b""), inf) for part in parts))
        return Neighbours(self._plans(islice(past, limit)), self._plans(islice(following, limit)))

    def beginning_between(self, bounds: Sequence[datetime]) -> Sequence[int]:
        """Subtract ranks."""
        instants = [seconds(bound) for bound in bounds]
        below = [sum(ranks) for ranks in zip(*(part.ranks(instants) for part in self._live.index.parts), strict=True)]
        return [later - earlier for earlier, later in pairwise(below or [0] * len(bounds))]

    def _plans(self, rows: Iterator[Row]) -> list[SearchablePlan]:
        return [read_entry(Entry(*row), self._parse) for row in rows]
