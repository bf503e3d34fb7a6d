"""Activities are taken out slice by slice, and looked at page by page."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.application.export_activities import ExportActivities
from app.application.list_activities import ListActivities, position_of
from app.application.ports.activity_archive import LineForm, Lines, Slice, UnknownPlaceError, WantedActivities
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import Activity
from app.domain.activity_spans import ActivitySpan
from tests.fakes.activity_archive import MemoryActivityArchive
from tests.support.builders import NOW, an_activity

ALL = ActivitySpan()


def stored(number: int) -> list[Activity]:
    return [an_activity(one, at=NOW + timedelta(minutes=one)) for one in range(number)]


@pytest.mark.parametrize("ahead", [0, 1, 5])
async def test_everything_is_handed_out_in_order(ahead: int) -> None:
    archive = MemoryActivityArchive(stored(10))

    exported = [one async for one in ExportActivities(archive, ahead)(ALL, LineForm.NDJSON)]

    whole = await MemoryActivityArchive(stored(10), rows=10).lines(ALL, Slice("0", "10"), LineForm.NDJSON)
    assert "".join(one.content.text for one in exported) == whole.text
    assert sum(one.content.number for one in exported) == 10


async def test_an_export_goes_on_behind_a_place() -> None:
    archive = MemoryActivityArchive(stored(10))
    export = ExportActivities(archive)

    whole = [one async for one in export(ALL, LineForm.CSV)]
    rest = [one async for one in export(ALL, LineForm.CSV, whole[1].place)]

    assert rest == whole[2:]


async def test_the_next_slices_are_read_before_they_are_asked_for() -> None:
    archive = MemoryActivityArchive(stored(30))

    exported = ExportActivities(archive, ahead=2)(ALL, LineForm.NDJSON)
    await anext(exported)
    await asyncio.sleep(0)

    assert len(archive.asked) == 3
    await exported.aclose()
    assert len(archive.asked) == 3


async def test_whoever_leaves_ends_what_was_being_read() -> None:
    class Slow(MemoryActivityArchive):
        ended = 0

        async def lines(self, span: ActivitySpan, wanted: Slice, form: LineForm) -> Lines:
            if wanted.begin != "0":
                try:
                    await asyncio.sleep(60)
                finally:
                    self.ended += 1
            return await super().lines(span, wanted, form)

    archive = Slow(stored(30))
    exported = ExportActivities(archive, ahead=2)(ALL, LineForm.NDJSON)
    await anext(exported)
    await asyncio.sleep(0)

    await exported.aclose()

    assert archive.ended == 2


async def test_a_history_that_goes_away_ends_it() -> None:
    archive = MemoryActivityArchive(stored(10))
    exported = ExportActivities(archive, ahead=0)(ALL, LineForm.NDJSON)
    await anext(exported)
    archive.unavailable = "the disk is gone"

    with pytest.raises(HistoryUnavailableError):
        await anext(exported)


async def test_activities_themselves_are_handed_out_too() -> None:
    export = ExportActivities(MemoryActivityArchive(stored(7)))
    span = ActivitySpan(NOW + timedelta(minutes=1), NOW + timedelta(minutes=6))

    found: list[Activity] = []
    async for one in export.records(span):
        found += one.content

    assert found == stored(7)[1:6]


async def listed(archive: MemoryActivityArchive, limit: int) -> Sequence[Sequence[Activity]]:
    pages, wanted = [], WantedActivities(ALL)
    while True:
        page = await ListActivities(archive)(wanted, limit)
        pages.append(page.activities)
        if page.next is None:
            return pages
        wanted = WantedActivities(ALL, before=page.next)


async def test_a_page_goes_on_behind_its_last_activity() -> None:
    newest = stored(5)[::-1]

    assert await listed(MemoryActivityArchive(stored(5)), 2) == [newest[:2], newest[2:4], newest[4:]]


async def test_a_page_that_looked_far_enough_goes_on_where_it_stopped() -> None:
    days = [an_activity(1, at=NOW), an_activity(2, at=NOW - timedelta(days=3))]

    assert await listed(MemoryActivityArchive(days, days=1), 5) == [[days[0]], [days[1]]]


def test_a_position_is_an_instant_and_an_id() -> None:
    assert position_of(an_activity(3)) == (NOW, an_activity(3).activity_id)


def test_a_place_of_another_database_is_named() -> None:
    assert str(UnknownPlaceError("x" * 200)).startswith(f"'{'x' * 100}' is no place in this database")
