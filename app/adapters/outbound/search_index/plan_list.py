"""PlanList over the index that searches read: each class of duration is read on in its order, and all are merged."""

import asyncio
from collections.abc import Callable
from functools import cache

from app.adapters.outbound.search_index.list_scan import Reach, reach_of, rows_of
from app.adapters.outbound.search_index.live_index import LiveIndex, instant, read_entry, seconds
from app.adapters.outbound.search_index.packed_details import PLAIN, read_tags
from app.adapters.outbound.search_index.plan_chunks import Entry, Row
from app.adapters.outbound.search_index.rendering import Rendering
from app.application.ports.plan_list import PlanList, PlansNotLoadedError
from app.domain.plan_listing import ListPosition, ListWindow, Match, PlanFilter, PlanPage, PlanQuestion
from app.domain.plans import SearchablePlan

MOST_LOOKED_AT = 100_000
"""Plans that one page looks at; when a filter lets few of them through, the next page goes on behind them."""
STEP = 1_000
"""Plans that are looked at before others are served: less than a millisecond."""
READING = 20
"""How many can be looked at while one is read."""


class IndexPlanList(PlanList):
    """Reads the index that is current when a page is begun; `rendering` is that of the index."""

    def __init__(self, live: LiveIndex, rendering: Rendering, most_looked_at: int = MOST_LOOKED_AT) -> None:
        self._live = live
        self._prefix = rendering.prefix
        self._parse = rendering.parse
        self._most = most_looked_at

    async def page(self, question: PlanQuestion) -> PlanPage:
        """See PlanList."""
        if not self._live.ready:
            raise PlansNotLoadedError
        window, reach = question.window, reach_of(question.window)
        after = question.after and (seconds(question.after.starts_at), self._prefix(question.after.plan_id))
        rows = rows_of(self._live.index.parts, reach, window.match, after, descending=question.descending)
        lies, passes = self._window_condition(window, reach), _filter_condition(question.filter)
        found: list[SearchablePlan] = []
        looked_at = work = 0
        for row in rows:
            looked_at, work = looked_at + 1, work + 1
            if lies(row) and passes(row[3]):
                found.append(self._read(row))
                work += READING
            if len(found) == question.limit or looked_at == self._most:
                return PlanPage(found, self._position(row) if next(rows, None) else None)
            if work >= STEP:
                work = 0
                await asyncio.sleep(0)
        return PlanPage(found, None)

    def _read(self, row: Row) -> SearchablePlan:
        return read_entry(Entry(*row), self._parse)

    def _position(self, row: Row) -> ListPosition:
        return ListPosition(instant(row[0]), self._parse(row[1]).plan_id)

    def _window_condition(self, window: ListWindow, reach: Reach) -> Callable[[Row], bool]:
        """Make what tells whether a plan belongs to a window; it is read only where its wall clock decides."""
        begins, surely_begins, surely_ends, ends = reach

        def lies(row: Row, after: float, before: float) -> bool:
            """Look at what is to be behind the first bound, and at what is to be before the last."""
            if after < begins or before > ends:
                return False
            return (after >= surely_begins and before <= surely_ends) or window.holds(self._read(row))

        if window.match is Match.INSIDE:
            return lambda row: lies(row, row[0], row[2])
        return lambda row: lies(row, row[2], row[0])


def _filter_condition(wanted: PlanFilter) -> Callable[[bytes], bool]:
    """Make what tells whether a plan passes a filter; plans without details of one provider are read once."""
    if wanted.is_open:
        return lambda _: True

    def takes(details: bytes) -> bool:
        tags = read_tags(details)
        return wanted.takes(tags.provider, tags.status, tags.category)

    takes_plain = cache(takes)
    return lambda details: takes_plain(details) if details[0] == PLAIN else takes(details)
