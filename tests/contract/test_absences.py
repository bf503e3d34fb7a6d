"""What Absences promises."""

from datetime import timedelta

import pytest

from app.application.ports.catalog import LeaseLostError
from app.application.ports.system import Lease
from app.domain.settling import Absence
from tests.contract.conftest import Backend
from tests.support.builders import NOW, a_plan

ABSENCES = {a_plan(1).plan_id: Absence(NOW, 1), a_plan(2).plan_id: Absence(NOW + timedelta(microseconds=1), 10_000)}


async def test_absences_read_back_as_they_were_until_there_are_none(backend: Backend):
    assert await backend.absences().find("demo") == {}
    async with backend.leases().hold("demo") as lease:
        await backend.absences().keep(lease, ABSENCES)
        assert await backend.absences().find("demo") == ABSENCES
        assert await backend.absences().find("other") == {}

        await backend.absences().keep(lease, {})

    assert await backend.absences().find("demo") == {}


async def test_who_lost_the_lease_keeps_none(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        with pytest.raises(LeaseLostError):
            await backend.absences().keep(Lease("demo", lease.fence - 1), ABSENCES)

    assert await backend.absences().find("demo") == {}
