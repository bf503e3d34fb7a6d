"""What watches the service in docker-compose.yml: Prometheus' configuration, the alert rules, Grafana's dashboard.

No container runs here. Debian's promtool reads the configuration and tests the rules, and a real Prometheus of Debian's
scrapes real metrics with them and answers every question of the dashboard; Grafana itself is not run, its files are
checked for what can be told from outside.
"""

import json
import re
import shutil
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.operators_world import Edge
from tests.support.promtool import prometheus, promtool
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
CONFIG, RULES, RULES_TEST = (DEPLOY / "prometheus" / name for name in ("prometheus.yml", "rules.yml", "rules_test.yml"))
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/marquee.json").read_text(encoding="utf-8"))
DATASOURCE = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"] if "alert" in rule]
RECORDED = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUESTIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = [*QUESTIONS, *(rule["expr"] for group in GROUPS for rule in group["rules"])]

SELECTOR = re.compile(r"\b(marquee_[a-z_]+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|on|without) \(([^)]*)\)")


def as_prometheus_asks(expression: str) -> str:
    """Put in what Grafana does."""
    return expression.replace("$__rate_interval", "1m")


# Prometheus


@pytest.mark.promtool
def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "config", CONFIG)


@pytest.mark.promtool
def test_the_rules_alert_as_their_tests_say() -> None:
    assert "SUCCESS" in promtool("test", "rules", RULES_TEST)


def test_every_alert_says_how_urgent_it_is_and_what_is_wrong() -> None:
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert set(alert["annotations"]) == {"summary", "description"}


def test_every_alert_is_tested_firing() -> None:
    tests = yaml.safe_load(RULES_TEST.read_text(encoding="utf-8"))["tests"]
    firing = {case["alertname"] for test in tests for case in test.get("alert_rule_test", ()) if case.get("exp_alerts")}

    assert {alert["alert"] for alert in ALERTS} - firing == set()


def test_an_objective_has_two_windows_for_each_pace_and_a_ticket_waits_longer_than_a_page() -> None:
    for name in ("SearchErrorBudgetBurns", "SearchLatencyBudgetBurns"):
        burns = [alert for alert in ALERTS if alert["alert"] == name]
        windows = [re.findall(r"ratio_rate(\w+)", alert["expr"]) for alert in burns]
        assert windows == [["1h", "5m"], ["6h", "30m"], ["1d", "2h"], ["3d", "6h"]]
        assert [alert["labels"]["severity"] for alert in burns] == ["page", "page", "ticket", "ticket"]


# What is asked for is there


@pytest.fixture
async def exposed() -> dict[str, set[str]]:
    """The names of the samples that the service exposes, with their labels."""
    edge = Edge()
    await edge.live()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families((await edge.get("/metrics", "text/plain")).body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_rules_and_dashboard_ask_only_for_metrics_and_labels_that_the_service_exposes(
    exposed: dict[str, set[str]],
) -> None:
    asked = [found for expression in EXPRESSIONS for found in SELECTOR.findall(expression)]

    assert {name for name, _ in asked} - set(exposed) == set()
    for name, matchers in asked:
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= exposed[name], name
    by_scrape = {"instance", "job", "store", ""}  # `store` is made by label_replace
    grouped = {
        label.strip() for expression in EXPRESSIONS for part in GROUPED.findall(expression) for label in part.split(",")
    }
    assert grouped - by_scrape <= set().union(*exposed.values())


def test_what_rules_record_is_what_is_read() -> None:
    read = {name for expression in EXPRESSIONS for name in re.findall(r"marquee:\w+:\w+", expression)}

    assert read == RECORDED


async def test_the_bound_of_the_latency_objective_is_a_bucket() -> None:
    edge = Edge()
    await edge.live()

    assert (
        'marquee_search_duration_seconds_bucket{le="0.01"}' in (await edge.get("/metrics", "text/plain")).body.decode()
    )


async def test_the_test_series_of_the_rules_are_metrics_that_exist_with_all_their_labels(
    exposed: dict[str, set[str]],
) -> None:
    tests = yaml.safe_load(RULES_TEST.read_text(encoding="utf-8"))["tests"]
    series = [SELECTOR.findall(row["series"]) for test in tests for row in test["input_series"]]

    for name, labels in (found for row in series for found in row):
        assert set(re.findall(r"(\w+)=", labels)) - {"instance"} == exposed[name], (name, labels)


# A real Prometheus


@contextmanager
def served(app: ASGIApp) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.mark.promtool
@pytest.mark.slow
async def test_a_real_prometheus_scrapes_follows_the_rules_and_answers_the_dashboard(tmp_path: Path) -> None:
    edge = Edge()
    await edge.live()
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        edge.requests.observe_search(200, 0.001)
        await edge.api(scope, receive, send)

    with served(app) as port:
        document["scrape_configs"] = [{"job_name": "marquee", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
        shutil.copy(RULES, tmp_path)
        with prometheus(tmp_path / "prometheus.yml", tmp_path / "data") as server:
            until(lambda: len(server.find("marquee:search_slow:ratio_rate5m")) == 1)
            until(lambda: all(rule["lastEvaluation"] > "0002" for rule in rules_of(server)))

            until(lambda: targets_of(server) == [("up", "")])
            assert {(rule["name"], rule["health"], rule.get("lastError")) for rule in rules_of(server)} == {
                (rule.get("alert") or rule["record"], "ok", None) for group in GROUPS for rule in group["rules"]
            }
            for question in QUESTIONS:
                server.find(as_prometheus_asks(question))
            until(lambda: values_of(server, "marquee_catalog_plans") == ["10"])
            until(lambda: values_of(server, "marquee:search_errors:ratio_rate5m") == ["0"])


def values_of(server: Any, expression: str) -> list[str]:
    return [found["value"][1] for found in server.find(expression)]


def targets_of(server: Any) -> list[tuple[str, str]]:
    return [(target["health"], target["lastError"]) for target in server.ask("targets")["activeTargets"]]


def rules_of(server: Any) -> list[dict[str, Any]]:
    return [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]


# Grafana


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    places = Counter(
        (x, y)
        for panel in DASHBOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    )

    assert len(set(ids)) == len(ids)
    assert max(places.values()) == 1
    assert max(x for x, _ in places) < 24


def test_every_panel_asks_the_provisioned_source_something() -> None:
    (source,) = DATASOURCE["datasources"]
    assert source["url"] == "http://prometheus:9090"
    for panel in PANELS:
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for asked in (panel, *panel["targets"], *DASHBOARD["annotations"]["list"]):
            assert asked["datasource"] == {"type": source["type"], "uid": source["uid"]}


@pytest.mark.promtool
def test_every_question_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"question:{n}", "expr": as_prometheus_asks(asked)} for n, asked in enumerate(QUESTIONS)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert f"{len(QUESTIONS)} rules found" in promtool("check", "rules", tmp_path / "rules.yml")


def test_the_dashboard_shows_what_an_operator_has_to_see() -> None:
    shown = " ".join(QUESTIONS)

    for name in (
        "marquee_search_duration_seconds_bucket",
        "marquee_sync_age_seconds",
        "marquee_activity_backlog",
        "marquee_activity_oldest_pending_seconds",
        "marquee_dead_letters",
        "marquee_webhook_deliveries_total",
        "marquee_circuit_state",
        "marquee_processes",
        "marquee_rate_limited_total",
    ):
        assert name in shown


# Where compose puts it


def mounts(service: str) -> dict[str, Path]:
    """The files of the repository, by where a container sees them."""
    volumes = [volume.split(":") for volume in COMPOSE["services"][service]["volumes"]]
    return {inside: ROOT / outside for outside, inside, *_ in volumes if outside.startswith("./")}


def seen(service: str, inside: str) -> Path:
    """The file of the repository that a container sees at a path."""
    for mounted, outside in mounts(service).items():
        if inside == mounted or inside.startswith(mounted + "/"):
            return outside / inside.removeprefix(mounted).lstrip("/")
    raise AssertionError(f"{service} sees nothing of ours at {inside}")


def test_prometheus_finds_its_configuration_and_grafana_its_dashboard() -> None:
    (config,) = [word for word in COMPOSE["services"]["prometheus"]["command"] if word.startswith("--config.file=")]
    grafana = COMPOSE["services"]["grafana"]["environment"]
    provider = yaml.safe_load(seen("grafana", "/etc/grafana/provisioning/dashboards/marquee.yml").read_text())

    assert seen("prometheus", config.partition("=")[2]) == CONFIG
    assert seen("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml").is_file()
    assert seen("grafana", provider["providers"][0]["options"]["path"]) == DEPLOY / "grafana/dashboards"
    assert seen("grafana", grafana["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()


def test_prometheus_scrapes_the_api_where_it_listens_and_may_read_the_metrics() -> None:
    (job,) = [job for job in yaml.safe_load(CONFIG.read_text())["scrape_configs"] if job["job_name"] == "marquee"]
    (found,) = job["dns_sd_configs"]
    (name,) = found["names"]
    api = COMPOSE["services"][name]

    assert f":{found['port']}" in api["ports"][0]
    assert set(api["networks"]) & set(COMPOSE["services"]["prometheus"]["networks"])
    assert "metrics" in json.loads(api["environment"]["MARQUEE__SECURITY__ANONYMOUS"])
