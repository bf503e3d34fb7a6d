"""A query parameter that a route does not know is refused, on every route of the real application."""

import json
from datetime import UTC
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from app.adapters.inbound.http.access.areas import RULES, Areas
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.guarded_app import GuardedApp
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door, IngestLimits
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_window import PARAMETERS
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.authenticate import Authenticate
from app.application.record_activities import RecordActivities
from app.domain.access import OPENABLE, Area
from app.domain.activities import ActivityRules
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.http_parts import lenient_areas
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.asgi import Sent, ask
from tests.support.fixed_clock import FixedClock
from tests.support.remembering_queue import RememberingQueue

STRICT, LENIENT = frozenset({Area.PAGE}), frozenset({Area.PAGE, Area.SEARCH})


async def let_in(_: Scope, __: Receive, send: Send) -> None:
    """Stand where FastAPI stands."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def edge_before(api: FastAPI, lenient: frozenset[Area] = STRICT) -> ASGIApp:
    """Put before some routes what stands before them in the service, with every area open."""
    gatekeeper = Gatekeeper(Authenticate(MemoryApiKeys(AccessStore()), FixedClock()), frozenset(Area))
    record = RecordActivities(RememberingQueue(), FixedClock(), ActivityRules(), lambda: UUID(int=7))
    door = Door(record, IngestLimits(1, 1, 1000))
    index = LiveIndex(RENDERING)
    index.mark_ready()
    guarded = GuardedApp(let_in, Areas(api, lenient_areas=lenient), gatekeeper, ERRORS)
    ingest = IngestApp(guarded, door, lambda *_: None, errors=ERRORS)
    return SearchApp(ingest, index, UTC, lambda *_: None, errors=ERRORS, lenient_areas=lenient)


def message_of(sent: Sent) -> str:
    error: dict[str, Any] = json.loads(sent.body)["error"]
    assert (sent.status, error["code"]) == (400, "unknown_parameter")
    message: str = error["message"]
    return message


async def test_every_route_but_those_of_pages_refuses_what_it_does_not_know(api: FastAPI) -> None:
    app, refused = edge_before(api), set()

    for route in iter_route_contexts(api.routes):
        for method in route.methods or ():
            path = str(route.path).replace("{", "").replace("}", "")
            sent = await ask(app, path, b"nonsense=1", method=method)
            if RULES["GET" if method == "HEAD" else method, str(route.path)] is Area.PAGE:
                assert sent.status == 299, route.path
            else:
                assert "'nonsense'" in message_of(sent), (method, route.path)
                refused.add((method, route.path))

    assert len(refused) > 25


async def test_every_parameter_that_the_document_has_is_known(api: FastAPI) -> None:
    app, asked = edge_before(api), 0

    for path, operations in api.openapi()["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and path != "/search":
                    sent = await ask(
                        app,
                        path.replace("{", "").replace("}", ""),
                        f"{parameter['name']}=x".encode(),
                        (),
                        method.upper(),
                    )
                    assert sent.status == 299, (method, path, parameter["name"])
                    asked += 1

    assert asked > 10


async def test_search_in_front_knows_the_parameters_that_its_documented_route_declares(api: FastAPI) -> None:
    route = Areas(api).find("GET", "/search")

    assert route is not None
    assert route.parameters == PARAMETERS


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/search", b"start_at=2021-01-01T00:00:00Z", "'start_at': did you mean starts_at?"),
        ("/search", b"endsAt=x&starts_at=2021-01-01T00:00:00Z", "'endsAt': did you mean ends_at?"),
        ("/search", b"q=jazz", "'q': this route takes starts_at, ends_at, as_of"),
        ("/search", b"as_of=x&START_AT=", "'START_AT': did you mean starts_at?"),
        ("/stats/dau", b"form=2026-01-01", "'form': did you mean from? this route takes from, to"),
        ("/health", b"verbose", "'verbose': this route takes none"),
        ("/stats", b"%6cimits=3", "'limits': did you mean limit?"),
        ("/stats", b"=", "'': this route takes"),
        ("/stats", b"a%0d%0a%1b[31m=1", r"'a\r\n\x1b[31m':"),
    ],
)
async def test_the_refusal_names_what_was_found_the_nearest_and_all_that_there_are(
    api: FastAPI, path: str, query: bytes, said: str
) -> None:
    sent = await ask(edge_before(api), path, query)

    assert message_of(sent).startswith(f"unknown parameter {said}")


async def test_a_long_name_is_cut(api: FastAPI) -> None:
    sent = await ask(edge_before(api), "/stats", b"x" * 5000)

    assert len(message_of(sent)) < 200


@pytest.mark.parametrize("query", [b"", b"&&", b"limit=2&limit=3", b"after=view&limit=2", b"limit"])
async def test_what_is_known_goes_on_also_when_it_is_given_twice_or_empty(api: FastAPI, query: bytes) -> None:
    assert (await ask(edge_before(api), "/stats", query)).status == 299


async def test_head_is_refused_as_get_is(api: FastAPI) -> None:
    app = edge_before(api)

    assert [(await ask(app, path, b"x=1", method="HEAD")).status for path in ("/search", "/stats", "/")] == [
        400,
        400,
        299,
    ]


async def test_search_alone_takes_anything_where_that_is_configured(api: FastAPI) -> None:
    app = edge_before(api, lenient_areas(Settings.model_validate({"search": {"unknown_parameters": "ignore"}})))

    assert (await ask(app, "/search", b"utm_source=mail&starts_at=2021-01-01T00:00:00Z")).status == 200
    assert (await ask(app, "/search", b"utm_source=mail&as_of=2021-01-01T00:00:00Z")).status == 299
    assert (await ask(app, "/search", b"utm_source=mail&starts_at=x")).status == 400
    assert "did you mean limit?" in message_of(await ask(app, "/stats", b"limt=2"))


def test_by_default_search_refuses_too() -> None:
    assert lenient_areas(Settings()) == STRICT
    assert lenient_areas(Settings.model_validate({"search": {"unknown_parameters": "ignore"}})) == LENIENT


async def test_who_may_not_come_in_hears_nothing_of_parameters(api: FastAPI) -> None:
    gatekeeper = Gatekeeper(Authenticate(MemoryApiKeys(AccessStore()), FixedClock()), OPENABLE - {Area.STATS})
    app = GuardedApp(let_in, Areas(api), gatekeeper, ERRORS)

    assert (await ask(app, "/stats", b"nonsense=1")).status == 401
    assert (await ask(app, "/nowhere", b"nonsense=1")).status == 404
