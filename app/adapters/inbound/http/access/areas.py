"""Which area of the service each route belongs to. A route that is not in the table does not start."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from app.adapters.inbound.http.connection.query_parameters import declared_parameters
from app.domain.access import Area

Rules = Mapping[tuple[str, str], Area]
"""From method and template of a path. What may be read may be asked for its head."""

RULES: Rules = {
    ("GET", "/"): Area.PAGE,
    ("GET", "/dashboard/{file}"): Area.PAGE,
    ("GET", "/dashboard/state"): Area.DASHBOARD,
    ("GET", "/dashboard/stream"): Area.DASHBOARD,
    ("GET", "/dashboard/days"): Area.DASHBOARD,
    ("GET", "/dashboard/types"): Area.DASHBOARD,
    ("GET", "/dashboard/plans"): Area.DASHBOARD,
    ("GET", "/dashboard/providers"): Area.DASHBOARD,
    ("GET", "/marquee.js"): Area.PAGE,
    ("GET", "/marquee.d.ts"): Area.PAGE,
    ("GET", "/search"): Area.SEARCH,
    ("GET", "/catalog/changes"): Area.CATALOG,
    ("GET", "/catalog/plans"): Area.CATALOG,
    ("GET", "/catalog/plans/{plan_id}"): Area.CATALOG,
    ("GET", "/catalog/plans/{plan_id}/history"): Area.CATALOG,
    ("GET", "/catalog/providers"): Area.CATALOG,
    ("GET", "/catalog/providers/{name}/runs"): Area.CATALOG,
    ("GET", "/catalog/providers/{name}/rejections"): Area.OPERATIONS,
    ("GET", "/catalog/providers/{name}/held"): Area.OPERATIONS,
    ("POST", "/catalog/providers/{name}/sync"): Area.OPERATIONS,
    ("GET", "/activities/refused"): Area.OPERATIONS,
    ("POST", "/events"): Area.INGEST,
    ("POST", "/events/batch"): Area.INGEST,
    ("POST", "/v1/batch"): Area.INGEST,
    ("POST", "/v1/track"): Area.INGEST,
    ("POST", "/v1/identify"): Area.INGEST,
    ("POST", "/v1/page"): Area.INGEST,
    ("POST", "/v1/screen"): Area.INGEST,
    ("POST", "/v1/alias"): Area.INGEST,
    ("POST", "/v1/group"): Area.INGEST,
    ("GET", "/activities"): Area.OPERATIONS,
    ("GET", "/export/activities"): Area.OPERATIONS,
    ("GET", "/export/plans"): Area.OPERATIONS,
    ("GET", "/export/stats"): Area.OPERATIONS,
    ("GET", "/stats"): Area.STATS,
    ("GET", "/stats/dau"): Area.STATS,
    ("GET", "/stats/series"): Area.STATS,
    ("GET", "/stats/top-events"): Area.STATS,
    ("GET", "/stats/retention"): Area.STATS,
    ("GET", "/stats/plans"): Area.STATS,
    ("GET", "/stats/plans/{plan_id}"): Area.STATS,
    ("GET", "/stats/funnel"): Area.STATS,
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
    ("POST", "/webhooks"): Area.ADMIN,
    ("GET", "/webhooks"): Area.ADMIN,
    ("GET", "/webhooks/{webhook}"): Area.ADMIN,
    ("PATCH", "/webhooks/{webhook}"): Area.ADMIN,
    ("DELETE", "/webhooks/{webhook}"): Area.ADMIN,
    ("POST", "/webhooks/{webhook}/secret"): Area.ADMIN,
    ("POST", "/webhooks/{webhook}/test"): Area.ADMIN,
    ("GET", "/webhooks/{webhook}/deliveries"): Area.ADMIN,
    ("POST", "/webhooks/{webhook}/replay"): Area.ADMIN,
    ("POST", "/stream-tokens"): Area.CATALOG,
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
    parameters: tuple[str, ...] | None
    """The names that may stand in the query string; None when any may."""


class Areas:
    """Finds the route of a request as FastAPI will: the first that fits, in FastAPI's order.

    Routes of a lenient area take any query parameter, others those that they declare.

    Raises:
        UnruledRouteError: when made, if a route has no rule or a rule no route.
    """

    def __init__(
        self, api: FastAPI, rules: Rules = RULES, lenient_areas: Collection[Area] = frozenset({Area.PAGE})
    ) -> None:
        check_table(api, rules)
        self._candidates = [
            (route.path_regex, frozenset(route.methods or ()), route.path or "", declared_parameters(_dependant(route)))
            for route in iter_route_contexts(api.routes)
        ]
        self._rules = rules
        self._lenient = frozenset(lenient_areas)
        asked_with = {*rules, *(("HEAD", path) for method, path in rules if method == "GET")}
        self._fixed = {(method, path): self._search(method, path) for method, path in asked_with if "{" not in path}

    def find(self, method: str, path: str) -> GuardedRoute | None:
        """Find it; None when there is none of this method at this path."""
        return self._fixed.get((method, path)) or self._search(method, path)

    def methods_at(self, path: str) -> frozenset[str]:
        """Say what can be done at a path; nothing when there is no such path."""
        methods = frozenset[str]().union(*(known for pattern, known, *_ in self._candidates if pattern.match(path)))
        return methods | {"HEAD"} if "GET" in methods else methods

    def _search(self, method: str, path: str) -> GuardedRoute | None:
        wanted = "GET" if method == "HEAD" else method
        for pattern, methods, template, parameters in self._candidates:
            if wanted in methods and pattern.match(path):
                area = self._rules[wanted, template]
                return GuardedRoute(template, area, None if area in self._lenient else parameters)
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


def _dependant(route: RouteContext) -> Dependant | None:
    """Find what a route declares; FastAPI's own, such as that of its document, declares nothing."""
    return getattr(route, "dependant", None)
