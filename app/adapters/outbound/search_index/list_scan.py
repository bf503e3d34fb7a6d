"""Reading an index on in its order, from any place, in both directions: what lists are made of."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from heapq import merge
from typing import NamedTuple

from app.adapters.outbound.search_index.live_index import seconds
from app.adapters.outbound.search_index.overlay_part import BEHIND_ALL
from app.adapters.outbound.search_index.plan_chunks import Pair, Row
from app.adapters.outbound.search_index.plan_index import Part
from app.domain.plan_listing import Bound, ListWindow, Match

DAY = 86400.0
FARTHEST_OFFSET = 16 * 3600.0
"""Seconds by which no wall clock ever differed from UTC."""
SLACK = 1.0
"""Seconds, far more than what subtracting floats may lose; what is read for nothing is refused by its window."""


class Reach(NamedTuple):
    """A window in POSIX seconds. Near a bound that is a date, only a plan's wall clock tells it exactly."""

    begins: float
    """No plan before it belongs to the window."""
    surely_begins: float
    """A plan from here on is behind the first bound for sure."""
    surely_ends: float
    """A plan up to here is before the last bound for sure."""
    ends: float
    """No plan behind it belongs to the window."""


def reach_of(window: ListWindow) -> Reach:
    """Tell how far a window reaches at the most, and at least."""
    return Reach(*_first(window.begins), *_last(window.ends))


def _first(bound: Bound | None) -> tuple[float, float]:
    if bound is None:
        return float("-inf"), float("-inf")
    if isinstance(bound, datetime):
        return seconds(bound), seconds(bound)
    return _midnight(bound) - FARTHEST_OFFSET, _midnight(bound) + FARTHEST_OFFSET


def _last(bound: Bound | None) -> tuple[float, float]:
    if bound is None:
        return float("inf"), float("inf")
    if isinstance(bound, datetime):
        return seconds(bound), seconds(bound)
    return _midnight(bound) + DAY - FARTHEST_OFFSET - SLACK, _midnight(bound) + DAY + FARTHEST_OFFSET


def _midnight(day: date) -> float:
    return seconds(datetime.combine(day, time_of_day.min, UTC))


def rows_of(
    parts: Sequence[Part], reach: Reach, match: Match, behind: Pair | None, *, descending: bool
) -> Iterator[Row]:
    """Read what starts where a plan of the window can start, behind a place if there is one, over all parts."""
    runs = []
    for part in parts:
        if match is Match.INSIDE:
            earliest, latest = reach.begins, reach.ends - part.shortest + SLACK
        else:
            earliest, latest = reach.begins - part.longest - SLACK, reach.ends
        runs.append(_run(part, earliest, latest, behind, descending=descending))
    return merge(*runs, reverse=descending)


def _run(part: Part, earliest: float, latest: float, behind: Pair | None, *, descending: bool) -> Iterator[Row]:
    if descending:
        last = (latest, BEHIND_ALL)
        return part.backwards(earliest, last if behind is None else min(last, behind))
    first = (earliest, b"")
    return part.forwards(first if behind is None else max(first, (behind[0], behind[1] + BEHIND_ALL)), latest)
