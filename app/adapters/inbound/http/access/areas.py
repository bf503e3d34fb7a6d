"""Which area of the service each route belongs to. A route that is not in the table does not start."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.domain.access import Area

Rules = Mapping[tuple[str, str], Area]
"""From method and template of a path. What may be read may be asked for its head."""

RULES: Rules = {
    ("GET", "/"): Area.PAGE,
    ("GET", "/dashboard/{file}"): Area.PAGE,
    ("GET", "/dashboard/state"): Area.DASHBOARD,
    ("GET", "/dashboard/stream"): Area.DASHBOARD,
    ("GET", "/search"): Area.SEARCH,
    ("GET", "/catalog/changes"): Area.CATALOG,
    ("GET", "/catalog/plans/{plan_id}"): Area.CATALOG,
    ("GET", "/catalog/plans/{plan_id}/history"): Area.CATALOG,
    ("GET", "/catalog/providers"): Area.CATALOG,
    ("GET", "/catalog/providers/{name}/runs"): Area.CATALOG,
    ("GET", "/catalog/providers/{name}/rejections"): Area.OPERATIONS,
    ("POST", "/catalog/providers/{name}/sync"): Area.OPERATIONS,
    ("POST", "/events"): Area.INGEST,
    ("POST", "/events/batch"): Area.INGEST,
    ("GET", "/stats"): Area.STATS,
    ("GET", "/stats/dau"): Area.STATS,
    ("GET", "/stats/top-events"): Area.STATS,
    ("GET", "/stats/retention"): Area.STATS,
    ("GET", "/stats/{type}"): Area.STATS,
    ("DELETE", "/stats"): Area.ADMIN,
    ("POST", "/users"): Area.ADMIN,
    ("GET", "/users"): Area.ADMIN,
    ("GET", "/users/{user_id}"): Area.ADMIN,
    ("PATCH", "/users/{user_id}"): Area.ADMIN,
    ("DELETE", "/users/{user_id}"): Area.ADMIN,
    ("POST", "/users/{user_id}/keys"): Area.ADMIN,
    ("GET", "/users/{user_id}/keys"): Area.ADMIN,
    ("DELETE", "/users/{user_id}/keys/{key_id}"): Area.ADMIN,
    ("GET", "/health"): Area.HEALTH,
    ("GET", "/health/live"): Area.HEALTH,
    ("GET", "/health/ready"): Area.HEALTH,
    ("GET", "/metrics"): Area.METRICS,
    ("GET", "/openapi.json"): Area.DOCS,
    ("GET", "/docs"): Area.PAGE,
    ("GET", "/docs/{file}"): Area.PAGE,
}


class UnruledRouteError(Exception):
    """Routes and rules do not fit; the message lists what is missing on either side."""


@dataclass(frozen=True, slots=True)
class GuardedRoute:
    """A route as it is known before FastAPI has seen the request."""

    path: str
    """The template, as the figures name it."""
    area: Area


class Areas:
    """Finds the route of a request as FastAPI will: the first that fits, in FastAPI's order.

    Raises:
        UnruledRouteError: when made, if a route has no rule or a rule no route.
    """

    def __init__(self, api: FastAPI, rules: Rules = RULES) -> None:
        check_table(api, rules)
        self._candidates = [
            (route.path_regex, frozenset(route.methods or ()), route.path or "")
            for route in iter_route_contexts(api.routes)
        ]
        self._rules = rules
        asked_with = {*rules, *(("HEAD", path) for method, path in rules if method == "GET")}
        self._fixed = {(method, path): self._search(method, path) for method, path in asked_with if "{" not in path}

    def find(self, method: str, path: str) -> GuardedRoute | None:
        """Find it; None when there is none of this method at this path."""
        return self._fixed.get((method, path)) or self._search(method, path)

    def methods_at(self, path: str) -> frozenset[str]:
        """Say what can be done at a path; nothing when there is no such path."""
        methods = frozenset[str]().union(*(known for pattern, known, _ in self._candidates if pattern.match(path)))
        return methods | {"HEAD"} if "GET" in methods else methods

    def _search(self, method: str, path: str) -> GuardedRoute | None:
        wanted = "GET" if method == "HEAD" else method
        for pattern, methods, template in self._candidates:
            if wanted in methods and pattern.match(path):
                return GuardedRoute(template, self._rules[wanted, template])
        return None


def check_table(api: FastAPI, rules: Rules = RULES) -> None:
    """Hold rules against routes.

    Raises:
        UnruledRouteError: a route has no rule, or a rule no route.
    """
    routes = {
        (method, route.path or repr(route.original_route))
        for route in iter_route_contexts(api.routes)
        for method in (route.methods or {"ANY"}) - {"HEAD"}
    }
    open_doors = [f"{method} {path} has no rule" for method, path in sorted(routes - rules.keys())]
    leftovers = [f"{method} {path} has no route" for method, path in sorted(rules.keys() - routes)]
    if open_doors or leftovers:
        raise UnruledRouteError("; ".join((*open_doors, *leftovers)))
