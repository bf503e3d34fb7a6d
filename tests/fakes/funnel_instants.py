"""The instants of what a store in memory counts: all of them lie in one part."""

from collections.abc import Callable, Collection
from datetime import date

from app.application.ports.funnels import ActivitiesGoneError, FunnelInstants, WantedInstants
from app.domain.activities import Activity
from app.domain.activity_columns import ActivityColumns
from app.domain.column_fold import visitors_of
from app.domain.funnels import DEFAULT_TYPES, FunnelEvidence, Instants, no_instants, numbers_of
from app.domain.identities import aliases_in, claims_in, owners_by, persons_by
from tests.fakes.activity_store import MemoryActivityStore


class MemoryFunnelInstants(FunnelInstants):
    """Reads a store in memory."""

    def __init__(self, store: MemoryActivityStore, kept: Collection[str] = DEFAULT_TYPES) -> None:
        self._store = store
        self.kept = kept

    async def kept_types(self) -> Collection[str]:
        """Say it."""
        return self.kept

    async def evidence(self, wanted: WantedInstants, go_on: Callable[[], None]) -> FunnelEvidence:
        """Sort them out."""
        counted, frozen = await self._store.counted(), await self._store.frozen_before()
        if wanted.raw and frozen is not None and wanted.first < frozen:
            raise ActivitiesGoneError(wanted.raw, frozen)
        if wanted.raw:
            go_on()
        linked = persons_by(owners_by(claims_in(counted)), aliases_in(counted))
        first = [
            one for one in counted if one.type == wanted.first_type and wanted.first <= self._day(one) <= wanted.last
        ]
        return FunnelEvidence(
            [_instants(first)],
            {type_: [_instants([one for one in counted if one.type == type_])] for type_ in wanted.later_types},
            dict(zip(numbers_of(linked), numbers_of(linked.values()), strict=True)),
        )

    def _day(self, activity: Activity) -> date:
        return activity.occurred_at.astimezone(self._store.zone).date()


def _instants(activities: list[Activity]) -> Instants:
    columns = ActivityColumns.of(activities)
    found = no_instants()
    for visitor, at in zip(visitors_of(columns), columns.occurred_at, strict=True):
        if visitor is not None:
            found.visitors.extend(numbers_of([visitor]))
            found.at.append(at)
    return found.by_visitor()
