"""`GET /metrics`: what it says, to whom in which form, and at what price; and `/health`, which knows as much."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from app.adapters.inbound.http.describing.accept_header import preference, read_accept
from app.adapters.inbound.http.operations.metrics import OTHER, prefers_text
from app.adapters.inbound.intake.record_form import UNKNOWN
from app.application.figures import CUT_REASONS, count_stored
from app.application.ports.figures import Verification
from app.application.ports.subscriptions import SubscriptionReader
from tests.support.builders import a_plan
from tests.support.operators_world import Edge

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;"
    "q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
OLDER_PROMETHEUS = "application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
async def edge() -> Edge:
    return Edge()


# The figures


async def test_json_has_every_figure(edge: Edge) -> None:
    await edge.live()
    await edge.take_in(5)
    await asyncio.sleep(0.002)
    edge.clock.move(2)
    await edge.see()

    found = await edge.metrics()

    assert 0 < found.pop("average_processing_latency_ms") < 1000
    assert 0 < found.pop("oldest_pending_seconds") < 10
    assert found == {
        "total_users": 4,
        "active_users": 2,
        "deleted_users": 1,
        "events": {
            "events.published": 4,
            "events.failed": 2,
            "users.created": 4,
            "users.updated": 0,
            "users.deleted": 0,
        },
        "events_received": 15,
        "events_processed": 10,
        "events_failed": 0,
        "events_duplicate": 0,
        "current_queue_depth": 5,
        "dead_letters": 0,
        "clients_cut": dict.fromkeys(CUT_REASONS, 0) | {"slow_reader": 2},
        "active_workers": 1,
        "events_per_second": 2.5,
        "uptime_seconds": 162.0,
    }


async def test_what_could_not_be_stored_has_failed_and_is_not_processed(edge: Edge) -> None:
    await edge.take_in(5)
    (batch,) = await edge.inbox.take()
    await edge.inbox.bury(batch, batch.activities[:2], "no room")
    await edge.see()

    found = await edge.metrics()

    assert [found[f"events_{name}"] for name in ("received", "processed", "failed")] == [5, 3, 2]
    assert (found["dead_letters"], found["current_queue_depth"]) == (1, 0)


async def test_what_was_never_seen_is_null(edge: Edge) -> None:
    edge.store.unavailable = edge.access.unavailable = "away"
    await edge.see()

    found = await edge.metrics()

    assert {name for name, value in found.items() if value is None} == {
        *("total_users", "active_users", "deleted_users", "events_received", "events_processed", "events_failed"),
        *("events_duplicate", "average_processing_latency_ms", "current_queue_depth", "oldest_pending_seconds"),
        *("dead_letters", "clients_cut"),
    }
    assert set(found["events"].values()) == {None}
    assert (found["active_workers"], found["events_per_second"], found["uptime_seconds"]) == (0, 0, 0)


async def test_what_was_seen_is_told_while_the_stores_are_away(edge: Edge) -> None:
    await edge.live()
    before = await edge.metrics()
    edge.store.unavailable = edge.access.unavailable = edge.positions.unavailable = "away"
    await edge.see()

    assert await edge.metrics() == before
    samples = await edge.samples()
    assert (samples["marquee_store_up",], samples["marquee_history_up",]) == (0, 0)
    assert samples["marquee_users", "active"] == 2


async def test_a_thousand_calls_render_once_and_ask_nobody(edge: Edge) -> None:
    await edge.live()
    asked = edge.users.asked

    answers = [await edge.get("/metrics") for _ in range(1000)]

    assert edge.users.asked == asked
    assert len({answer.body for answer in answers}) == 1


async def test_text_says_the_same_as_json(edge: Edge) -> None:
    await edge.live()

    found, samples = await edge.metrics(), await edge.samples()

    assert samples["marquee_activities_received_total",] == found["events_received"] == 10
    assert samples["marquee_activities_processed_total",] == found["events_processed"] == 10
    assert samples["marquee_activities_failed_total",] == found["events_failed"]
    assert samples["marquee_activity_backlog",] == found["current_queue_depth"]
    assert samples["marquee_processes", "worker"] == found["active_workers"] == 1
    told, failed = "marquee_domain_events_published_total", "marquee_domain_events_failed_total"
    assert (samples[told, "log"], samples[told, "webhooks"], found["events"]["events.published"]) == (3, 1, 4)
    assert (samples[failed, "log"], samples[failed, "webhooks"], found["events"]["events.failed"]) == (0, 2, 2)
    assert [samples["marquee_webhook_endpoints", state] for state in ("on", "off", "given_up")] == [1, 0, 0]
    assert samples["marquee_user_changes_total", "created"] == found["events"]["users.created"] == 4
    assert [samples["marquee_users", state] for state in ("active", "inactive", "deleted")] == [2, 1, 1]


async def test_the_transactions_of_workers_are_a_histogram(edge: Edge) -> None:
    for seconds in (0.0005, 0.003, 0.004, 60):
        count_stored(edge.tally, 10, seconds)
    await edge.see()

    samples = await edge.samples()

    name = "marquee_activity_store_duration_seconds"
    assert [samples[f"{name}_bucket", bound] for bound in ("0.001", "0.005", "10.0", "+Inf")] == [1, 3, 3, 4]
    assert samples[f"{name}_count",] == samples["marquee_stored_batches_total",] == 4
    assert samples[f"{name}_sum",] == pytest.approx(60.0075)
    assert samples["marquee_stored_activities_total",] == 40


# Types of activities


async def test_what_workers_counted_begins_at_nothing_and_is_not_told_before_it_was_read(edge: Edge) -> None:
    names = ("marquee_stored_batches_total", "marquee_webhook_deliveries_total")
    unseen = await edge.samples()
    await edge.see()
    seen = await edge.samples()

    assert not [name for name in unseen if name[0] in names]
    assert {name[1:]: value for name, value in seen.items() if name[0] in names} == {
        (): 0,
        ("delivered",): 0,
        ("failed",): 0,
        ("given_up",): 0,
    }
    assert seen["marquee_activity_store_duration_seconds_count",] == 0
    assert ("marquee_activity_store_duration_seconds_count",) not in unseen
    assert ("marquee_activity_wait_seconds_count",) not in unseen


async def test_a_provider_that_is_switched_off_has_no_figures(edge: Edge) -> None:
    await edge.syncs.sync_with(a_plan())
    await edge.see()
    assert ("marquee_sync_age_seconds", "demo") in await edge.samples()

    edge.directory.put(replace(edge.syncs.configured, enabled=False))
    await edge.see()

    told = await edge.samples()
    assert not [name for name in told if name[0] in ("marquee_sync_age_seconds", "marquee_circuit_state")]


async def test_only_the_first_hundred_types_have_figures_of_their_own(edge: Edge) -> None:
    await edge.see()
    edge.requests.observe_activities("refused", {UNKNOWN: 1, "never-accepted": 2})
    edge.requests.observe_activities("accepted", {f"type-{number}": 1 for number in range(150)})
    edge.requests.observe_activities("duplicate", {"type-7": 3, "type-140": 4})
    edge.requests.observe_activities("refused", {"type-8": 5})

    samples = {key[1:]: value for key, value in (await edge.samples()).items() if key[0] == "marquee_activities_total"}

    assert len({type_ for _, type_ in samples}) == 102
    assert samples["accepted", "type-99"] == 1
    assert samples["accepted", OTHER] == 50
    assert (samples["duplicate", "type-7"], samples["duplicate", OTHER]) == (3, 4)
    assert (samples["refused", "type-8"], samples["refused", UNKNOWN], samples["refused", OTHER]) == (5, 1, 2)


# The form


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ((), "application/json"),
        (("",), "application/json"),
        (("*/*",), "application/json"),
        (("application/json",), "application/json"),
        (("application/*",), "application/json"),
        (("application/json, text/plain, */*",), "application/json"),
        ((BROWSER,), "application/json"),
        (("text/plain;q=0, */*;q=0.1",), "application/json"),
        (("text/plain;q=0",), "application/json"),
        (("text/plain;q=0.2, application/json;q=0.3",), "application/json"),
        (("image/png",), "application/json"),
        (("nonsense",), "application/json"),
        (("text/plain;q=2",), "application/json"),
        (("text/plain;q=abc, ;;,/,=",), "application/json"),
        (("text/plain",), "text/plain; version=0.0.4"),
        (("TEXT/Plain",), "text/plain; version=0.0.4"),
        (("text/*",), "text/plain; version=0.0.4"),
        (("text/plain, */*",), "text/plain; version=0.0.4"),
        (("application/json;q=0, */*",), "text/plain; version=0.0.4"),
        (("application/json;q=0.2, text/plain;q=0.3",), "text/plain; version=0.0.4"),
        (("application/json;q=0.2", "text/plain"), "text/plain; version=0.0.4"),
        (("application/json;q=0.5, text/plain;q=0, */*",), "application/openmetrics-text; version=1.0.0"),
        (("application/*, application/json;q=0.5",), "application/openmetrics-text; version=1.0.0"),
        (("text/plain;version=abc",), "text/plain; version=0.0.4"),
        (("text/plain;version=1.0.0",), "text/plain; version=1.0.0"),
        (("application/openmetrics-text",), "application/openmetrics-text; version=1.0.0"),
        (('application/openmetrics-text;version=é;escaping="x"',), "application/openmetrics-text; version=1.0.0"),
        (("text/plain;q=0.9,application/openmetrics-text;q=0.1",), "text/plain; version=0.0.4"),
        (("text/plain;q=0.1,application/openmetrics-text;q=0.9",), "application/openmetrics-text; version=1.0.0"),
        ((PROMETHEUS,), "application/openmetrics-text; version=1.0.0"),
        ((OLDER_PROMETHEUS,), "application/openmetrics-text; version=1.0.0"),
        ((f"{'x/y,' * 60_000}text/plain",), "application/json"),
    ],
)
async def test_the_form_is_what_the_request_prefers(edge: Edge, accept: tuple[str, ...], expected: str) -> None:
    await edge.see()

    answer = await edge.get("/metrics", *accept)

    assert answer.status == 200
    assert answer.headers[b"content-type"].decode().startswith(expected)
    assert answer.headers[b"vary"] == b"accept"


async def test_both_forms_of_text_can_be_parsed(edge: Edge) -> None:
    await edge.live()

    plain = list(text_string_to_metric_families((await edge.get("/metrics", "text/plain")).body.decode()))
    text = (await edge.get("/metrics", PROMETHEUS)).body.decode()
    openmetrics = list(openmetrics_families(text))  # type: ignore[no-untyped-call]  # the library types only its core

    assert {family.name.removesuffix("_total") for family in plain} == {family.name for family in openmetrics}


def test_of_ranges_that_fit_the_most_exact_decides() -> None:
    ranges = read_accept("text/*;q=0.9, text/plain;q=0.1, */*;q=1")

    assert preference(ranges, "text/plain") == (0.1, 2)
    assert preference(ranges, "text/html") == (0.9, 1)
    assert preference(ranges, "application/json") == (1.0, 0)
    assert preference((), "application/json") == (0.0, -1)
    assert not prefers_text(ranges)


async def test_both_forms_are_documented(edge: Edge) -> None:
    await edge.see()
    answer = edge.api.openapi()["paths"]["/metrics"]["get"]["responses"]["200"]["content"]

    assert set(answer) == {"application/json", "text/plain", "application/openmetrics-text"}
    schema = edge.api.openapi()["components"]["schemas"]["MetricsAnswer"]
    assert set(schema["properties"]) == set(await edge.metrics())
    counters = edge.api.openapi()["components"]["schemas"]["CountersAnswer"]
    assert set(counters["properties"]) == set((await edge.metrics())["events"])


# The names


def documented() -> dict[str, set[str]]:
    """The table in the manual: names and their labels."""
    section = (
        (REPOSITORY / "doc" / "operations" / "metrics.md").read_text(encoding="utf-8").partition("\n## Every name\n")[2]
    )
    rows = re.findall(r"^\| `(marquee_\w+)` \|([^|]*)\|", section.partition("\n## ")[0], re.MULTILINE)
    assert len({name for name, _ in rows}) == len(rows), "a name is documented twice"
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def exposed(families: Iterator[Metric]) -> dict[str, set[str]]:
    found = {}
    for family in families:
        suffix = "_total" if family.type == "counter" else ""
        found[family.name.removesuffix("_total") + suffix] = {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
    return found


async def test_every_name_is_documented_once_with_its_labels_and_no_other_is(edge: Edge) -> None:
    await edge.live()

    families = text_string_to_metric_families((await edge.get("/metrics", "text/plain")).body.decode())

    assert exposed(iter(families)) == documented()


async def test_names_follow_the_conventions(edge: Edge) -> None:
    await edge.live()

    families = list(text_string_to_metric_families((await edge.get("/metrics", "text/plain")).body.decode()))

    for family in families:
        assert re.fullmatch(r"marquee_[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        if family.type in ("histogram", "summary"):
            assert family.name.endswith("_seconds")


# Several processes


@pytest.mark.slow
def test_what_several_processes_of_a_machine_count_is_added_up(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    count = (
        "from app.adapters.inbound.http.operations.metrics import OTHER, RequestMetrics; requests = RequestMetrics();"
        "requests.observe_activities('accepted', {'view': 3}); requests.observe_rate_limited('search');"
        "requests.observe_unauthenticated(); requests.observe_search(200, 0.001)"
    )
    show = "from prometheus_client import generate_latest; print(generate_latest(requests.registry()).decode())"

    in_process(count, tmp_path)
    text = in_process(f"{count};{show}", tmp_path)

    samples = {
        sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples
    }
    assert samples["marquee_activities_total"] == 6
    assert samples["marquee_rate_limited_total"] == samples["marquee_unauthenticated_total"] == 2
    assert samples["marquee_http_requests_total"] == samples["marquee_search_duration_seconds_count"] == 2


def in_process(code: str, directory: Path) -> str:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory / "metrics")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


# Health


async def health(edge: Edge) -> dict[str, Any]:
    answer = await edge.get("/health")
    assert answer.status == 200
    decoded: dict[str, Any] = json.loads(answer.body)
    return decoded


async def test_health_is_ok_while_everything_is_up(edge: Edge) -> None:
    await edge.live()
    await edge.take_in(3)
    await asyncio.sleep(0.002)
    await edge.see()

    found = await health(edge)

    assert found["status"] == "ok"
    assert found["history"] == {"up": True, "reason": None}
    assert found["store"]["up"]
    assert 0 < found["activities"].pop("oldest_pending") < 10
    not_understood = {"not_understood": {"invalid_type": 2}}
    assert found["activities"] == {"backlog": 3, "dead_letters": 0, "workers": 1} | not_understood


async def test_health_tells_of_each_subscription_the_best_that_any_reader_says(edge: Edge) -> None:
    away = SubscriptionReader("shop", "w-2", "cannot connect", "cannot connect", edge.clock.now(), None)
    await edge.live()
    shop, orders = (await health(edge))["subscriptions"]
    assert (shop["state"], shop["readers"], shop["backlog"], shop["last_trouble"]) == ("reading", 1, 4, None)
    assert (orders["state"], orders["readers"], orders["reason"]) == ("unread", 0, None)

    await edge.subscription_readers.note(away)
    await edge.see()
    shop = (await health(edge))["subscriptions"][0]
    assert (shop["state"], shop["readers"], shop["reason"]) == ("reading", 2, None)
    assert shop["last_trouble"] == "cannot connect"

    await edge.subscription_readers.note(replace(away, process_id="w"))
    await edge.see()
    shop = (await health(edge))["subscriptions"][0]
    assert (shop["state"], shop["reason"]) == ("failing", "cannot connect")
    assert (await edge.samples())["marquee_subscription_up", "shop"] == 0


async def test_health_says_whose_time_zone_rules_hold_and_what_is_to_be_known_of_the_days(edge: Edge) -> None:
    await edge.see()
    before, figure = await health(edge), (await edge.samples())[("marquee_stats_trouble",)]
    edge.kept.days_trouble = "days were counted by older rules: run `marquee stats rebuild`"
    await edge.see()

    found = await health(edge)

    assert (before["tzdata"], before["stats"]) == ("2026f", {"trouble": None, "activities_from": None})
    assert found["stats"] == {"trouble": edge.kept.days_trouble, "activities_from": None}
    assert found["status"] == "ok"
    assert (figure, (await edge.samples())[("marquee_stats_trouble",)]) == (0, 1)


async def test_health_is_degraded_while_the_history_is_away(edge: Edge) -> None:
    edge.access.unavailable = "the database is down"
    await edge.see()

    found = await health(edge)

    assert found["status"] == "degraded"
    assert found["history"] == {"up": False, "reason": "the database is down"}
    assert found["store"]["up"]


async def test_health_is_degraded_while_the_store_takes_no_writes(edge: Edge) -> None:
    edge.store.refusal = "its memory is full"
    await edge.take_in(3)
    await edge.see()

    found = await health(edge)

    assert found["status"] == "degraded"
    assert (found["store"]["up"], found["store"]["reason"]) == (False, "its memory is full")
    assert found["store"]["seen_at"]
    assert found["activities"]["backlog"] == 3


async def test_health_says_nothing_of_a_queue_that_was_never_seen(edge: Edge) -> None:
    edge.store.unavailable = "away"
    await edge.see()

    found = await health(edge)

    assert (found["status"], found["activities"], found["store"]["up"]) == ("degraded", None, False)


async def test_health_of_a_process_without_an_index_is_degraded(edge: Edge) -> None:
    await edge.see()
    edge.is_ready = False

    assert (await health(edge))["status"] == "degraded"


async def test_what_the_last_verification_found_is_told_and_nothing_before_the_first(edge: Edge) -> None:
    await edge.see()
    before = await edge.samples()
    await edge.verifications.note(Verification(edge.clock.now(), differs=True))
    await edge.see()

    samples = await edge.samples()

    assert ("marquee_stats_differ",) not in before
    assert samples[("marquee_stats_differ",)] == 1
    assert samples[("marquee_stats_verified_time_seconds",)] == edge.clock.now().timestamp()
