"""What Imports promises, and what ActivityStore does for an import, over memory, SQLite and PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest

from app.application.ports.imports import Import, ImportBeingUndoneError, ImportState, ImportUndoneError, NewImport
from tests.support.activity_backends import ActivityBackend
from tests.support.builders import NOW, an_activity

ONE = NewImport("digest one", "one.csv", "csv who=user_id")
OTHER = NewImport("digest other", "other.csv", "csv")
LATER = NOW + timedelta(hours=1)


async def test_an_import_goes_on_by_its_mark(activity_backend: ActivityBackend) -> None:
    imports = activity_backend.imports()
    begun = await imports.begin(ONE, NOW)
    await imports.mark(begun.import_id, 10)
    await imports.mark(begun.import_id, 20)

    again, other = await imports.begin(ONE, LATER), await imports.begin(OTHER, LATER)

    assert (begun.rows_done, again.rows_done, other.rows_done) == (0, 20, 0)
    assert again.import_id == begun.import_id != other.import_id
    assert [one.mark for one in await imports.newest(10)] == ["digest other", "digest one"]
    assert [one.mark for one in await imports.newest(1)] == ["digest other"]


async def test_an_import_is_remembered_with_all_that_is_known_of_it(activity_backend: ActivityBackend) -> None:
    imports = activity_backend.imports()
    begun = await imports.begin(ONE, NOW)
    store = activity_backend.store()
    await store.store([an_activity(1, at=NOW - timedelta(days=3))], begun.import_id)
    await store.store([an_activity(2, at=NOW), an_activity(1)], begun.import_id)
    await store.store([an_activity(2)], begun.import_id)
    await imports.mark(begun.import_id, 4)
    await imports.finish(begun.import_id, LATER)

    day = NOW.toordinal() - 719_163
    assert await imports.newest(10) == [
        Import(begun.import_id, *ONE, NOW, LATER, 4, 2, ImportState.FINISHED, day - 3, day)
    ]


async def test_an_import_that_begins_again_is_not_finished(activity_backend: ActivityBackend) -> None:
    imports = activity_backend.imports()
    begun = await imports.begin(ONE, NOW)
    await imports.finish(begun.import_id, NOW)

    await imports.begin(ONE, LATER)

    (one,) = await imports.newest(10)
    assert (one.state, one.begun_at, one.ended_at) == (ImportState.BEGUN, NOW, None)


async def test_two_that_begin_one_import_at_once_share_it(activity_backend: ActivityBackend) -> None:
    imports = activity_backend.imports()

    begun = await asyncio.gather(*(imports.begin(ONE, NOW) for _ in range(4)))

    assert len({one.import_id for one in begun}) == len(await imports.newest(10)) == 1


async def test_an_import_that_was_undone_takes_nothing_more(activity_backend: ActivityBackend) -> None:
    imports, store = activity_backend.imports(), activity_backend.store()
    begun = await imports.begin(ONE, NOW)
    await imports.mark(begun.import_id, 1)
    await activity_backend.undo(begun.import_id)

    with pytest.raises(ImportUndoneError):
        await store.store([an_activity(1)], begun.import_id)
    await imports.mark(begun.import_id, 2)
    await imports.finish(begun.import_id, LATER)

    assert await activity_backend.stats().totals() == []
    (one,) = await imports.newest(10)
    assert (one.state, one.rows, one.stored, one.ended_at) == (ImportState.UNDONE, 1, 0, None)


async def test_a_file_whose_import_was_undone_begins_another(activity_backend: ActivityBackend) -> None:
    imports = activity_backend.imports()
    first = await imports.begin(ONE, NOW)
    await imports.mark(first.import_id, 7)
    await activity_backend.undo(first.import_id)

    second = await imports.begin(ONE, LATER)

    assert second.import_id > first.import_id
    assert second.rows_done == 0
    assert [one.state for one in await imports.newest(10)] == [ImportState.BEGUN, ImportState.UNDONE]


async def test_what_the_doors_bring_is_of_no_import(activity_backend: ActivityBackend) -> None:
    begun = await activity_backend.imports().begin(ONE, NOW)
    store = activity_backend.store()
    await store.store([an_activity(1)])

    assert await store.store([an_activity(1)], begun.import_id) == 0

    (one,) = await activity_backend.imports().newest(1)
    assert (one.stored, one.first_day) == (0, None)


async def test_an_import_that_is_being_undone_takes_nothing_more_and_its_file_waits(
    activity_backend: ActivityBackend,
) -> None:
    imports, undone = activity_backend.imports(), activity_backend.undone_imports()
    begun = await imports.begin(ONE, NOW)
    await imports.mark(begun.import_id, 10)

    await undone.begin_undo(begun.import_id)

    with pytest.raises(ImportUndoneError):
        await activity_backend.store().store([an_activity(1)], begun.import_id)
    with pytest.raises(ImportBeingUndoneError, match=f"imports undo {begun.import_id}"):
        await imports.begin(ONE, NOW)
    await imports.mark(begun.import_id, 20)
    await imports.finish(begun.import_id, LATER)
    found = await undone.find(begun.import_id)
    assert found is not None
    assert (found.state, found.rows, found.ended_at) == (ImportState.UNDOING, 10, None)
    await undone.end_undo(begun.import_id)
    again = await imports.begin(ONE, LATER)
    assert (again.import_id, again.rows_done) == (begun.import_id + 1, 0)


async def test_an_import_that_never_was_is_not_found(activity_backend: ActivityBackend) -> None:
    assert await activity_backend.undone_imports().find(7) is None
