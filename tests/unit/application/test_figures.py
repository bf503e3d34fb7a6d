import pytest

from app.application.figures import (
    STORE_BOUND_NAMES,
    STORE_SECONDS,
    STORE_SECONDS_WITHIN,
    STORED_ACTIVITIES,
    STORED_BATCHES,
    count_stored,
)
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
