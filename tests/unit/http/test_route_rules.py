"""Each route of the real application, asked by each role and by somebody without a key."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from app.adapters.inbound.http.access.areas import RULES, Areas, UnruledRouteError, check_table
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.guarded_app import GuardedApp
from app.adapters.inbound.http.error_table import ERRORS
from app.application.authenticate import Authenticate
from app.domain.access import OPEN_ELSEWHERE, OPEN_ON_LOOPBACK, OPENABLE, Area, Role
from app.domain.api_keys import ApiKey, compose, digest_of
from app.domain.users import User
from tests.fakes.users import AccessStore, MemoryApiKeys
from tests.support.asgi import Sent, ask
from tests.support.builders import NOW
from tests.support.fixed_clock import FixedClock
from tests.support.service import REPOSITORY

Route = tuple[str, str]

NEEDS: dict[Role | None, str] = {
    None: "GET /, GET /dashboard/{file}, GET /docs, GET /docs/{file}, GET /marquee.js, GET /marquee.d.ts",
    Role.READER: """
        GET /search, GET /catalog/changes,
        GET /catalog/plans, GET /catalog/plans/{plan_id}, GET /catalog/plans/{plan_id}/history,
        GET /catalog/providers, GET /catalog/providers/{name}/runs,
        GET /dashboard/days, GET /dashboard/types, GET /dashboard/plans, GET /dashboard/providers,
        GET /stats, GET /stats/dau, GET /stats/series, GET /stats/funnel, GET /stats/plans, GET /stats/plans/{plan_id},
        GET /stats/top-events, GET /stats/retention, GET /stats/{type},
        GET /dashboard/state, GET /dashboard/stream, GET /health, GET /health/live, GET /health/ready, GET /metrics,
        GET /openapi.json, POST /stream-tokens
    """,
    Role.WRITER: """
        POST /events, POST /events/batch, POST /v1/batch, POST /v1/track, POST /v1/identify, POST /v1/page,
        POST /v1/screen, POST /v1/alias, POST /v1/group
    """,
    Role.OPERATOR: """
        GET /activities/refused, GET /catalog/providers/{name}/held, GET /catalog/providers/{name}/rejections,
        POST /catalog/providers/{name}/sync, GET /activities, GET /export/activities,
        GET /export/plans, GET /export/stats
    """,
    Role.ADMIN: """
        GET /users, POST /users, GET /users/{user_id}, PATCH /users/{user_id}, DELETE /users/{user_id},
        GET /users/{user_id}/keys, POST /users/{user_id}/keys, DELETE /users/{user_id}/keys/{key_id}, DELETE /stats,
        GET /webhooks, POST /webhooks, GET /webhooks/{webhook}, PATCH /webhooks/{webhook}, DELETE /webhooks/{webhook},
        POST /webhooks/{webhook}/secret, POST /webhooks/{webhook}/test, GET /webhooks/{webhook}/deliveries,
        POST /webhooks/{webhook}/replay
    """,
}
"""The least role that each route needs when nothing is open to everybody; written down once more, on purpose."""


def routes() -> Iterator[tuple[str, str, Role | None]]:
    for role, listed in NEEDS.items():
        for route in listed.split(","):
            method, path = route.split()
            yield method, path, role


def key_of(role: Role) -> str:
    return compose(role.ljust(10, "0"), role.ljust(32, "1"))


def everybody() -> MemoryApiKeys:
    """Make a user of each role, with a key."""
    store = AccessStore()
    for number, role in enumerate(Role):
        user = User(
            user_id=UUID(int=number), username=role, email=f"{role}@x.org", role=role, created_at=NOW, updated_at=NOW
        )
        text = key_of(role)
        store.users[user.user_id] = user
        store.keys[text[4:14]] = ApiKey(
            key_id=text[4:14], user_id=user.user_id, name="", digest=digest_of(text), created_at=NOW
        )
    return MemoryApiKeys(store)


async def let_in(_: Scope, __: Receive, send: Send) -> None:
    """Stand where FastAPI stands: whoever gets here was let in."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class World:
    """The guard before the routes, with nothing behind."""

    def __init__(self, api: FastAPI, anonymous: frozenset[Area]) -> None:
        gatekeeper = Gatekeeper(Authenticate(everybody(), FixedClock()), anonymous)
        self.app = GuardedApp(let_in, Areas(api), gatekeeper, ERRORS)

    async def ask(self, method: str, path: str, role: Role | None) -> Sent:
        """Ask for a path with something in each of its places."""
        headers: Any = () if role is None else ((b"authorization", f"Bearer {key_of(role)}".encode()),)
        return await ask(self.app, path.replace("{", "").replace("}", ""), headers=headers, method=method)


async def test_the_table_here_lists_every_route_there_is(api: FastAPI) -> None:
    there = {
        (method, route.path) for route in iter_route_contexts(api.routes) for method in (route.methods or {"ANY"})
    } - {("HEAD", "/openapi.json")}

    assert {(method, path) for method, path, _ in routes()} == there


async def test_where_everything_is_closed_each_route_takes_its_role_and_those_above(api: FastAPI) -> None:
    world = World(api, frozenset())
    heads = [("HEAD", path, needed) for method, path, needed in routes() if method == "GET"]
    for method, path, needed in (*routes(), *heads):
        for role in (None, *Role):
            sent = await world.ask(method, path, role)
            expected = 299 if needed is None or (role and role.covers(needed)) else 403 if role else 401

            assert sent.status == expected, (method, path, role)


async def test_what_is_open_needs_no_key_and_nothing_else_is(api: FastAPI) -> None:
    for anonymous in (OPEN_ON_LOOPBACK, OPEN_ELSEWHERE, *(frozenset({area}) for area in OPENABLE)):
        world = World(api, anonymous)
        for (method, path, needed), role in product(routes(), (None, *Role)):
            sent = await world.ask(method, path, role)
            is_open = needed is None or RULES[method, path] in anonymous
            expected = 299 if is_open or (role and needed and role.covers(needed)) else 403 if role else 401

            assert sent.status == expected, (anonymous, method, path, role)


async def test_administration_cannot_be_opened_to_everybody() -> None:
    admin = {path for method, path, role in routes() if role is Role.ADMIN}
    pages = {path for method, path, role in routes() if role is None}

    assert {path for (_, path), area in RULES.items() if area not in OPENABLE} == admin | pages


async def test_a_path_that_does_not_exist_and_a_method_that_a_path_does_not_have_get_no_further(api: FastAPI) -> None:
    world = World(api, OPENABLE)

    for path in ("/nowhere", "/search/", "//search", "/SEARCH", "/users/1/keys/2/3", "/catalog/plans/1/", "/stats/a/b"):
        assert (await world.ask("GET", path, Role.ADMIN)).status == 404, path
    for method in ("PUT", "TRACE", "CONNECT", "get", "PROPFIND"):
        sent = await world.ask(method, "/stats", Role.ADMIN)

        assert (sent.status, sent.headers[b"allow"]) == (405, b"DELETE, GET, HEAD")
    assert (await world.ask("HEAD", "/events", Role.ADMIN)).status == 405


async def test_the_guard_finds_the_route_that_fastapi_takes(api: FastAPI) -> None:
    areas = Areas(api)

    found = {path: areas.find("GET", path) for path in ("/stats/dau", "/stats/daU", "/dashboard/state", "/dashboard/x")}

    assert {path: route.path for path, route in found.items() if route} == {
        "/stats/dau": "/stats/dau",
        "/stats/daU": "/stats/{type}",
        "/dashboard/state": "/dashboard/state",
        "/dashboard/x": "/dashboard/{file}",
    }


async def test_options_is_refused_with_every_method_that_there_is_and_without_a_key(api: FastAPI) -> None:
    world = World(api, frozenset())  # preflight requests are answered further out: see test_cors.py

    answers = {path: await world.ask("OPTIONS", path, None) for path in ("/users", "/users/{user_id}", "/search")}

    assert {path: (answer.status, answer.headers[b"allow"]) for path, answer in answers.items()} == {
        "/users": (405, b"GET, HEAD, POST"),
        "/users/{user_id}": (405, b"DELETE, GET, HEAD, PATCH"),
        "/search": (405, b"GET, HEAD"),
    }
    assert (await world.ask("OPTIONS", "/nowhere", None)).status == 404


async def test_a_route_without_a_rule_does_not_start(own_api: FastAPI) -> None:
    router = APIRouter()
    router.add_api_route("/back/door", lambda: None, methods=["GET", "OPTIONS"])
    own_api.include_router(router)

    with pytest.raises(UnruledRouteError, match=r"GET /back/door has no rule; OPTIONS /back/door has no rule"):
        Areas(own_api)


async def test_an_application_in_the_application_does_not_start(own_api: FastAPI) -> None:
    own_api.mount("/back", FastAPI())

    with pytest.raises(UnruledRouteError, match="ANY /back has no rule"):
        check_table(own_api)


async def test_a_rule_without_a_route_does_not_start(api: FastAPI) -> None:
    with pytest.raises(UnruledRouteError, match="GET /gone has no route"):
        Areas(api, {**RULES, ("GET", "/gone"): Area.STATS})


async def test_the_document_says_of_each_operation_what_it_needs(api: FastAPI) -> None:
    document = api.openapi()

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            area = RULES[method.upper(), path]
            if area is Area.SEARCH:  # a contract of others
                assert set(operation["responses"]) == {"200", "400", "500"}
                assert "security" not in operation
            elif area is not Area.PAGE:
                assert {"401", "403", "503"} <= set(operation["responses"])
                assert ("429" in operation["responses"]) is (area is not Area.HEALTH)
                assert ({} in operation["security"]) is (area in OPEN_ON_LOOPBACK)
                assert operation["security"][-2:] == [{"bearer": []}, {"key": []}]


async def test_the_reference_lists_every_documented_route_with_the_role_that_it_needs(api: FastAPI) -> None:
    page = (REPOSITORY / "doc" / "http.md").read_text(encoding="utf-8")
    listed = {
        (method, path, Role(role))
        for method, path, role in re.findall(r"^\| `(\w+) (\S+)` \|.*\| (\w+) \|$", page, re.MULTILINE)
    }
    documented = {(method.upper(), path) for path, methods in api.openapi()["paths"].items() for method in methods}

    assert listed == {(method, path, role) for method, path, role in routes() if (method, path) in documented}
