"""What RejectionLists promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.application.ports.catalog import LeaseLostError
from app.application.ports.system import Lease
from app.domain.feeds import Rejection, RejectionReason
from app.domain.plans import PlanKey
from app.domain.rejection_list import StandingRejection
from tests.contract.conftest import Backend
from tests.support.builders import NOW


def a_row(line: int = 1) -> StandingRejection:
    rejection = Rejection(
        reason=RejectionReason.INVALID_DATE,
        message="day 31 of September",
        line=line,
        source='<event id="ñ"/>',
        key=PlanKey("demo", "444", "1642"),
        part="sell_to",
    )
    later = NOW + timedelta(hours=1)
    return StandingRejection(rejection=rejection, first_seen_at=NOW, last_seen_at=later, times=3, run_id="run-9")


async def test_of_a_provider_never_seen_nothing_is_rejected(backend: Backend):
    lists = backend.rejection_lists()

    assert list(await lists.standing("demo", 10)) == []
    assert list(await lists.mended("demo", 10)) == []


async def test_rows_read_back_as_they_were_in_their_order(backend: Backend):
    rows = [a_row(line) for line in range(5)]
    async with backend.leases().hold("demo") as lease:
        await backend.rejection_lists().note(lease, rows)

    assert list(await backend.rejection_lists().standing("demo", 10)) == rows
    assert list(await backend.rejection_lists().standing("demo", 2)) == rows[:2]
    assert list(await backend.rejection_lists().standing("demo", 0)) == []
    assert list(await backend.rejection_lists().standing("other", 10)) == []


async def test_what_stands_is_replaced_and_what_was_mended_is_added_in_front(backend: Backend):
    lists = backend.rejection_lists()
    first, second, third = (replace(a_row(line), mended_at=NOW) for line in range(3))
    async with backend.leases().hold("demo") as lease:
        await lists.note(lease, [a_row(7), a_row(8)])
        await lists.note(lease, [a_row(9)], [first])
        await lists.note(lease, [], [second, third])

    assert list(await lists.standing("demo", 10)) == []
    assert list(await lists.mended("demo", 10)) == [second, third, first]


async def test_both_lists_are_bounded(backend: Backend):
    lists = backend.rejection_lists(rejections_kept=3)
    rows = [a_row(line) for line in range(9)]
    async with backend.leases().hold("demo") as lease:
        await lists.note(lease, rows, rows)

    assert list(await lists.standing("demo", 100)) == rows[:3]
    assert list(await lists.mended("demo", 100)) == rows[:3]


async def test_who_lost_the_lease_notes_nothing(backend: Backend):
    async with backend.leases().hold("demo") as lease:
        with pytest.raises(LeaseLostError):
            await backend.rejection_lists().note(Lease("demo", lease.fence - 1), [a_row()])

    assert list(await backend.rejection_lists().standing("demo", 10)) == []
