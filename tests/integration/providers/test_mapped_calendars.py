"""Calendars by the kind `mapped`: what their events become, and that they say more on another day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.icalendar.lines import MAX_LINE
from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.adapters.outbound.providers.mapped.mistakes import InvalidMappingError
from app.application.ports.providers import FeedBrokenError, FeedMark, FeedRefusedError, FeedUnchanged
from app.domain.feeds import Rejection, RejectionReason, Tombstone
from app.domain.plans import Place, PlanKey, PlanStatus
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from tests.support.calendars import NOW, a_calendar, an_event
from tests.support.feed_server import FeedServer, validating
from tests.support.fetched import fetched
from tests.support.fixed_clock import FixedClock
from tests.support.mapped_feeds import Read, read_all
from tests.support.sync_world import SyncWorld

CALENDAR: dict[str, Any] = {"format": "icalendar", "horizon": 5}
DAILY = an_event("DTSTART:20261001T190000", "DURATION:PT2H", "RRULE:FREQ=DAILY", "SUMMARY:Daily", uid="daily")
ONE = an_event("DTSTART:20261003T190000", "SUMMARY:One", uid="one")
TOMORROW = 24 * 3_600.0


def a_provider(url: str, clock: FixedClock | None = None, kept: Path | None = None, **options: Any) -> MappedProvider:
    return MappedProvider(
        name="calendar",
        url=url,
        timezone="Europe/Madrid",
        options=CALENDAR | options,
        get=PinnedGet(policy=AddressPolicy(allow_private_networks=True)),
        clock=clock or FixedClock(NOW),
        kept=kept,
    )


async def read(folder: Path, *components: str, **options: Any) -> Read:
    path = folder / "feed.ics"
    path.write_bytes(a_calendar(*components))
    return await read_all(await fetched(a_provider(path.as_uri(), **options)))


async def test_an_event_becomes_a_plan_without_a_mapping(tmp_path: Path):
    event = an_event(
        *("DTSTART;TZID=Europe/Helsinki:20261005T190000", "DTEND;TZID=Europe/Helsinki:20261005T210000"),
        *("SUMMARY:Late\\, loud", "LOCATION:Hall 2", "URL:https://example.com/1", "CATEGORIES:Jazz,Pop"),
        uid="one@example.com",
    )

    found = await read(tmp_path, event)

    plan, details = found.plan, found.plan.details
    assert details
    assert plan.key == PlanKey("calendar", "one@example.com", "one@example.com")
    assert (plan.title, plan.timezone) == ("Late, loud", "Europe/Helsinki")
    assert (plan.starts, plan.ends) == (datetime(2026, 10, 5, 19), datetime(2026, 10, 5, 21))  # noqa: DTZ001 - wall clocks
    assert (details.status, details.url, details.category) == (PlanStatus.SCHEDULED, "https://example.com/1", "Jazz")
    assert details.place == Place(name="Hall 2")
    assert found.rejections == []
    assert found.ignored == {}


async def test_occurrences_are_items_of_their_series_by_their_original_start(tmp_path: Path):
    series = an_event("DTSTART:20261001T190000", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:Series", uid="series")
    moved = an_event("RECURRENCE-ID:20261002T190000", "DTSTART:20261002T210000", "SUMMARY:Moved", uid="series")
    cancelled = an_event(
        *("RECURRENCE-ID:20261003T190000", "DTSTART:20261003T190000", "SUMMARY:Series", "STATUS:CANCELLED"),
        uid="series",
    )

    found = await read(tmp_path, series, moved, cancelled)

    assert [(plan.key.item_id, plan.title, plan.starts.hour) for plan in found.plans] == [
        *(("20261001T190000", "Series", 19), ("20261002T190000", "Moved", 21), ("20261003T190000", "Series", 19))
    ]
    assert [plan.details and plan.details.status for plan in found.plans] == [None, None, PlanStatus.CANCELLED]


async def test_the_night_that_has_an_hour_twice_is_told_to_the_instant(tmp_path: Path):
    late = an_event("DTSTART:20261025T023000", "DURATION:PT1H", "SUMMARY:Late", uid="late")

    plan = (await read(tmp_path, late)).plan

    assert (plan.starts_at, plan.ends_at) == (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )


async def test_whole_days_end_with_their_last(tmp_path: Path):
    plan = (
        await read(tmp_path, an_event("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261026", "SUMMARY:Days"))
    ).plan

    assert (plan.starts.date().isoformat(), plan.start_has_time) == ("2026-10-24", False)
    assert plan.ends
    assert (plan.ends.date().isoformat(), plan.end_has_time) == ("2026-10-25", False)


async def test_a_mapping_may_name_properties_parameters_and_parts(tmp_path: Path):
    event = an_event(
        *(
            "DTSTART:20261005T190000",
            "SUMMARY:One",
            "GEO:60.17;24.94",
            "X-PRICE:20",
            'ORGANIZER;CN="Club, Inc":mailto:a@b',
        ),
        uid="one",
    )
    fields = {
        "price": "x-price",
        "organizer_id": "ORGANIZER;CN",
        "place": {"name": "LOCATION", "latitude": "GEO/latitude", "longitude": "GEO/longitude"},
    }

    plan = (await read(tmp_path, event, fields=fields)).plan

    assert (str(plan.price), plan.organizer_id) == ("20.00", "Club, Inc")
    assert plan.details
    assert plan.details.place == Place(latitude=60.17, longitude=24.94)


async def test_conditions_ask_for_properties(tmp_path: Path):
    cancelled = an_event("DTSTART:20261005T190000", "SUMMARY:Off", "STATUS:CANCELLED", uid="off")

    passed = await read(tmp_path, ONE, cancelled, where={"path": "STATUS", "not": "CANCELLED"})
    buried = await read(tmp_path, ONE, cancelled, deleted={"path": "STATUS", "equals": "CANCELLED"})

    assert ([plan.title for plan in passed.plans], passed.passed_over) == (["One"], 1)
    assert [record.key.base_id for record in buried.records if isinstance(record, Tombstone)] == ["off"]


@pytest.mark.parametrize("path", ["SUM MARY", "SUMMARY/latitude", "GEO/altitude", "GEO;", "@id"])
def test_a_path_that_is_none_is_a_mistake_at_the_start(path: str):
    with pytest.raises(InvalidMappingError, match="expected a property such as SUMMARY"):
        a_provider("file:///feed.ics", fields={"title": path})


def test_zones_and_records_are_mistakes_at_the_start():
    zones = {"zones": {"each": "X-ZONE", "fields": {"price": "X-PRICE"}}}

    with pytest.raises(InvalidMappingError, match="expected no zones"):
        a_provider("file:///feed.ics", fields=zones)
    with pytest.raises(InvalidMappingError, match="records"):
        a_provider("file:///feed.ics", records="VEVENT")


async def test_a_broken_event_names_its_base_and_a_broken_override_its_item(tmp_path: Path):
    series = an_event("DTSTART:20261001T190000", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:Series", uid="series")
    override = an_event("RECURRENCE-ID:20261002T190000", "DTSTART:x", uid="series")
    nameless = an_event("DTSTART:x", uid=None)

    found = await read(tmp_path, an_event("DTSTART:x", uid="broken"), series, override, nameless)

    assert [(one.reason, one.key, one.base_id) for one in found.rejections] == [
        (RejectionReason.INVALID_DATE, None, "broken"),
        (RejectionReason.INVALID_DATE, PlanKey("calendar", "series", "20261002T190000"), None),
        (RejectionReason.INVALID_DATE, None, None),
    ]
    assert [plan.key.item_id for plan in found.plans] == ["20261001T190000"]


async def test_a_text_that_is_too_long_costs_its_field(tmp_path: Path):
    event = an_event("DTSTART:20261005T190000", "SUMMARY:One", "LOCATION:" + MAX_LINE * "x", uid="one")

    found = await read(tmp_path, event)

    assert [plan.title for plan in found.plans] == ["One"]
    assert [(part, message.split(",")[0]) for part, message in found.wrong] == [
        ("place.name", "LOCATION is too long to be kept")
    ]


async def test_what_is_no_calendar_is_refused_and_one_without_its_end_is_broken_behind_its_events(tmp_path: Path):
    path = tmp_path / "feed.ics"
    path.write_text("<html></html>")
    refused = await read_all(await fetched(a_provider(path.as_uri())))
    assert isinstance(refused.failure, FeedRefusedError)
    assert "expected BEGIN:VCALENDAR" in str(refused.failure)

    path.write_bytes(a_calendar(ONE).replace(b"END:VCALENDAR", b""))
    broken = await read_all(await fetched(a_provider(path.as_uri())))
    assert isinstance(broken.failure, FeedBrokenError)
    assert "END:VCALENDAR is missing" in str(broken.failure)
    assert len(broken.records) == 1


async def test_other_encodings_are_read_when_somebody_says_which(tmp_path: Path):
    path = tmp_path / "feed.ics"
    path.write_bytes(a_calendar(an_event("DTSTART:20261005T190000", "SUMMARY:Café")).decode().encode("cp1252"))

    wrong = await read_all(await fetched(a_provider(path.as_uri())))
    right = await read_all(await fetched(a_provider(path.as_uri(), encoding="windows-1252")))

    assert [type(record) for record in wrong.records] == [Rejection]
    assert right.plan.title == "Café"


async def test_other_components_are_counted_and_the_window_is_told(tmp_path: Path):
    path = tmp_path / "feed.ics"
    path.write_bytes(a_calendar(ONE, "BEGIN:VTODO\nUID:1\nEND:VTODO"))
    snapshot = await fetched(a_provider(path.as_uri()))
    found = await read_all(snapshot)

    assert (found.ignored, found.unknown) == ({"VTODO": 1}, 0)
    assert snapshot.told_from == NOW - timedelta(days=1)


async def days_of(provider: MappedProvider, since: FeedMark | None) -> tuple[list[int], FeedMark]:
    snapshot = await fetched(provider, since)
    found = await read_all(snapshot)
    return [plan.starts.day for plan in found.plans], snapshot.mark


@pytest.mark.parametrize("is_kept", [True, False])
async def test_an_unchanged_calendar_is_expanded_again_on_another_day(tmp_path: Path, is_kept: bool):
    clock = FixedClock(NOW)
    with FeedServer(validating(a_calendar(DAILY), '"1"')) as server:
        provider = a_provider(server.url, clock, tmp_path / "kept" if is_kept else None)

        first, mark = await days_of(provider, None)
        assert await provider.fetch(mark) is None
        clock.move(TOMORROW)
        second, later = await days_of(provider, mark)
        assert await provider.fetch(later) is None

        assert (first, second) == ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6])
        assert later.etag == '"1"'
        asked = [request.headers.get("if-none-match") for request in server.requests]
        assert asked == [None, '"1"', '"1"', *([] if is_kept else [None]), '"1"']


async def test_a_kept_calendar_is_replaced_by_the_next_one_and_dropped_when_it_recurs_no_more(tmp_path: Path):
    kept, feed = tmp_path / "kept", tmp_path / "feed.ics"
    provider = a_provider(feed.as_uri(), kept=kept)
    sizes = []
    for components in ([DAILY], [DAILY, ONE], [ONE]):
        feed.write_bytes(a_calendar(*components))
        await read_all(await fetched(provider))
        sizes.append([path.stat().st_size for path in kept.iterdir()])

    assert sizes == [[len(a_calendar(DAILY))], [len(a_calendar(DAILY, ONE))], []]
    assert kept.stat().st_mode & 0o777 == 0o700


async def test_a_calendar_without_recurrences_is_not_read_again():
    clock = FixedClock(NOW)
    with FeedServer(validating(a_calendar(ONE), '"1"')) as server:
        provider = a_provider(server.url, clock)
        _, mark = await days_of(provider, None)
        clock.move(TOMORROW)

        assert await provider.fetch(mark) is None


async def test_the_newest_validators_are_kept_when_the_calendar_is_the_same(tmp_path: Path):
    clock = FixedClock(NOW)
    with FeedServer(validating(a_calendar(DAILY), '"1"')) as server:
        provider = a_provider(server.url, clock, tmp_path / "kept")
        _, mark = await days_of(provider, None)
        server.answers(validating(a_calendar(DAILY), '"2"'))

        same = await provider.fetch(mark)
        assert isinstance(same, FeedUnchanged)
        clock.move(TOMORROW)
        _, later = await days_of(provider, same.mark)

        assert (same.mark.etag, later.etag) == ('"2"', '"2"')


async def test_a_kept_calendar_that_somebody_deleted_is_fetched_anew(tmp_path: Path):
    clock = FixedClock(NOW)
    with FeedServer(validating(a_calendar(DAILY), '"1"')) as server:
        provider = a_provider(server.url, clock, tmp_path / "kept")
        _, mark = await days_of(provider, None)
        for path in (tmp_path / "kept").iterdir():
            path.unlink()
        clock.move(TOMORROW)

        days, _ = await days_of(provider, mark)

    assert len(days) == 6


async def test_what_the_window_leaves_behind_stays_and_what_the_calendar_takes_back_is_withdrawn(tmp_path: Path):
    world = SyncWorld(clock=FixedClock(NOW))
    series = DAILY.replace("RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY\nEXDATE:{}")
    with FeedServer(validating(a_calendar(series.format("20250101T190000")), '"1"')) as server:
        world.configured = replace(world.configured, source=a_provider(server.url, world.clock, tmp_path / "kept"))
        first = await world.sync()
        assert (await world.sync()).outcome is SyncOutcome.UNCHANGED
        world.clock.move(3 * TOMORROW)
        second = await world.sync()
        server.answers(validating(a_calendar(series.format("20261006T190000")), '"2"'))
        third = await world.sync()

    assert [report.changes for report in (first, second, third)] == [
        *({ChangeKind.LISTED: 5}, {ChangeKind.LISTED: 3}, {ChangeKind.WITHDRAWN: 1})
    ]
    assert sum(known.in_feed for known in (await world.catalog.known(world.name)).values()) == 7
