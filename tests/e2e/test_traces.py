"""One trace over real processes: `marquee run` with a collector."""

from contextlib import closing

import pytest

from tests.support.otlp_collector import Collector
from tests.support.service import Installation, Service
from tests.support.waiting import until

pytestmark = [pytest.mark.redis_server, pytest.mark.slow]

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def post(service: Service, path: str, body: str, **headers: str) -> int:
    with closing(service.connect()) as connection:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status


def test_a_post_is_one_trace_over_the_api_and_the_worker() -> None:
    with Collector() as collector, Installation(telemetry={"otlp_endpoint": collector.url, "sample": 0}) as marquee:
        service = marquee.run()

        assert post(service, "/events/batch", '{"events":[{"type":"view"}]}', traceparent=CALLER) == 202
        assert post(service, "/events", '{"type":"view"}') == 202

        spans = {span.kind: span for span in collector.until(4)}
        assert list(collector.traces()) == [CALLER.split("-")[1]]
        chain = [spans[kind] for kind in ("server", "producer", "consumer", "client")]
        assert [span.name for span in chain] == [
            "POST /events/batch",
            "publish marquee activities",
            "process marquee activities",
            "store activities",
        ]
        assert [span.parent_id for span in chain] == [CALLER.split("-")[2], *(span.span_id for span in chain[:-1])]
        assert [span.resource["marquee.role"] for span in chain] == ["api", "api", "worker", "worker"]
        assert service.end() == 0


def test_what_is_left_is_sent_when_the_service_ends() -> None:
    with Collector() as collector, Installation(telemetry={"otlp_endpoint": collector.url, "sample": 1}) as marquee:
        service = marquee.run()
        service.search()

        assert service.end() == 0

        assert "GET /search" in {span.name for span in collector.spans}


def test_a_collector_that_is_not_there_is_a_warning_and_no_more() -> None:
    with Installation(telemetry={"otlp_endpoint": "http://127.0.0.1:9", "sample": 1}) as marquee:
        service = marquee.run()

        assert post(service, "/events", '{"type":"view"}') == 202
        until(lambda: "view" in service.ask("/stats").body.decode())
        assert service.end() == 0

        warnings = [line for line in service.log if "takes no traces" in line["event"]]
        assert 1 <= len(warnings) <= 2  # one of each process that traces
        assert "urllib3" not in service.log_file.read_text()
