"""What TransitionLog promises, and that it is a log of domain events."""

from app.domain.domain_events import SyncFact, sync_fact_of
from app.domain.gate import HoldReason
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from app.domain.sync_transitions import SyncTransition, TransitionKind
from tests.contract.conftest import Backend
from tests.support.builders import NOW


def a_transition(number: int = 1, kind: TransitionKind = TransitionKind.HELD) -> SyncTransition:
    return SyncTransition(
        kind=kind,
        run_id=f"run-{number}",
        at=NOW,
        outcome=SyncOutcome.HELD,
        reason="ñ",
        held_for=(HoldReason.EMPTY_FEED,),
        waiting={ChangeKind.WITHDRAWN: 7},
    )


async def test_nothing_is_told_at_first(backend: Backend):
    log = backend.transition_log()

    assert (list(await log.read(0, 10)), await log.head()) == ([], 0)


async def test_transitions_are_told_as_they_were_in_their_order_from_any_position(backend: Backend):
    log = backend.transition_log()
    said = [a_transition(number, kind) for number, kind in enumerate(TransitionKind)]
    await log.append("demo", said[:3])
    await log.append("other", said[3:])

    logged = await backend.transition_log().read(0, 100)

    expected = [sync_fact_of("demo", one) for one in said[:3]] + [sync_fact_of("other", said[3])]
    assert [one.fact for one in logged] == expected
    assert all(isinstance(one.fact, SyncFact) for one in logged)
    positions = [one.position for one in logged]
    assert positions == sorted(set(positions))
    assert positions[-1] == await log.head()
    assert [one.fact for one in await log.read(positions[1], 1)] == expected[2:3]
    assert list(await log.read(positions[-1], 10)) == list(await log.read(0, 0)) == []
