import pytest

from app.application.figures import (
    CLIENTS_CUT,
    STORE_BOUND_NAMES,
    STORE_SECONDS,
    STORE_SECONDS_WITHIN,
    STORED_ACTIVITIES,
    STORED_BATCHES,
    SUBSCRIPTION_ACTIVITIES,
    SUBSCRIPTION_MESSAGES,
    count_cut,
    count_delivered,
    count_messages,
    count_stored,
)
from app.application.ports.activities import QueueFigures
from tests.fakes.store import MemoryStore
from tests.fakes.tally import MemoryTally


@pytest.mark.parametrize(
    ("seconds", "bound"), [(0.0, "0.001"), (0.001, "0.001"), (0.0011, "0.005"), (10.0, "10.0"), (10.1, "+Inf")]
)
async def test_a_transaction_counts_up_to_the_first_bound_that_is_not_below_it(seconds: float, bound: str) -> None:
    tally = MemoryTally(MemoryStore())

    count_stored(tally, 7, seconds)

    assert await tally.read() == {
        STORED_BATCHES.of(): 1,
        STORED_ACTIVITIES.of(): 7,
        STORE_SECONDS.of(): seconds,
        STORE_SECONDS_WITHIN.of(bound): 1,
    }
    assert bound in STORE_BOUND_NAMES


async def test_what_a_broker_brings_counts_under_its_subscription() -> None:
    tally = MemoryTally(MemoryStore())

    count_messages(tally, "shop", "taken", 2)
    count_delivered(tally, "shop", "accepted", {"view": 3, "buy": 1})

    assert await tally.read() == {
        SUBSCRIPTION_MESSAGES.of("shop", "taken"): 2,
        SUBSCRIPTION_ACTIVITIES.of("shop", "accepted"): 4,
    }


async def test_a_client_that_was_cut_counts_under_its_reason() -> None:
    tally = MemoryTally(MemoryStore())

    count_cut(tally, "silent")

    assert await tally.read() == {CLIENTS_CUT.of("silent"): 1}


def test_what_came_back_out_of_a_dead_letter_was_not_received_again_and_what_is_buried_was_not_processed() -> None:
    figures = QueueFigures(
        accepted=7, duplicates=1, settled=6, dead_letters=1, backlog=1, backlog_bytes=100, buried=2, retried=2
    )

    assert (figures.received, figures.processed) == (5, 4)


@pytest.mark.parametrize(("timed", "average"), [(0, 0.0), (4, 0.75)])
def test_the_average_wait_is_that_of_what_was_timed(timed: int, average: float) -> None:
    figures = QueueFigures(
        accepted=4, duplicates=0, settled=4, dead_letters=0, backlog=0, backlog_bytes=0, waited=3.0, timed=timed
    )

    assert figures.average_wait == average
