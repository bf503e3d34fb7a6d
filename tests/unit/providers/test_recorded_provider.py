"""The kind `recorded`, with the demo's three responses."""

from pathlib import Path

import pytest

from app.adapters.outbound.providers.contract import RecordingWatcher, a_plan
from app.adapters.outbound.providers.demo import RESPONSES as DEMO
from app.adapters.outbound.providers.recorded import RecordedProvider
from app.application.ports.providers import FeedMark, FeedRefusedError, FeedSnapshot, FeedUnavailableError
from app.domain.feeds import PlanRecord
from tests.support.feeds import a_feed


def demo(timezone: str = "Europe/Madrid") -> RecordedProvider:
    return RecordedProvider(name="demo", files=DEMO, timezone=timezone)


async def keys_of(snapshot: FeedSnapshot | None) -> list[str]:
    assert snapshot
    try:
        records = [record async for batch in snapshot.records() for record in batch]
    finally:
        await snapshot.aclose()
    return [record.plan.key.base_id for record in records if isinstance(record, PlanRecord)]


async def test_each_sync_gets_the_next_file_and_stays_on_the_last():
    provider, mark = demo(), None
    seen = []
    for _ in range(3):
        snapshot = await provider.fetch(mark)
        assert snapshot
        seen.append((await keys_of(snapshot), snapshot.more))
        mark = snapshot.mark

    assert seen == [(["291", "322", "322", "1591"], True), (["291", "1591"], True), (["291", "1591"], False)]
    assert await provider.fetch(mark) is None
    assert await provider.fetch(mark) is None


async def test_a_sync_that_failed_meets_the_same_file_again():
    provider = demo()
    first = await provider.fetch(None)
    assert first
    await keys_of(first)

    second = await keys_of(await provider.fetch(first.mark))
    again = await keys_of(await provider.fetch(first.mark))

    assert second == again == ["291", "1591"]


async def test_a_mark_says_the_position_and_survives_another_process():
    snapshot = await demo().fetch(None)
    assert snapshot
    await snapshot.aclose()

    assert snapshot.mark.position == "1/3"
    assert (await keys_of(await demo().fetch(FeedMark(position="1/3")))) == ["291", "1591"]


async def test_the_last_file_is_read_again_when_it_was_not_settled():
    snapshot = await demo().fetch(FeedMark(position="2/3"))
    assert snapshot
    await snapshot.aclose()

    assert await demo().fetch(snapshot.mark) is None
    assert await keys_of(await demo().fetch(snapshot.mark.unsettled())) == ["291", "1591"]


async def test_the_last_file_is_read_again_when_it_changes(tmp_path: Path):
    file = tmp_path / "1.xml"
    file.write_bytes(a_feed([a_plan("1")]))
    provider = RecordedProvider(name="contract", files=[file], timezone="UTC")
    first = await provider.fetch(None)
    assert first
    await first.aclose()

    file.write_bytes(a_feed([a_plan("1"), a_plan("2")]))

    assert await keys_of(await provider.fetch(first.mark)) == ["base-1", "base-2"]


async def test_the_last_file_is_read_again_in_another_time_zone():
    last = FeedMark(content=None)
    for _ in range(3):
        snapshot = await demo().fetch(last)
        assert snapshot
        await snapshot.aclose()
        last = snapshot.mark

    assert await demo().fetch(last) is None
    assert await keys_of(await demo("Atlantic/Canary").fetch(last)) == ["291", "1591"]


async def test_a_list_that_grew_goes_on_and_one_that_shrank_stays_on_its_last():
    two = RecordedProvider(name="demo", files=DEMO[:2], timezone="Europe/Madrid")
    mark = None
    for _ in range(2):
        snapshot = await two.fetch(mark)
        assert snapshot
        await snapshot.aclose()
        mark = snapshot.mark

    third = await demo().fetch(mark)
    assert third
    await third.aclose()
    one = RecordedProvider(name="demo", files=DEMO[:1], timezone="Europe/Madrid")

    assert third.mark.position == "3/3"
    assert await keys_of(await one.fetch(mark)) == ["291", "322", "322", "1591"]


async def test_a_missing_file_is_unavailable_and_named(tmp_path: Path):
    provider = RecordedProvider(name="demo", files=[tmp_path / "gone.xml"], timezone="UTC")

    with pytest.raises(FeedUnavailableError, match=r"gone\.xml"):
        await provider.fetch(None)


async def test_a_file_that_is_no_feed_is_refused(tmp_path: Path):
    (tmp_path / "1.xml").write_text("<html/>")
    snapshot = await RecordedProvider(name="demo", files=[tmp_path / "1.xml"], timezone="UTC").fetch(None)

    with pytest.raises(FeedRefusedError, match="found html"):
        await keys_of(snapshot)


async def test_a_watcher_sees_bytes_and_records():
    watcher = RecordingWatcher()

    snapshot = await demo().fetch(None, watcher)
    await keys_of(snapshot)

    assert watcher.received == [DEMO[0].stat().st_size]
    assert watcher.records[-1] == 4


def test_a_list_without_files_is_known_at_the_start():
    with pytest.raises(ValueError, match="at least one file"):
        RecordedProvider(name="demo", files=[], timezone="UTC")


async def test_what_a_file_said_is_remembered_in_the_next(tmp_path: Path):
    files = [DEMO[2], DEMO[2]]
    provider = RecordedProvider(name="demo", files=files, timezone="Europe/Madrid", readings=tmp_path / "demo")
    kinds, mark = [], None
    for _ in files:
        snapshot = await provider.fetch(mark)
        assert snapshot
        kinds.append([type(record).__name__ async for batch in snapshot.records() for record in batch])
        await snapshot.aclose()
        mark = snapshot.mark

    assert kinds == [["PlanRecord", "PlanRecord", "Rejection"], ["RememberedRecord", "RememberedRecord", "Rejection"]]
