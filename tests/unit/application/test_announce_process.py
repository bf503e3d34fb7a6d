"""A process says that it runs, whether somebody hears it or not."""

import asyncio

import pytest

from app.application.announce_process import AnnounceProcess
from app.application.ports.figures import RunningProcess
from tests.fakes.presence import MemoryPresence
from tests.fakes.store import MemoryStore
from tests.support.builders import NOW


async def test_whoever_announces_does_not_mind_a_store_that_is_away():
    store = MemoryStore()
    store.unavailable = "away"
    process = RunningProcess("a", "api", NOW)
    announcing = asyncio.create_task(AnnounceProcess(MemoryPresence(store), process)())
    await asyncio.sleep(0.05)

    assert not announcing.done()
    announcing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await announcing
