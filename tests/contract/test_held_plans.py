"""What HeldPlans promises."""

import pytest

from app.application.ports.catalog import LeaseLostError
from app.application.ports.system import Lease
from app.domain.gate import HoldReason
from app.domain.plans import PlanDetails, PlanStatus, searchable
from app.domain.proposed_changes import HeldChanges, ProposedChange
from app.domain.reconciliation import ChangeKind
from tests.contract.conftest import Backend
from tests.support.builders import NOW, a_plan


def held_by(run_id: str) -> HeldChanges:
    before, after = searchable(a_plan(1)), searchable(a_plan(1, title="ñ", zones=()))
    told = type(after)(after.starts_at, after.ends_at, after.summary, PlanDetails(status=PlanStatus.CANCELLED))
    changes = [
        ProposedChange(before.summary.plan_id, (ChangeKind.CHANGED, ChangeKind.WENT_OFFLINE), before, told),
        ProposedChange(a_plan(2).plan_id, (ChangeKind.WITHDRAWN,), before, None),
    ]
    return HeldChanges(
        run_id=run_id, at=NOW, held_for=(HoldReason.MASS_CHANGE,), reason="too many", total=2, plans=changes
    )


async def test_of_a_provider_never_seen_nothing_is_held(backend: Backend):
    assert await backend.held_plans().find("demo") is None


async def test_what_is_held_reads_back_as_it_was_and_the_newest_counts(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        await backend.held_plans().keep(lease, held_by("run-1"))
        await backend.held_plans().keep(lease, held_by("run-2"))

    assert await backend.held_plans().find("demo") == held_by("run-2")
    assert await backend.held_plans().find("other") is None


async def test_what_is_held_no_more_is_gone(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        await backend.held_plans().keep(lease, held_by("run-1"))
        await backend.held_plans().keep(lease, None)
        await backend.held_plans().keep(lease, None)

    assert await backend.held_plans().find("demo") is None


async def test_who_lost_the_lease_keeps_nothing(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        with pytest.raises(LeaseLostError):
            await backend.held_plans().keep(Lease("demo", lease.fence - 1), held_by("run-1"))

    assert await backend.held_plans().find("demo") is None
