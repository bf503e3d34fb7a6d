"""A list of plans: which of them somebody asks for, and where a page of it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from app.domain.errors import ListEndsBeforeItStartsError
from app.domain.plans import PlanId, PlanStatus, SearchablePlan

Bound = datetime | date
"""A datetime (aware) is an instant; a date is that day on the clock where the plan takes place."""


class Match(StrEnum):
    """How a plan has to lie to a window."""

    INSIDE = "inside"
    """Wholly in it, as `TimeWindow.holds` has it."""
    OVERLAPPING = "overlapping"
    """Some of it, also when it began before or goes on behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWindow:
    """The time that a list is about. Both bounds are included, and a bound that is None is open.

    A date includes the whole day, and looks at the plan's wall clock: whatever its zone, a plan of the first of June is
    found on the first of June.
    """

    begins: Bound | None = None
    ends: Bound | None = None
    match: Match = Match.INSIDE

    def __post_init__(self) -> None:
        """Refuse a window that ends before it begins, as far as its bounds can be compared.

        Raises:
            ListEndsBeforeItStartsError: two instants, or two dates, are the wrong way round.
        """
        begins, ends = self.begins, self.ends
        are_alike = isinstance(begins, datetime) is isinstance(ends, datetime)
        if begins is not None and ends is not None and are_alike and begins > ends:
            raise ListEndsBeforeItStartsError(begins, ends)

    def holds(self, plan: SearchablePlan) -> bool:
        """Tell whether a plan belongs to it."""
        if self.match is Match.INSIDE:
            return self._begins_by(plan, is_end=False) and self._ends_from(plan, is_end=True)
        return self._begins_by(plan, is_end=True) and self._ends_from(plan, is_end=False)

    def _begins_by(self, plan: SearchablePlan, *, is_end: bool) -> bool:
        return self.begins is None or self.begins <= _like(self.begins, plan, is_end=is_end)

    def _ends_from(self, plan: SearchablePlan, *, is_end: bool) -> bool:
        return self.ends is None or _like(self.ends, plan, is_end=is_end) <= self.ends


def _like(bound: Bound, plan: SearchablePlan, *, is_end: bool) -> Bound:
    """Tell the start or the end of a plan in the terms of a bound: an instant or a local day."""
    if isinstance(bound, datetime):
        return plan.ends_at if is_end else plan.starts_at
    return (plan.summary.ends or plan.summary.starts if is_end else plan.summary.starts).date()


class ListPosition(NamedTuple):
    """A place in the order of a list: just behind the plan that starts then and has this id, be it there or not.

    So what is added, moved or withdrawn in between two pages changes nothing for others.
    """

    starts_at: datetime
    """Aware, UTC."""
    plan_id: PlanId


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFilter:
    """What plans are to have in common; an empty set lets all through."""

    providers: frozenset[str] = frozenset()
    statuses: frozenset[PlanStatus] = frozenset()
    categories: frozenset[str] = frozenset()
    """As the provider writes them."""

    @property
    def is_open(self) -> bool:
        """Whether it lets everything through."""
        return not (self.providers or self.statuses or self.categories)

    def takes(self, provider: str, status: PlanStatus, category: str | None) -> bool:
        """Tell whether a plan with these passes."""
        return (
            (not self.providers or provider in self.providers)
            and (not self.statuses or status in self.statuses)
            and (not self.categories or category in self.categories)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuestion:
    """A page of a list: which plans, in which order, from where on, and how many at the most (1 or more)."""

    window: ListWindow = ListWindow()
    filter: PlanFilter = PlanFilter()
    descending: bool = False
    """By start, then by id, the latest first; else the earliest first."""
    after: ListPosition | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Some plans of a list, in its order."""

    plans: Sequence[SearchablePlan]
    end: ListPosition | None
    """Where to read on; None when there are no more plans."""
