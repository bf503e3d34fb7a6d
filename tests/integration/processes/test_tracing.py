"""Traces: from a request over the stream to the transaction, by the real SDK to a collector of our own."""

import asyncio
import json
import logging
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, MutableMapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from datetime import UTC
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from fastapi import APIRouter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door as IngestDoor
from app.adapters.inbound.http.operations.tracing_app import Sampling, TracingApp
from app.adapters.machine.spans import read_traceparent
from app.adapters.outbound.otel.activity_work import TracedActivityStore, WorkInHand
from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import STREAM, RedisActivityQueue
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import migrate
from app.application.ports.activities import ActivityStore, NotStorableError, QueuedBatch
from app.application.ports.imports import ImportId
from app.application.record_activities import RecordActivities
from app.application.store_activities import StoreActivities
from app.domain.activities import Activity, ActivityRules
from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.observability.open_tracing import open_tracing
from app.infrastructure.observability.otlp_traces import EXPORT_SECONDS
from app.infrastructure.settings.publishing_settings import Telemetry
from tests.fakes.activity_store import MemoryActivityStore
from tests.support.asgi import Sent, ask
from tests.support.builders import an_activity
from tests.support.fixed_clock import FixedClock
from tests.support.ingest_world import JSON, LIMITS, post
from tests.support.otlp_collector import Collector, Taken
from tests.support.redis_server import RedisServer

REPOSITORY = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:9"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER_CALLER = CALLER.replace("0af7", "1af7")
CALLER_WHO_DOES_NOT_TRACE = CALLER[:-2] + "00"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as started:
        yield started


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    yield
    for name in ("opentelemetry", "urllib3"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def tracing(at: str | None, role: str = "api", sample: float = 1.0) -> Tracing:
    return open_tracing(Telemetry(otlp_endpoint=at, sample=sample, service_name="box-office"), role)


class Door:
    """The door in front of a Redis, as an API process wires it."""

    def __init__(self, traces: Tracing, queue: RedisActivityQueue) -> None:
        record = RecordActivities(traces.queue(queue), FixedClock(), ActivityRules(), uuid4)
        self.app = traces.http(
            IngestApp(create_api([], "test"), IngestDoor(record, LIMITS), lambda *_: None, errors=ERRORS)
        )

    async def post(self, body: str = '[{"type":"view","user_id":"u-17"}]', *headers: tuple[bytes, bytes]) -> Sent:
        return await post(self.app, body.encode(), "/events", (JSON, *headers))


@asynccontextmanager
async def a_door(server: RedisServer, traces: Tracing) -> AsyncIterator[Door]:
    client = connect(server.url, timeout=2)
    try:
        async with traces:
            yield Door(traces, RedisActivityQueue(client, trace=traces.current))
    finally:
        await client.aclose()


async def work_off(server: RedisServer, traces: Tracing, store: ActivityStore | None = None) -> None:
    """Work as a worker process does, until nothing is left; into SQLite, or into `store`."""
    async with AsyncExitStack() as stack:
        client, blocking = connect(server.url, timeout=2), connect(server.url, timeout=3)
        stack.push_async_callback(client.aclose)
        stack.push_async_callback(blocking.aclose)
        await stack.enter_async_context(traces)
        database = open_database("embedded", server.directory, timeout=5)
        stack.push_async_callback(database.aclose)
        await migrate(database)
        inbox = traces.inbox(RedisActivityInbox(client, blocking, block=0.05))
        kept = traces.store(store or SqlActivityStore(database, UTC), database)
        stopping = asyncio.Event()
        work = asyncio.create_task(StoreActivities(inbox, kept, lambda _: None, lambda _: None)(stopping))
        with server.client() as looking:
            while looking.xlen(STREAM):  # noqa: ASYNC110 - a condition of another process
                await asyncio.sleep(0.02)
        stopping.set()
        await work


def named(spans: list[Taken], name: str) -> Taken:
    (found,) = [span for span in spans if span.name == name]
    return found


@pytest.mark.redis_server
async def test_a_post_is_one_trace_from_the_request_over_the_stream_to_the_transaction(
    collector: Collector, server: RedisServer
) -> None:
    async with a_door(server, tracing(collector.url)) as door:
        assert (await door.post()).status == 202
    await work_off(server, tracing(collector.url, "worker"))

    spans = collector.until(4)
    request, publish = named(spans, "POST /events"), named(spans, "publish marquee activities")
    process, store = named(spans, "process marquee activities"), named(spans, "store activities")
    assert {span.trace_id for span in spans} == {request.trace_id}
    assert [request.parent_id, publish.parent_id] == ["", request.span_id]
    assert [process.parent_id, store.parent_id] == [publish.span_id, process.span_id]
    assert [span.kind for span in (request, publish, process, store)] == ["server", "producer", "consumer", "client"]
    assert [span.resource["marquee.role"] for span in (request, store)] == ["api", "worker"]
    assert request.resource["service.name"] == "box-office"
    assert request.resource["service.version"]
    assert request.attributes | {"url.scheme": "http"} == {
        "http.request.method": "POST",
        "http.route": "/events",
        "http.response.status_code": 202,
        "url.path": "/events",
        "url.scheme": "http",
    }
    assert store.attributes["db.system.name"] == "sqlite"
    assert process.attributes["messaging.batch.message_count"] == 1
    assert not any(span.failed for span in spans)
    assert collector.paths == {"/v1/traces"}


@pytest.mark.redis_server
async def test_posts_that_are_sent_and_stored_together_keep_a_whole_trace_each(
    collector: Collector, server: RedisServer
) -> None:
    async with a_door(server, tracing(collector.url)) as door:
        await asyncio.gather(*(door.post() for _ in range(12)))
    with server.client() as looking:
        entries = looking.xlen(STREAM)
    await work_off(server, tracing(collector.url, "worker"))

    collector.until(48)
    assert entries < 12
    for spans in collector.traces().values():
        assert sorted(span.kind for span in spans) == ["client", "consumer", "producer", "server"]
    assert len(collector.traces()) == 12


@pytest.mark.redis_server
async def test_of_very_many_that_are_sent_together_sixteen_are_followed_to_the_worker(
    collector: Collector, server: RedisServer
) -> None:
    async with a_door(server, tracing(collector.url)) as door:
        await asyncio.gather(*(door.post() for _ in range(200)))
    with server.client() as looking:
        noted = [fields[b"t"].count(b",") + 1 for _, fields in looking.xrange(STREAM)]
    await work_off(server, tracing(collector.url, "worker"))

    collector.until(400 + 2 * sum(noted))
    assert max(noted) == 16


@pytest.mark.redis_server
async def test_what_is_not_traced_notes_nothing_in_the_stream_and_costs_no_span(
    collector: Collector, server: RedisServer
) -> None:
    for traces in (Tracing(), tracing(collector.url, sample=0)):
        async with a_door(server, traces) as door:
            assert (await door.post()).status == 202
    with server.client() as looking:
        fields = [set(entry) for _, entry in looking.xrange(STREAM)]
    await work_off(server, tracing(collector.url, "worker"))

    assert fields == [{b"d", b"n", b"b"}] * 2
    assert collector.spans == []


@pytest.mark.redis_server
async def test_a_worker_that_does_not_trace_stores_what_a_door_traced(
    collector: Collector, server: RedisServer
) -> None:
    async with a_door(server, tracing(collector.url)) as door:
        await door.post()

    await work_off(server, Tracing())

    assert [span.kind for span in collector.until(2)] == ["producer", "server"]


@pytest.mark.redis_server
@pytest.mark.parametrize("noted", [b"", b"\xff\x00", b"00-nothing", b"," * 5000, CALLER_WHO_DOES_NOT_TRACE.encode()])
async def test_a_note_that_is_none_of_ours_does_not_disturb_a_worker(
    collector: Collector, server: RedisServer, noted: bytes
) -> None:
    async with a_door(server, Tracing()) as door:
        await door.post()
    with server.client() as operator:
        ((entry_id, fields),) = operator.xrange(STREAM)
        operator.xdel(STREAM, entry_id)
        operator.xadd(STREAM, {**fields, b"t": noted})

    await work_off(server, tracing(collector.url, "worker"))

    assert collector.spans == []


@pytest.mark.redis_server
async def test_a_queue_that_is_full_is_a_failure_in_the_trace(collector: Collector, server: RedisServer) -> None:
    client = connect(server.url, timeout=2)
    traces = tracing(collector.url)
    async with traces:
        door = Door(traces, RedisActivityQueue(client, max_backlog=1, trace=traces.current))
        await door.post()
        refused = await door.post()
    await client.aclose()

    failed = [span for span in collector.until(4) if span.failed]
    assert refused.status == 503
    assert {span.name: span.attributes["error.type"] for span in failed} == {
        "publish marquee activities": "QueueFullError",
        "POST /events": "503",
    }


class StoreThatRefuses(ActivityStore):
    """Refuses everything, in words that no trace may hold."""

    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:  # noqa: ARG002 - the port's
        raise NotStorableError(f"the database refuses {activities!r}")


@pytest.mark.redis_server
async def test_a_dead_letter_is_a_failure_in_the_trace(collector: Collector, server: RedisServer) -> None:
    async with a_door(server, tracing(collector.url)) as door:
        await door.post()

    await work_off(server, tracing(collector.url, "worker"), StoreThatRefuses())

    spans = collector.until(5)
    assert named(spans, "process marquee activities").attributes["error.type"] == "dead_letter"
    tries = [span for span in spans if span.name == "store activities"]
    assert [span.attributes["error.type"] for span in tries] == ["NotStorableError"] * 2


@pytest.mark.redis_server
async def test_nothing_of_what_was_sent_stands_in_a_span(collector: Collector, server: RedisServer) -> None:
    secret = (b"authorization", b"Bearer mq_secret")
    async with a_door(server, tracing(collector.url)) as door:
        await door.post('[{"type":"view","user_id":"somebody"},{"type":"view","value":"somebody"}]', secret)
        await ask(door.app, "/search", b"starts_at=somebody")
    await work_off(server, tracing(collector.url, "worker"), StoreThatRefuses())

    assert len(collector.until(6)) >= 6
    assert "somebody" not in repr(collector.spans)
    assert "secret" not in repr(collector.spans)


def test_work_that_is_given_up_ends_as_a_failure_and_hangs_on_nothing_else() -> None:
    provider, spans = in_memory()
    work = WorkInHand(provider.get_tracer("test"))

    work.begin([QueuedBatch("1", [an_activity(1)], CALLER)])
    work.begin([QueuedBatch("2", [an_activity(2)], CALLER)])
    work.end([QueuedBatch("2", [])])
    work.give_up()

    found = [(span.name, dict(span.attributes or {}).get("error.type")) for span in spans.get_finished_spans()]
    assert found == [("process marquee activities", "given_up"), ("process marquee activities", None)]


async def test_a_transaction_is_a_part_of_the_traces_whose_activities_are_in_it() -> None:
    provider, spans = in_memory()
    work = WorkInHand(provider.get_tracer("test"))
    store = TracedActivityStore(MemoryActivityStore(UTC), work, "sqlite")
    one, other = QueuedBatch("1", [an_activity(1)], CALLER), QueuedBatch("2", [an_activity(2)], OTHER_CALLER)

    work.begin([one, other])
    await store.store([*one.activities, *other.activities])
    await store.store(other.activities)
    work.end([one, other])

    stored = [span.context for span in spans.get_finished_spans() if span.name == "store activities"]
    found = Counter(format(context.trace_id, "032x") for context in stored if context)
    assert found == {CALLER.split("-")[1]: 1, OTHER_CALLER.split("-")[1]: 2}


async def test_a_transaction_of_untraced_activities_makes_no_span() -> None:
    provider, spans = in_memory()
    work = WorkInHand(provider.get_tracer("test"))
    store = TracedActivityStore(MemoryActivityStore(UTC), work, "sqlite")

    assert await store.store([an_activity(1)]) == 1

    assert spans.get_finished_spans() == ()


# requests


def in_memory() -> tuple[TracerProvider, InMemorySpanExporter]:
    provider, spans = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider, spans


async def answer_well(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def traceparent(value: str) -> tuple[tuple[bytes, bytes]]:
    return ((b"traceparent", value.encode()),)


async def test_a_caller_who_traces_is_followed_though_the_share_is_nothing() -> None:
    provider, spans = in_memory()
    app = TracingApp(answer_well, provider.get_tracer("test"), Sampling(0))

    await ask(app, "/search", headers=traceparent(CALLER))
    await ask(app, "/search", headers=traceparent(CALLER_WHO_DOES_NOT_TRACE))
    await ask(app, "/search")

    (span,) = spans.get_finished_spans()
    assert span.context
    assert span.parent
    assert f"{span.context.trace_id:032x}" in CALLER
    assert f"{span.parent.span_id:016x}" in CALLER
    assert span.name == "GET /search"


async def test_a_caller_who_decided_not_to_trace_is_followed_in_that() -> None:
    provider, spans = in_memory()
    app = TracingApp(answer_well, provider.get_tracer("test"), Sampling(1))

    await ask(app, "/search", headers=traceparent(CALLER_WHO_DOES_NOT_TRACE))

    assert spans.get_finished_spans() == ()


async def test_callers_cannot_make_the_service_trace_more_than_it_can() -> None:
    provider, spans = in_memory()
    app = TracingApp(answer_well, provider.get_tracer("test"), Sampling(0, followed=5))

    for _ in range(200):
        await ask(app, "/search", headers=traceparent(CALLER))

    assert 5 <= len(spans.get_finished_spans()) <= 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        CALLER[:-1],
        CALLER.upper(),
        CALLER + "-more",
        "ff" + CALLER[2:],
        "00-" + "0" * 32 + CALLER[35:],
        CALLER[:36] + "0" * 16 + "-01",
        CALLER + "\n",
        CALLER + " " * 600,
        "cc" + CALLER[2:] + "-" + "x" * 600,
    ],
)
def test_a_traceparent_that_is_none_says_nothing(text: str) -> None:
    assert read_traceparent(text) is None


def test_a_traceparent_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    read = read_traceparent("cc" + CALLER[2:] + "-more")

    assert read
    assert read.trace_flags.sampled


async def test_what_was_chosen_in_front_of_the_application_is_traced_and_not_chosen_again() -> None:
    provider, spans = in_memory()
    sampling = Sampling(0)
    app = TracingApp(answer_well, provider.get_tracer("test"), sampling)

    async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "traced": True}, receive, send)

    await ask(chosen, "/search")
    await ask(chosen, "/search", headers=traceparent(CALLER))

    first, second = spans.get_finished_spans()
    assert first.parent is None
    assert second.parent
    assert not sampling.chooses(None)
    assert sampling.chooses(CALLER.encode())
    assert not sampling.chooses(CALLER_WHO_DOES_NOT_TRACE.encode())
    assert not sampling.chooses(b"\xff")


async def test_a_broken_traceparent_is_none_and_the_share_decides() -> None:
    provider, spans = in_memory()
    app = TracingApp(answer_well, provider.get_tracer("test"), Sampling(1))

    await ask(app, "/search", headers=traceparent("00-broken"))

    (span,) = spans.get_finished_spans()
    assert span.parent is None


@pytest.mark.parametrize("share", [0.01, 0.25])
async def test_searches_are_sampled_at_the_share_that_is_set(share: float) -> None:
    random.seed(20260105)  # 20,000 tosses; five standard deviations
    provider, spans = in_memory()
    app = TracingApp(answer_well, provider.get_tracer("test"), Sampling(share))

    for _ in range(20_000):
        await ask(app, "/search")

    deviation = (20_000 * share * (1 - share)) ** 0.5
    assert abs(len(spans.get_finished_spans()) - 20_000 * share) < 5 * deviation


async def test_a_span_is_named_by_the_template_and_never_by_what_a_client_makes_up() -> None:
    router = APIRouter()

    @router.get("/plans/{plan_id}")
    async def plan(plan_id: str) -> str:
        return plan_id

    provider, spans = in_memory()
    app = TracingApp(create_api([router], "test"), provider.get_tracer("test"), Sampling(1))
    await ask(app, "/plans/7")
    await ask(app, "/nowhere/8")
    await ask(app, "/plans/9", method="BREW")

    names = [span.name for span in spans.get_finished_spans()]
    routes = [dict(span.attributes or {}).get("http.route") for span in spans.get_finished_spans()]
    assert names[:2] == ["GET /plans/{plan_id}", "GET"]
    assert routes[:2] == ["/plans/{plan_id}", None]
    assert "BREW" not in names[2]


async def test_an_application_that_breaks_is_a_failure_and_breaks_as_before() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("with a secret")

    provider, spans = in_memory()
    app = TracingApp(broken, provider.get_tracer("test"), Sampling(1))

    with pytest.raises(RuntimeError, match="with a secret"):
        await ask(app, "/search")

    (span,) = spans.get_finished_spans()
    assert dict(span.attributes or {})["error.type"] == "RuntimeError"
    assert "secret" not in span.to_json()


async def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def remember(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    provider, spans = in_memory()

    await TracingApp(remember, provider.get_tracer("test"), Sampling(1))({"type": "lifespan"}, None, None)  # type: ignore[arg-type]

    assert (seen, spans.get_finished_spans()) == (["lifespan"], ())


# collectors


@pytest.mark.redis_server
async def test_a_collector_that_is_down_costs_spans_and_one_warning(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as logged:
        async with a_door(server, tracing(NOBODY)) as door:
            for _ in range(30):
                assert (await door.post()).status == 202

    told = [line for line in logged if line["event"] != "activities came in"]
    assert [line["log_level"] for line in told] == ["warning"]
    assert told[0]["collector"] == "127.0.0.1:9"  # said at the end, if the first export had not failed for good
    assert caplog.records == []


async def test_a_collector_that_refuses_is_told_of_once_however_often_it_does(caplog: pytest.LogCaptureFixture) -> None:
    with Collector(status=400) as refusing, structlog.testing.capture_logs() as logged:
        traces = tracing(refusing.url)
        app = traces.http(answer_well)
        async with traces, asyncio.timeout(20):
            while refusing.asked < 3:
                assert (await ask(app, "/search")).status == 200
                await asyncio.sleep(0.1)

    assert [line["log_level"] for line in logged] == ["warning"]
    assert caplog.records == []


async def test_a_collector_that_comes_back_is_told_of_once() -> None:
    with Collector() as first:
        port = first.port
    with structlog.testing.capture_logs() as logged, ExitStack() as after:
        traces = tracing(f"http://user:secret@127.0.0.1:{port}")
        app = traces.http(answer_well)
        async with traces:
            await until_logged(app, logged, "warning")
            again = after.enter_context(Collector(port))  # until the last span was sent
            await until_logged(app, logged, "info")
            assert again.spans

    assert [line["log_level"] for line in logged] == ["warning", "info"]
    assert "secret" not in repr(logged)


async def until_logged(app: ASGIApp, logged: list[MutableMapping[str, object]], level: str) -> None:
    async with asyncio.timeout(20):
        while level not in [line["log_level"] for line in logged]:
            await ask(app, "/search")
            await asyncio.sleep(0.05)


async def test_a_collector_that_never_answers_keeps_no_process_from_ending() -> None:
    with Collector(silent=True) as silent:
        traces = tracing(silent.url)
        app = traces.http(answer_well)
        async with traces:
            for _ in range(50):
                assert (await ask(app, "/search")).status == 200
            began = time.monotonic()

        assert time.monotonic() - began < EXPORT_SECONDS


async def test_what_is_left_at_the_end_is_handed_over(collector: Collector) -> None:
    traces = tracing(collector.url)
    app = traces.http(answer_well)

    async with traces:
        for _ in range(50):
            await ask(app, "/search")

    assert len(collector.spans) == 50


@pytest.mark.parametrize("path", ["", "/", "/v1/traces", "/v1/traces/"])
async def test_an_endpoint_may_name_the_collector_or_the_whole_path(collector: Collector, path: str) -> None:
    traces = tracing(collector.url + path)
    async with traces:
        await ask(traces.http(answer_well), "/search")

    assert collector.paths == {"/v1/traces"}


# off


def in_another_process(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


OFF = (
    "import json, sys\n"
    "from app.infrastructure.wiring.container import Container\n"
    "from app.infrastructure.settings.settings import Settings\n"
    "from app.infrastructure.observability.open_tracing import open_tracing\n"
    "settings = Settings()\n"
    "off = open_tracing(settings.telemetry, 'api')\n"
    "container = Container(settings=settings, redis_url='unix:///nowhere')\n"
    "app, inbox = container.http(), container.activity_inbox()\n"
    "assert off.http(app) is app and off.queue(app) is app and off.inbox(inbox) is inbox and off.current is None\n"
    "print(json.dumps(sorted(name for name, module in sys.modules.items() if module)))\n"
)


def test_off_imports_no_exporter_and_none_of_our_spans_and_wraps_nothing() -> None:
    imported = json.loads(in_another_process(OFF))

    # FastAPI imports OpenTelemetry's API, and redis-py its SDK if there is one, whatever we do
    foreign = ("opentelemetry.exporter", "opentelemetry.proto", "google.protobuf", "requests")
    ours = (
        "app.adapters.machine.spans",
        "app.adapters.outbound.otel",
        "app.adapters.inbound.http.operations.tracing_app",
        "app.infrastructure.observability.otlp_traces",
    )
    assert [name for name in imported if name.startswith((*foreign, *ours))] == []


def test_off_needs_none_of_the_packages() -> None:
    missing = "".join(f"sys.modules[{name!r}] = None\n" for name in ("opentelemetry.sdk", "opentelemetry.exporter"))

    in_another_process(f"import sys\n{missing}{OFF}")


def test_on_without_the_packages_is_one_line_that_says_what_to_install() -> None:
    said = in_another_process(
        "import sys\n"
        "sys.modules['opentelemetry.sdk'] = None  # as good as not installed\n"
        "from app.infrastructure.settings.start_errors import ConfigurationError\n"
        "from app.infrastructure.settings.publishing_settings import Telemetry\n"
        "from app.infrastructure.observability.open_tracing import open_tracing\n"
        "try:\n"
        "    open_tracing(Telemetry(otlp_endpoint='http://127.0.0.1:4318'), 'api')\n"
        "except ConfigurationError as error:\n"
        "    print(error)\n"
    )

    assert "telemetry.otlp_endpoint" in said
    assert ".venv/bin/pip install -e '.[telemetry]'" in said
    assert "marquee[" not in said, "the index has another package of this name"
    assert len(said.splitlines()) == 1
