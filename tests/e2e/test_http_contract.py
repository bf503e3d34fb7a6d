"""What every route promises: the shape of errors, the contract's document, request ids, health, metrics."""

import re
from contextlib import closing
from typing import Any

import pytest

from tests.support.decoded import decoded
from tests.support.service import Installation, Service, ask
from tests.support.waiting import until

pytestmark = pytest.mark.redis_server

Document = dict[str, Any]


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/search/", 404, "not_found"),
        ("POST", "/search", 405, "method_not_allowed"),
        ("DELETE", "/catalog/providers", 405, "method_not_allowed"),
        ("GET", "/catalog/providers/demo/sync", 405, "method_not_allowed"),
        ("GET", "/search?starts_at=tomorrow", 400, "invalid_date_time"),
        ("GET", "/search?starts_at=", 400, "invalid_date_time"),
        ("GET", "/search?ends_at=2021-09-31T20:00:00", 400, "invalid_date_time"),
        ("GET", "/search?ends_at=2021-09-30", 400, "invalid_date_time"),
        ("GET", "/search?starts_at=2022-01-01T00:00:00Z&ends_at=2021-01-01T00:00:00Z", 400, None),
        ("GET", f"/search?starts_at=2021-02-01T00:00:00Z&x={'x' * 5000}", 400, "query_too_long"),
        ("GET", "/catalog/plans/291", 400, "invalid_request"),
        ("GET", "/catalog/plans/00000000-0000-4000-8000-000000000000", 404, "unknown_plan"),
        ("GET", "/catalog/providers/nobody/runs", 404, "unknown_provider"),
        ("GET", "/catalog/providers/nobody/rejections", 404, "unknown_provider"),
        ("POST", "/catalog/providers/nobody/sync", 404, "unknown_provider"),
        ("POST", "/catalog/providers/demo/sync?approve=perhaps", 400, "invalid_request"),
        ("GET", "/catalog/providers/demo/runs?limit=0", 400, "invalid_request"),
        ("GET", "/catalog/providers/demo/runs?limit=1001", 400, "invalid_request"),
        ("GET", "/catalog/providers/demo/rejections?limit=many", 400, "invalid_request"),
        ("GET", f"/catalog/providers/{'x' * 65}/runs", 400, "invalid_request"),
    ],
)
def test_every_error_of_every_route_has_one_shape(
    service: Service, method: str, target: str, status: int, code: str | None
) -> None:
    answer = service.ask(target, method)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert set(answer.json) == {"error", "data"}
    assert answer.json["data"] is None
    assert set(answer.json["error"]) == {"code", "message"}
    assert re.fullmatch("[a-z]+(_[a-z]+)*", answer.json["error"]["code"])
    assert answer.json["error"]["message"]
    assert code is None or answer.json["error"]["code"] == code


def test_an_error_says_which_parameter_what_was_found_and_what_was_expected(service: Service) -> None:
    message = service.ask("/search?ends_at=2021-09-31T20:00:00").json["error"]["message"]

    assert message.startswith("ends_at: '2021-09-31T20:00:00' is not a date-time; expected a date-time such as")


def test_a_wrong_method_is_told_the_right_one(service: Service) -> None:
    assert service.ask("/search", "POST").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("coding", [b"gzip", b"zstd"])
def test_lists_are_compressed_and_what_tells_users_or_figures_is_not(service: Service, coding: bytes) -> None:
    accepting = {"Accept-Encoding": f"{coding.decode()}, identity;q=0"}
    for target in ("/openapi.json", "/catalog/plans", "/catalog/changes"):
        plain, packed = service.ask(target), service.ask(target, headers=accepting)
        assert packed.headers["content-encoding"] == coding.decode(), target
        assert decoded(packed.body, coding) == plain.body
        assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"

    for target in ("/users", "/dashboard/state", "/metrics", "/health", "/catalog/providers/nobody/runs"):
        assert "content-encoding" not in service.ask(target, headers=accepting).headers, target


def test_whatever_can_be_read_can_be_asked_for_its_head(service: Service) -> None:
    changing = {"date", "x-request-id", "ratelimit", "content-length"}  # the last where figures grow
    reads = [path for path, operations in service.ask("/openapi.json").json["paths"].items() if "get" in operations]
    targets = [path.replace("{", "").replace("}", "") for path in reads] + [
        "/",
        "/docs",
        "/nowhere",
        "/search?starts_at=x",
    ]

    for target in targets:
        if target == "/dashboard/stream":  # it has no end; see the next test
            continue
        whole, head = service.ask(target), service.ask(target, "HEAD")

        assert (head.status, head.body) == (whole.status, b""), target
        assert head.headers.keys() - {"transfer-encoding"} == whole.headers.keys() - {"transfer-encoding"}, target
        assert {name: head.headers[name] for name in head.headers.keys() - changing} == {
            name: whole.headers[name] for name in head.headers.keys() - changing
        }, target
    assert service.ask("/search", "HEAD").headers["content-length"] == str(len(service.ask("/search").body))


@pytest.mark.parametrize("target", ["/dashboard/stream", "/catalog/changes"])
def test_the_head_of_a_stream_holds_up_neither_the_connection_nor_the_process(service: Service, target: str) -> None:
    with closing(service.connect()) as connection:
        for _ in range(3):
            head = ask(connection, target, "HEAD", {"Accept": "text/event-stream"})

            assert (head.status, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert ask(connection, "/health/live").status == 200

    until(lambda: service.figure("marquee_http_requests_total", route=target, method="HEAD") >= 3)


@pytest.fixture(scope="module")
def document(service: Service) -> Document:
    found: Document = service.ask("/openapi.json").json
    return found


def resolved(document: Document, schema: Document) -> Document:
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def types_of(schema: Document) -> set[tuple[str, str | None]]:
    options = [
        {"type": "null"} if option.get("const", option) is None else option for option in schema.get("anyOf", [schema])
    ]
    return {(option["type"], option.get("format")) for option in options}


def test_no_operation_is_documented_to_answer_422(document: Document) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    assert len(operations) >= 10
    assert not [operation for operation in operations if "422" in operation["responses"]]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_search_is_documented_as_the_contract_has_it(document: Document) -> None:
    assert list(document["paths"]["/search"]) == ["get"]
    search = document["paths"]["/search"]["get"]

    assert search["operationId"] == "searchEvents"
    assert sorted(search["responses"]) == ["200", "400", "500"]
    assert [(found["name"], found["in"], found["required"]) for found in search["parameters"]] == [
        ("starts_at", "query", False),
        ("ends_at", "query", False),
        ("as_of", "query", False),  # an extension of ours, behind the contract's own
    ]
    assert [types_of(found["schema"]) for found in search["parameters"]] == [{("string", "date-time")}] * 3
    assert [found["description"] for found in search["parameters"][:2]] == [
        "Return only events that starts after this date",
        "Return only events that finishes before this date",
    ]


def test_a_good_answer_is_documented_with_all_eight_fields_and_what_may_be_null(document: Document) -> None:
    schema = document["paths"]["/search"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    answer = resolved(document, schema)
    events = resolved(document, answer["properties"]["data"])["properties"]["events"]
    summary = resolved(document, events["items"])

    assert types_of(answer["properties"]["error"]) == {("null", None)}
    assert events["type"] == "array"
    assert {name: types_of(field) for name, field in summary["properties"].items()} == {
        "id": {("string", "uuid")},
        "title": {("string", None)},
        "start_date": {("string", "date")},
        "start_time": {("string", "time"), ("null", None)},
        "end_date": {("string", "date"), ("null", None)},
        "end_time": {("string", "time"), ("null", None)},
        "min_price": {("number", None), ("null", None)},
        "max_price": {("number", None), ("null", None)},
    }
    assert set(summary["required"]) == set(summary["properties"])


@pytest.mark.parametrize("status", ["400", "500"])
def test_an_error_is_documented_with_its_code_and_message(document: Document, status: str) -> None:
    response = document["paths"]["/search"]["get"]["responses"][status]
    answer = resolved(document, response["content"]["application/json"]["schema"])
    problem = resolved(document, answer["properties"]["error"])

    assert types_of(answer["properties"]["data"]) == {("null", None)}
    assert {name: types_of(field) for name, field in problem["properties"].items()} == {
        "code": {("string", None)},
        "message": {("string", None)},
    }


def test_the_documentation_can_be_read_in_a_browser(service: Service) -> None:
    answer = service.ask("/docs")

    assert answer.status == 200
    assert b"swagger-ui" in answer.body


@pytest.mark.parametrize("target", ["/search", "/search?starts_at=x", "/catalog/providers", "/nowhere", "/health/live"])
def test_a_request_id_is_taken_and_given_back(service: Service, target: str) -> None:
    assert service.ask(target, headers={"X-Request-ID": "a-1.b/c"}).headers["x-request-id"] == "a-1.b/c"


@pytest.mark.parametrize("target", ["/search", "/catalog/providers"])
def test_a_request_without_an_id_or_with_an_unfit_one_gets_one_of_ours(service: Service, target: str) -> None:
    ids = [service.ask(target, headers=headers).headers["x-request-id"] for headers in ({}, {"X-Request-ID": "a b"})]

    assert all(re.fullmatch("[0-9a-f-]{8,}", given) for given in ids)
    assert len(set(ids)) == 2


def test_the_request_id_stands_in_the_log(service: Service) -> None:
    service.ask("/catalog/providers", headers={"X-Request-ID": "look-for-me"})

    def lines() -> list[str]:
        return [entry["path"] for entry in service.log if entry.get("request_id") == "look-for-me"]

    until(lines)  # it is written just after the answer was sent
    assert lines() == ["/catalog/providers"]


def test_health_says_what_is_up_how_old_the_catalog_is_and_the_state_of_circuits(service: Service) -> None:
    health = service.ask("/health").json
    providers = {provider["name"]: provider for provider in health["providers"]}

    assert (service.ask("/health/live").json, service.ask("/health/ready").json) == (
        {"status": "live"},
        {"status": "ready"},
    )
    assert (health["status"], health["store"]["up"]) == ("ok", True)
    assert {"ready": True, "plans": 10}.items() <= health["search"].items()
    assert list(providers) == ["broken", "demo", "other", "madrid"], "the troubled come first"
    assert 0 <= providers["demo"]["age"] < 600
    assert providers["demo"]["circuit"] == "closed"
    assert (providers["broken"]["age"], providers["broken"]["last_outcome"]) == (None, "failed")
    assert "expected" in providers["broken"]["reason"]


def test_metrics_can_be_parsed_and_hold_what_operators_ask(service: Service) -> None:
    service.ask("/search?starts_at=x")
    service.ask("/nowhere/of/this/name")

    value = service.figure
    searches = [
        value("marquee_http_requests_total", route="/search", method="GET", status=status) for status in ("200", "400")
    ]
    assert min(searches) > 0
    assert value("marquee_search_duration_seconds_count") == sum(searches)
    assert value("marquee_http_requests_total", route="unknown", method="GET", status="404") > 0
    assert b"/nowhere/of/this/name" not in service.ask("/metrics", headers={"Accept": "text/plain"}).body
    assert value("marquee_catalog_plans") == 10
    assert 0 <= value("marquee_sync_age_seconds", provider="demo") < 600
    assert value("marquee_sync_runs_total", provider="demo", outcome="applied") == 3
    assert value("marquee_sync_runs_total", provider="broken", outcome="failed") >= 1
    assert value("marquee_sync_rejections_total", provider="demo", reason="invalid_date") == 2
    assert value("marquee_circuit_state", provider="demo", state="closed") == 1
    assert [one.value for one in service.samples("marquee_circuit_state", provider="demo", state="open")] == [0]
    assert value("marquee_store_up") == value("marquee_search_ready") == 1


def test_beyond_loopback_all_but_search_and_health_needs_a_key() -> None:
    with Installation({"name": "acme", "url": "file:///nowhere.xml"}, service={"host": "0.0.0.0"}) as installation:
        service = installation.start("api").until_ready()

        closed = [
            service.ask("/catalog/providers/acme/sync", "POST"),
            service.ask("/catalog/providers/acme/runs"),
            service.ask("/events", "POST"),
            service.ask("/users"),
        ]
        opened = [service.ask(target).status for target in ("/search", "/health")]

    assert [(answer.status, answer.json["error"]["code"]) for answer in closed] == [(401, "unauthenticated")] * 4
    assert opened == [200, 200]
