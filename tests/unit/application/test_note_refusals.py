"""What doors did not understand is counted by reason, with samples."""

from app.application.figures import NOT_UNDERSTOOD, SUBSCRIPTION_MESSAGES
from app.application.note_refusals import NoteRefusals, counts_by_reason
from tests.fakes.refused_samples import MemoryRefusedSamples
from tests.fakes.store import MemoryStore
from tests.fakes.tally import MemoryTally
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock


async def test_refusals_are_counted_by_reason_and_the_newest_is_shown() -> None:
    store = MemoryStore()
    tally, samples = MemoryTally(store), MemoryRefusedSamples(store)
    note = NoteRefusals(samples, tally, FixedClock(NOW))

    note("wrong_type", 2, "value: expected a number", b'{"value":true}')
    note("invalid_json", 1, "not JSON")

    counted = {**await tally.read(), SUBSCRIPTION_MESSAGES.of("shop", "taken"): 5.0}
    assert counts_by_reason(counted) == {"invalid_json": 1, "wrong_type": 2}
    assert counted[NOT_UNDERSTOOD.of("wrong_type")] == 2
    found = (await samples.last()).samples
    assert [(one.reason, one.record, one.noted_at) for one in found] == [
        ("invalid_json", "", NOW),
        ("wrong_type", '{"value":true}', NOW),
    ]
