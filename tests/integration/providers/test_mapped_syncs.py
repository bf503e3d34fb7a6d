"""Mapped feeds over several syncs, and large ones."""

import json
import tracemalloc
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
import yaml

from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.application.ports.providers import FeedMark
from app.domain.feeds import PlanRecord, RememberedRecord
from app.infrastructure.settings.configuration import load_settings
from app.infrastructure.settings.start_errors import ConfigurationError
from app.infrastructure.startup.mapping_warnings import mapping_warnings
from app.infrastructure.wiring.provider_directory import check_providers
from tests.support.fetched import fetched
from tests.support.mapped_feeds import Read, a_mapped, a_mapping, read_all

NIGHTS, ZONES = 365, 100
MIB = 1024 * 1024


def write_json(path: Path, *titles: str) -> None:
    rows = [
        {"base_id": "b", "item_id": str(number), "title": title, "starts": "2026-07-01T20:00", "left": 5}
        for number, title in enumerate(titles)
    ]
    path.write_text(json.dumps({"events": rows}))


async def synced(
    path: Path, options: dict[str, Any], since: FeedMark | None = None, **how: Any
) -> tuple[Read, FeedMark]:
    snapshot = await fetched(a_mapped(path, options, **how), since)
    return await read_all(snapshot), snapshot.mark


async def test_a_mapping_that_changes_reads_the_same_document_again_and_ids_stay(tmp_path: Path):
    path = tmp_path / "feed.json"
    write_json(path, "One", "Two")
    before, mark = await synced(path, a_mapping("json"))
    assert await a_mapped(path, a_mapping("json")).fetch(mark) is None

    after, _ = await synced(path, a_mapping("json", {"category": {"value": "jazz"}}), mark)
    elsewhere, _ = await synced(path, a_mapping("json"), mark, timezone="Europe/Helsinki")

    assert [plan.plan_id for plan in after.plans] == [plan.plan_id for plan in before.plans]
    assert [plan.plan_id for plan in elsewhere.plans] == [plan.plan_id for plan in before.plans]
    assert [plan.details is None for plan in (*before.plans, *after.plans)] == [True, True, False, False]


def a_season(path: Path) -> int:
    """A theatre's season as one base: each night with all its zones."""
    zones = "".join(f'<zone id="{zone}" left="5" cost="{zone}.50" name="Row {zone}"/>' for zone in range(ZONES))
    with path.open("w", encoding="utf-8") as out:
        out.write('<season><show id="7" title="The ghost">')
        for night in range(NIGHTS):
            day = date(2026, 1, 1) + timedelta(days=night)
            out.write(
                f'<night id="{night}" begins="{day}T23:00:00" ends="{day + timedelta(days=1)}T02:00:00">{zones}</night>'
            )
        out.write("</show></season>")
    return path.stat().st_size


async def test_a_season_of_365_nights_with_100_zones_each_is_read_in_little_memory(tmp_path: Path):
    path = tmp_path / "season.xml"
    size = a_season(path)
    fields = {
        "base_id": "../@id",
        "item_id": "@id",
        "title": "../@title",
        "starts": "@begins",
        "ends": "@ends",
        "zones": {"each": "zone", "fields": {"zone_id": "@id", "capacity": "@left", "price": "@cost", "name": "@name"}},
    }
    options = a_mapping("xml", fields, records="/season/show/night")
    snapshot = await fetched(a_mapped(path, options))
    plans = zones = 0

    tracemalloc.start()
    async for batch in snapshot.records():
        plans += sum(isinstance(record, PlanRecord) for record in batch)
        zones += sum(len(record.plan.zones) for record in batch if isinstance(record, PlanRecord))
        assert all(
            record.plan.ends and record.plan.ends > record.plan.starts
            for record in batch
            if isinstance(record, PlanRecord)
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await snapshot.aclose()

    assert (plans, zones) == (NIGHTS, NIGHTS * ZONES)
    assert size > MIB
    assert peak < 12 * MIB


@pytest.mark.parametrize("kind", ["xml", "json", "ndjson", "csv"])
async def test_memory_does_not_follow_the_size_of_a_feed(tmp_path: Path, kind: str):
    path = tmp_path / "feed"
    fill = "x" * 2_000
    rows = (
        {"base_id": "b", "item_id": str(n), "title": "t", "starts": "2026-07-01", "note": fill} for n in range(4_000)
    )
    with path.open("w", encoding="utf-8") as out:
        match kind:
            case "xml":
                out.write("<f>")
                out.writelines(
                    f"<event {' '.join(f'{name}={quoteattr(said)}' for name, said in row.items())}/>" for row in rows
                )
                out.write("</f>")
            case "json":
                out.write('{"events": [')
                out.writelines(f"{',' if row['item_id'] != '0' else ''}{json.dumps(row)}" for row in rows)
                out.write("]}")
            case "ndjson":
                out.writelines(f"{json.dumps(row)}\n" for row in rows)
            case _:
                out.write("base_id,item_id,title,starts,note\n")
                out.writelines(f"{','.join(row.values())}\n" for row in rows)
    snapshot = await fetched(a_mapped(path, a_mapping(kind)))
    plans = 0

    tracemalloc.start()
    async for batch in snapshot.records():
        plans += sum(isinstance(record, PlanRecord) for record in batch)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await snapshot.aclose()

    assert plans == 4_000
    assert path.stat().st_size > 8_000_000
    assert peak < 6 * MIB


def a_configuration(path: Path, *options: dict[str, Any]) -> Path:
    providers = [
        {"name": f"p{number}", "kind": "mapped", "url": "https://x.example/feed", "options": said}
        for number, said in enumerate(options)
    ]
    path.write_text(yaml.safe_dump({"providers": providers}))
    return path


def test_mistakes_of_all_mappings_stop_the_start_with_a_line_each(tmp_path: Path):
    file = a_configuration(
        tmp_path / "config.yaml",
        a_mapping("json", {"title": "name"}),
        a_mapping("xml"),
        a_mapping("csv", records="//x"),
    )

    with pytest.raises(ConfigurationError) as caught:
        check_providers(load_settings(file))

    assert caught.value.exit_code == 78
    first, second = caught.value.mistakes
    assert first.startswith("providers.p0: options.fields.title: 'name': expected a JSONPath")
    assert second.startswith("providers.p2: options.records: '//x': expected none")


def test_a_mapping_needs_a_url(tmp_path: Path):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"providers": [{"name": "p", "kind": "mapped", "options": a_mapping("csv")}]}))

    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)

    assert "kind 'mapped' needs an http://, https:// or file:// URL" in str(caught.value)


def test_a_mapping_without_an_item_id_is_warned_of_at_the_start(tmp_path: Path):
    settings = load_settings(a_configuration(tmp_path / "config.yaml", a_mapping("csv", {"item_id": None})))

    [warning] = mapping_warnings(settings.providers[0])

    assert "item_id is not mapped" in warning


@pytest.mark.parametrize("kind", ["json", "ndjson", "csv"])
async def test_records_of_the_same_bytes_are_remembered_and_changed_or_faulty_ones_read(tmp_path: Path, kind: str):
    path, readings = tmp_path / "feed", tmp_path / "readings"
    options = a_mapping(
        kind, {"sell_to": "$.until" if kind == "json" else "until", "category": "$.x" if kind == "json" else "x"}
    )

    def write(*titles: str) -> None:
        rows = [
            {"base_id": "b", "item_id": str(n), "title": title, "starts": "2026-07-01", "until": "x" if n == 2 else ""}
            for n, title in enumerate(titles)
        ]
        match kind:
            case "json":
                path.write_text(json.dumps({"events": rows}))
            case "ndjson":
                path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            case _:
                path.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]))

    async def read_with_memory(changed: dict[str, Any] | None = None) -> Read:
        provider = MappedProvider(
            name="mapped", url=path.as_uri(), timezone="UTC", options=changed or options, readings=readings
        )
        return await read_all(await fetched(provider))

    write("One", "Two", "Three")
    first = await read_with_memory()
    write("One", "Two again", "Three")
    second = await read_with_memory()
    other = await read_with_memory(
        options | {"where": {"path": "title" if kind != "json" else "$.title", "not": "One"}}
    )

    remembered = [record for record in second.records if isinstance(record, RememberedRecord)]
    assert [record.read().plan.title for record in remembered] == ["One"]
    assert [remembered[0].plan_id, remembered[0].digest] == [first.plans[0].plan_id, remembered[0].read().digest]
    assert second.titles == ["Two again", "Three"]
    assert [part for part, _ in second.wrong] == ["sell_to"]
    assert second.ignored == first.ignored != {}
    assert other.titles == ["Two again", "Three"]
