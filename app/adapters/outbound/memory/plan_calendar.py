"""PlanCalendar over the index that searches read: a few bisections in each class of duration, whatever its size."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import accumulate, islice, pairwise

from app.adapters.outbound.memory.live_index import EPOCH, LiveIndex, Parse, seconds
from app.adapters.outbound.memory.plan_chunks import Chunk, Entry
from app.adapters.outbound.memory.plan_index import DurationClass
from app.application.ports.calendar import Neighbours, PlanCalendar
from app.domain.plans import SearchablePlan


class IndexCalendar(PlanCalendar):
    """Reads whatever index is current; `parse` reads back what the index keeps of a plan."""

    def __init__(self, live: LiveIndex, parse: Parse) -> None:
        self._live = live
        self._parse = parse

    def count(self) -> int | None:
        """Ask the index."""
        return self._live.size if self._live.ready else None

    def around(self, at: datetime, limit: int) -> Neighbours:
        """Read off both sides of `at` in every class, and merge."""
        classes = self._live.index.classes()
        past = merge(*(_backwards(duration, seconds(at)) for duration in classes), reverse=True)
        following = merge(*(_forwards(duration, seconds(at)) for duration in classes))
        return Neighbours(self._plans(islice(past, limit)), self._plans(islice(following, limit)))

    def beginning_between(self, bounds: Sequence[datetime]) -> Sequence[int]:
        """Subtract ranks."""
        ranks = [_rank_in(duration) for duration in self._live.index.classes()]
        below = [sum(rank(seconds(bound)) for rank in ranks) for bound in bounds]
        return [later - earlier for earlier, later in pairwise(below)]

    def _plans(self, entries: Iterator[Entry]) -> list[SearchablePlan]:
        return [
            SearchablePlan(_instant(entry.starts_at), _instant(entry.ends_at), self._parse(entry.fragment))
            for entry in entries
        ]


def _instant(at: float) -> datetime:
    return EPOCH + timedelta(seconds=at)


def _entry(chunk: Chunk, row: int) -> Entry:
    return Entry(chunk.starts[row], chunk.fragments[row], chunk.ends[row])


def _forwards(duration: DurationClass, after: float) -> Iterator[Entry]:
    """Hand out what starts after an instant."""
    for chunk in duration.chunks[max(0, bisect_right(duration.firsts, after) - 1) :]:
        for row in range(bisect_right(chunk.starts, after), len(chunk.starts)):
            yield _entry(chunk, row)


def _backwards(duration: DurationClass, until: float) -> Iterator[Entry]:
    """Hand out what starts by an instant, the latest first."""
    for chunk in reversed(duration.chunks[: bisect_right(duration.firsts, until)]):
        for row in range(bisect_right(chunk.starts, until) - 1, -1, -1):
            yield _entry(chunk, row)


def _rank_in(duration: DurationClass) -> Callable[[float], int]:
    """Make the function that tells how many plans of a class start before an instant."""
    before = list(accumulate((len(chunk.starts) for chunk in duration.chunks), initial=0))

    def rank(at: float) -> int:
        number = bisect_left(duration.firsts, at)
        return before[number - 1] + bisect_left(duration.chunks[number - 1].starts, at) if number else 0

    return rank
