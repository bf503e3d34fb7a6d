"""The doors hear of types that came into the history past them."""

import asyncio
from datetime import UTC
from uuid import UUID

from app.adapters.inbound.worker.timed_loops import TypeLoop
from app.application import note_types
from app.application.note_types import NoteTypes
from app.domain.activities import Activity
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_types import MemoryActivityTypes
from tests.fakes.leases import MemoryLeases
from tests.fakes.store import MemoryStore
from tests.support.builders import NOW
from tests.support.running_loops import running


async def a_history(types: int) -> MemoryActivityStore:
    store = MemoryActivityStore(UTC)
    await store.store([Activity(UUID(int=number), f"t{number:04}", NOW) for number in range(types)])
    return store


async def test_all_types_are_noted_a_page_at_a_time() -> None:
    types = MemoryActivityTypes(3)
    note = NoteTypes(await a_history(note_types.PAGE + 1), types)

    assert await note() == note_types.PAGE + 1
    assert set(await types.refused(["t0000", "t1000", "new"])) == {"new"}


async def test_doors_that_know_as_many_are_left_alone() -> None:
    types = MemoryActivityTypes(10)
    await types.note(["a", "b"])

    assert await NoteTypes(await a_history(2), types)() == 0
    assert await types.size() == 2


async def test_a_worker_notes_them_for_ever() -> None:
    types, history = MemoryActivityTypes(10), await a_history(1)
    async with running(TypeLoop(note=NoteTypes(history, types), leases=MemoryLeases(MemoryStore()), every=0.01)):
        for number in (1, 2):
            async with asyncio.timeout(10):
                while await types.size() < number:  # noqa: ASYNC110 - a set tells nobody
                    await asyncio.sleep(0.01)
            await history.store([Activity(UUID(int=100 + number), f"u{number}", NOW)])
