"""PlanList as one would write it down: look at every plan, sort, cut."""

from collections.abc import Iterable

from app.application.ports.plan_list import PlanList, PlansNotLoadedError
from app.domain.plan_listing import ListPosition, PlanPage, PlanQuestion
from app.domain.plans import PlanId, SearchablePlan


class ScanningPlanList(PlanList):
    """Lists what it is given; of two states of one plan, the later."""

    def __init__(self, plans: Iterable[SearchablePlan] = (), *, ready: bool = True) -> None:
        self.plans: dict[PlanId, SearchablePlan] = {plan.summary.plan_id: plan for plan in plans}
        self.ready = ready

    async def page(self, question: PlanQuestion) -> PlanPage:
        """See PlanList."""
        if not self.ready:
            raise PlansNotLoadedError
        found = [plan for plan in self.plans.values() if _is_asked_for(plan, question) and _is_behind(plan, question)]
        found.sort(key=lambda plan: _order(position_of(plan)), reverse=question.descending)
        page = found[: question.limit]
        return PlanPage(page, position_of(page[-1]) if len(found) > len(page) else None)


def position_of(plan: SearchablePlan) -> ListPosition:
    """Tell where a plan stands."""
    return ListPosition(plan.starts_at, plan.summary.plan_id)


def _order(position: ListPosition) -> tuple[object, str]:
    return position.starts_at, str(position.plan_id)


def _is_asked_for(plan: SearchablePlan, question: PlanQuestion) -> bool:
    category = plan.details.category if plan.details else None
    return question.window.holds(plan) and question.filter.takes(plan.provider, plan.status, category)


def _is_behind(plan: SearchablePlan, question: PlanQuestion) -> bool:
    if question.after is None:
        return True
    here, there = _order(position_of(plan)), _order(question.after)
    return here < there if question.descending else here > there
